//! Calls that are answered without payment while they last: free quotas and trials, counted exactly.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use x402_runtime::{Siwx, allowance::Allowances, ledger::Ledger, model::price::Allowance};
//! # async fn run(ledger: Arc<dyn Ledger>, siwx: Siwx, hundred_a_day: Allowance, headers: axum::http::HeaderMap) {
//! let allowances = Allowances::new(ledger, Arc::new(x402_runtime::clock::SystemClock)).with_sign_in(siwx);
//! match allowances.take("weather", &hundred_a_day, &headers, None).await {
//!     Ok(free) => println!("{} more today", free.left()),
//!     Err(declined) => println!("to be paid: {}", declined.code()),
//! }
//! # }
//! ```

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use x402_model::price::{Allowance, AllowanceKind, Identify, Scope};

use crate::clock::Clock;
use crate::ledger::{Counter, Ledger, LedgerError, Taken};
use crate::siwx::{SignedIn, Siwx, SiwxRefusal};
use crate::telemetry::event;

/// Takes free calls, as far as there are any.
#[derive(Debug)]
pub struct Allowances {
    books: Books,
    sign_in: Option<Siwx>,
}

struct Books {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Books")
    }
}

/// A free call that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a call that was not served has to be given back"]
pub struct FreeCall {
    counter: String,
    until_ms: Option<u64>,
    left: u64,
    caller: Option<String>,
}

impl FreeCall {
    /// How many are left after this one.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// When there are new ones, unix milliseconds, if ever.
    #[must_use]
    pub const fn resets_ms(&self) -> Option<u64> {
        self.until_ms
    }

    /// The address that signed in, where the allowance asks for it.
    #[must_use]
    pub fn caller(&self) -> Option<&str> {
        self.caller.as_deref()
    }
}

/// Why a call is not free. It is then answered as any unpaid one, with 402 and the terms: never with 401.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Declined {
    /// The caller did not say who he is.
    #[error("the caller is not known")]
    Unknown,
    /// The sign-in does not count.
    #[error(transparent)]
    SignIn(#[from] SiwxRefusal),
    /// The free calls are used up.
    #[error("no free call is left")]
    Exhausted {
        /// When there are new ones, unix milliseconds, if ever.
        resets_ms: Option<u64>,
    },
    /// The allowance is of a kind that this version cannot count, so it gives nothing.
    #[error("the allowance cannot be counted")]
    Unsupported,
    /// How many are left cannot be known now.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Declined {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "caller_unknown",
            Self::SignIn(refusal) => refusal.code(),
            Self::Exhausted { .. } => "free_calls_exhausted",
            Self::Unsupported => "allowance_unsupported",
            Self::Ledger(_) => "ledger_unavailable",
        }
    }
}

impl Allowances {
    /// Free calls counted in this ledger. Without [`with_sign_in`](Self::with_sign_in), allowances that are counted per payer
    /// give nothing.
    #[must_use]
    pub const fn new(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>) -> Self {
        Self {
            books: Books { ledger, clock },
            sign_in: None,
        }
    }

    /// Lets callers say who they are by signing in.
    #[must_use]
    pub fn with_sign_in(mut self, siwx: Siwx) -> Self {
        self.sign_in = Some(siwx);
        self
    }

    /// What verifies sign-ins; its challenges belong into the 402.
    #[must_use]
    pub const fn sign_in(&self) -> Option<&Siwx> {
        self.sign_in.as_ref()
    }

    /// Takes one free call of an endpoint, durably before it is served. `client` is the caller's network address, where the
    /// server knows it for sure (behind a proxy it does not by itself).
    ///
    /// # Errors
    /// [`Declined`]: the call has to be paid.
    pub async fn take(
        &self,
        endpoint: &str,
        allowance: &Allowance,
        headers: &HeaderMap,
        client: Option<IpAddr>,
    ) -> Result<FreeCall, Declined> {
        let caller = match (allowance.identify, &self.sign_in) {
            (Identify::Nothing, _) => None,
            (Identify::SignInWithX, Some(siwx)) => siwx.caller(headers).await?,
            _ => return Err(Declined::Unsupported),
        };
        self.take_as(endpoint, allowance, caller, client).await
    }

    /// [`take`](Self::take) for a caller that is known already, as far as the allowance asks.
    pub(crate) async fn take_as(
        &self,
        endpoint: &str,
        allowance: &Allowance,
        caller: Option<SignedIn>,
        client: Option<IpAddr>,
    ) -> Result<FreeCall, Declined> {
        let caller = caller.map(|caller| caller.to_string());
        let whose = match (allowance.scope, &caller, client) {
            (Scope::Payer, Some(caller), _) => format!("payer/{caller}"),
            (Scope::Client, _, Some(client)) => format!("client/{}", client.to_canonical()),
            (Scope::Global, ..) => "all".to_owned(),
            (Scope::Payer | Scope::Client, ..) => return Err(Declined::Unknown),
            _ => return Err(Declined::Unsupported),
        };
        let window_ms = match allowance.kind {
            AllowanceKind::FreeQuota { window_seconds } => {
                Some(window_seconds.saturating_mul(1000))
            }
            AllowanceKind::Trial => None,
        };
        let window = window_ms.map_or_else(|| "trial".to_owned(), |ms| ms.to_string());
        let counter = Counter {
            name: format!("free/{endpoint}/{window}/{whose}"),
            window_ms,
            limit: allowance.calls,
        };
        let books = self.books.ledger.accounts();
        match books.take(&counter, self.books.clock.now_ms()).await? {
            Taken::Yes { left, until_ms } => Ok(FreeCall {
                counter: counter.name,
                until_ms,
                left,
                caller,
            }),
            Taken::Exhausted { resets_ms } => Err(Declined::Exhausted { resets_ms }),
        }
    }

    /// Gives back a call that was not served, because its handler failed: as a payment would not have been charged.
    pub async fn give_back(&self, call: FreeCall) {
        let books = self.books.ledger.accounts();
        if let Err(error) = books.give_back(&call.counter, call.until_ms).await {
            tracing::error!(name: event::LEDGER_FAILED, %error, "a free call could not be given back");
        }
    }
}
