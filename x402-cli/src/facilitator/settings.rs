//! What an operator sets, in a TOML file or on the command line.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::options::{Limits, Repeats};
use crate::{Exit, Failure};

/// Everything that an operator sets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Serve callers without tokens on an address that others can reach.
    pub public: bool,
    /// File with one `name token` per line.
    pub auth_token_file: Option<PathBuf>,
    /// Who hears a success again.
    pub repeats: Repeats,
    /// How many proxies in front add to `X-Forwarded-For`.
    pub trusted_proxies: usize,
    /// Sizes, times and numbers.
    pub limits: Limits,
    /// The networks.
    #[serde(rename = "network")]
    pub networks: Vec<NetworkSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4022)),
            public: false,
            auth_token_file: None,
            repeats: Repeats::default(),
            trusted_proxies: 0,
            limits: Limits::default(),
            networks: Vec::new(),
        }
    }
}

/// One network. `Debug` hides the node's address, which may hold an access key.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct NetworkSettings {
    /// Short name or CAIP-2 name.
    pub name: String,
    /// JSON-RPC endpoint.
    pub rpc_url: Option<String>,
    /// File with the JSON-RPC endpoint, for those that hold an access key.
    pub rpc_url_file: Option<PathBuf>,
    /// Second endpoint of the same chain, for evidence.
    pub witness_url: Option<String>,
    /// Files with the keys of settling accounts.
    pub settler_key_files: Vec<PathBuf>,
    /// Encrypted keys of settling accounts.
    pub settler_keystores: Vec<Keystore>,
    /// Tokens that are settled, by symbol or address; `any` alone settles every token.
    pub assets: Vec<String>,
    /// Receivers that are settled for; empty means any.
    pub pay_to: Vec<String>,
    /// ERC-6492 factories that may be called.
    pub factories: Vec<String>,
    /// Least amounts in atomic units, by symbol or address of a token.
    pub minimum: BTreeMap<String, u64>,
    /// Highest gas limit of a transfer.
    pub max_gas: Option<u64>,
    /// Highest gas limit of a wallet's deployment.
    pub max_deploy_gas: Option<u64>,
    /// Highest fee per gas, in wei.
    pub max_fee_per_gas_wei: Option<u64>,
    /// Highest fee of one settlement, in wei.
    pub max_fee_per_settlement_wei: Option<u64>,
    /// Highest sum of fees within an hour, in wei.
    pub max_fee_per_hour_wei: Option<u64>,
    /// Most native money that one payer is given for its approval of Permit2, in wei.
    pub approval_funding_wei: Option<u64>,
    /// How long a settle call waits for the receipt, in seconds.
    pub settle_timeout_seconds: Option<u64>,
    /// How long a transaction is watched, in seconds.
    pub abandon_after_seconds: Option<u64>,
    /// Pause between looks for a receipt, in milliseconds.
    pub poll_interval_ms: Option<u64>,
    /// Pause before a transaction is re-priced, in seconds.
    pub stall_after_seconds: Option<u64>,
    /// Settlements in flight.
    pub max_in_flight: Option<usize>,
    /// Seconds that an authorization must still be valid.
    pub valid_before_margin_seconds: Option<u64>,
    /// Settle real money with a key that everybody knows.
    pub allow_public_key: bool,
}

/// An encrypted key and the file with its password.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keystore {
    /// The keystore.
    pub file: PathBuf,
    /// The file with its password.
    pub password_file: PathBuf,
}

impl Settings {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// A [`Failure`] that names the line.
    pub fn from_file(path: &Path) -> Result<Self, Failure> {
        let named = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::new(Exit::Usage, format!("cannot read {named}: {error}")))?;
        Self::from_toml(&text)
            .map_err(|reason| Failure::new(Exit::Usage, format!("{named}: {reason}")))
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// What is wrong, with the line. The line itself is not repeated: it may hold an access key.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            format!("line {line}: {}", error.message())
        })
    }
}

impl fmt::Debug for NetworkSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkSettings")
            .field("name", &self.name)
            .field("settler_key_files", &self.settler_key_files)
            .field("settler_keystores", &self.settler_keystores)
            .field("assets", &self.assets)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_sets_everything_and_leaves_defaults() {
        let settings = Settings::from_toml(
            r#"
            listen = "0.0.0.0:8402"
            auth_token_file = "tokens"
            repeats = "never"
            trusted_proxies = 1
            [limits]
            body_cap = 1000
            payer = { per_minute = 60, burst = 10 }
            [[network]]
            name = "base-sepolia"
            rpc_url = "https://node.example.com"
            settler_key_files = ["a", "b"]
            settler_keystores = [{ file = "k", password_file = "p" }]
            assets = ["USDC"]
            minimum = { USDC = 1000 }
            max_fee_per_hour_wei = 1000000000000000
            "#,
        )
        .unwrap();
        assert_eq!(settings.repeats, Repeats::Never);
        assert_eq!(
            (settings.limits.body_cap, settings.limits.max_in_flight),
            (1_000, 256)
        );
        assert_eq!(settings.networks[0].settler_key_files.len(), 2);
        assert_eq!(settings.networks[0].minimum["USDC"], 1_000);
        assert_eq!(Settings::from_toml("").unwrap(), Settings::default());
    }

    #[test]
    fn mistakes_name_their_line_and_repeat_no_value() {
        let table = [
            ("\nlisten = 1", "line 2"),
            ("pubic = true", "unknown field `pubic`"),
            ("repeats = \"often\"", "unknown variant"),
            (
                "[[network]]\nname = \"base\"\nrpc_url = [\"https://x/canary\"]",
                "line 3",
            ),
            ("[[network]]\nrpc_url = https://x/canary", "line 2"),
        ];
        for (text, part) in table {
            let error = Settings::from_toml(text).unwrap_err();
            assert!(error.contains(part) && !error.contains("canary"), "{error}");
        }
    }
}
