//! What operators set without touching code: a TOML file and `X402_…` environment variables.
//!
//! ```
//! use x402_runtime::config::PaywallSettings;
//! let settings = PaywallSettings::from_toml(r#"
//!     origin = "https://api.example.com"
//!     pay_to = "0x52908400098527886E0F7030069857D2E4169EE7"
//!     rails = ["base:USDC"]
//!
//!     [limits]
//!     handler_timeout_seconds = 20
//! "#)?;
//! assert_eq!(settings.origin.as_deref(), Some("https://api.example.com"));
//! let error = PaywallSettings::from_toml("pay_too = 1").unwrap_err().to_string();
//! assert!(error.contains("did you mean `pay_to`?"), "{error}");
//! # Ok::<(), x402_runtime::config::SettingsError>(())
//! ```

mod env;
mod error;
mod file;
mod keys;

pub(crate) use keys::MANIFEST_KEY_FILE;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use x402_model::money::Decimal;
use x402_model::network::Network;

use crate::bind::Given;
use crate::paywall::{Limits, Rail};

pub use error::{SettingMistake, SettingsError};

/// Settings of a paywall, each of which may be absent.
///
/// Secrets are never among them: keys are named by the path of the file that holds them.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaywallSettings {
    /// Public address of the server. `origin`, `X402_ORIGIN`.
    pub origin: Option<String>,
    /// Receiving address. `pay_to`, `X402_PAY_TO`.
    pub pay_to: Option<String>,
    /// Accepted rails, in order. `rails`, `X402_RAILS` (comma-separated), or `network`, `X402_NETWORK` for the first token of
    /// a network.
    pub rails: Vec<Rail>,
    /// JSON-RPC endpoint, for the application to connect to. `rpc_url`, `X402_RPC_URL`. May hold an access key: `Debug` hides
    /// it.
    pub rpc_url: Option<String>,
    /// File with the settling account's key. `settler_key_file`, `X402_SETTLER_KEY_FILE`.
    pub settler_key_file: Option<PathBuf>,
    /// File with the key that [signs the manifest](crate::PaywallBuilder::sign_manifest). `manifest_key_file`,
    /// `X402_MANIFEST_KEY_FILE`.
    pub manifest_key_file: Option<PathBuf>,
    /// File of the ledger, or `memory`. `ledger`, `X402_LEDGER`.
    pub ledger: Option<PathBuf>,
    /// What networks' coins are worth, in US dollars, for the warning about prices that cost more to settle than they earn.
    /// `[native_prices]` with lines such as `base = "3000 USD"`, `X402_NATIVE_PRICES` such as `base=3000 USD,polygon=0.25 USD`.
    pub native_prices: Vec<(Network, Decimal)>,
    /// Sizes, times and numbers: `[limits]` in the file.
    pub limits: LimitSettings,
}

/// The `[limits]` of a settings file. Absent ones keep their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitSettings {
    /// Longest payment header in bytes.
    pub header_cap: Option<usize>,
    /// Longest request body in bytes.
    pub body_cap: Option<usize>,
    /// Longest answer of a handler in bytes.
    pub answer_cap: Option<usize>,
    /// Longest time to wait for a request body, in seconds.
    pub body_timeout_seconds: Option<u64>,
    /// Longest time of a handler, in seconds.
    pub handler_timeout_seconds: Option<u64>,
    /// Longest time of a settle call, in seconds.
    pub settle_timeout_seconds: Option<u64>,
    /// Payments in flight at the same time.
    pub max_in_flight: Option<usize>,
    /// Confirmations after which a settlement is final.
    pub confirmations: Option<u64>,
    /// Days for which closed payments are remembered.
    pub retention_days: Option<u64>,
}

impl PaywallSettings {
    /// Reads a TOML text.
    ///
    /// # Errors
    /// [`SettingsError`] with every mistake: unknown keys, wrong types, values that cannot be.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        file::read(text)
    }

    /// Reads the process environment. Variables of other programs are left alone.
    ///
    /// # Errors
    /// [`SettingsError`] with every mistake, also names that look like a misspelt one of ours.
    pub fn from_env() -> Result<Self, SettingsError> {
        // Variables that are not Unicode cannot be ours: all our names and values are.
        Self::from_vars(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// Reads variables from anywhere.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_vars(
        vars: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        env::read(vars)
    }

    /// Reads a file, if there is one to read, and lets the environment override it.
    ///
    /// # Errors
    /// [`SettingsError`] with the mistakes of both.
    pub fn load(path: Option<&Path>) -> Result<Self, SettingsError> {
        let file = path.map_or_else(
            || Ok(Self::default()),
            |path| match std::fs::read_to_string(path) {
                Ok(text) => Self::from_toml(&text),
                Err(error) => {
                    let reason = error.to_string();
                    Err(SettingsError::one(SettingMistake::File {
                        path: path.to_path_buf(),
                        reason,
                    }))
                }
            },
        );
        match (file, Self::from_env()) {
            (Ok(file), Ok(env)) => Ok(file.overridden_by(env)),
            (Err(file), Err(env)) => Err(file.and(env)),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        }
    }

    /// These settings, where `other` says nothing.
    #[must_use]
    pub fn overridden_by(self, other: Self) -> Self {
        Self {
            origin: other.origin.or(self.origin),
            pay_to: other.pay_to.or(self.pay_to),
            rails: if other.rails.is_empty() {
                self.rails
            } else {
                other.rails
            },
            rpc_url: other.rpc_url.or(self.rpc_url),
            settler_key_file: other.settler_key_file.or(self.settler_key_file),
            manifest_key_file: other.manifest_key_file.or(self.manifest_key_file),
            ledger: other.ledger.or(self.ledger),
            native_prices: if other.native_prices.is_empty() {
                self.native_prices
            } else {
                other.native_prices
            },
            limits: self.limits.overridden_by(&other.limits),
        }
    }

    /// Writes what is set over what the code says.
    pub(crate) fn apply(self, given: &mut Given, limits: &mut Limits) {
        if self.origin.is_some() {
            given.origin = self.origin;
        }
        if self.pay_to.is_some() {
            given.pay_to = self.pay_to;
        }
        if !self.rails.is_empty() {
            given.rails = self.rails;
        }
        if !self.native_prices.is_empty() {
            given.native_prices = self.native_prices;
        }
        self.limits.apply(limits);
    }
}

impl LimitSettings {
    fn overridden_by(self, other: &Self) -> Self {
        Self {
            header_cap: other.header_cap.or(self.header_cap),
            body_cap: other.body_cap.or(self.body_cap),
            answer_cap: other.answer_cap.or(self.answer_cap),
            body_timeout_seconds: other.body_timeout_seconds.or(self.body_timeout_seconds),
            handler_timeout_seconds: other
                .handler_timeout_seconds
                .or(self.handler_timeout_seconds),
            settle_timeout_seconds: other.settle_timeout_seconds.or(self.settle_timeout_seconds),
            max_in_flight: other.max_in_flight.or(self.max_in_flight),
            confirmations: other.confirmations.or(self.confirmations),
            retention_days: other.retention_days.or(self.retention_days),
        }
    }

    fn apply(self, limits: &mut Limits) {
        fn set<T>(target: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *target = value;
            }
        }
        set(&mut limits.header_cap, self.header_cap);
        set(&mut limits.body_cap, self.body_cap);
        set(&mut limits.answer_cap, self.answer_cap);
        set(
            &mut limits.body_timeout,
            self.body_timeout_seconds.map(Duration::from_secs),
        );
        set(
            &mut limits.handler_timeout,
            self.handler_timeout_seconds.map(Duration::from_secs),
        );
        set(
            &mut limits.settle_timeout,
            self.settle_timeout_seconds.map(Duration::from_secs),
        );
        set(&mut limits.max_in_flight, self.max_in_flight);
        set(&mut limits.confirmations, self.confirmations);
        set(
            &mut limits.retention,
            self.retention_days
                .map(|days| Duration::from_secs(days.saturating_mul(86_400))),
        );
    }
}

impl fmt::Debug for PaywallSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaywallSettings")
            .field("origin", &self.origin)
            .field("pay_to", &self.pay_to)
            .field("rails", &self.rails)
            .field("rpc_url", &self.rpc_url.as_ref().map(|_| "<redacted>"))
            .field("settler_key_file", &self.settler_key_file)
            .field("manifest_key_file", &self.manifest_key_file)
            .field("ledger", &self.ledger)
            .field("native_prices", &self.native_prices)
            .field("limits", &self.limits)
            .finish()
    }
}

#[cfg(test)]
mod tests;
