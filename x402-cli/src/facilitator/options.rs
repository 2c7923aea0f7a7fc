//! What a facilitator server allows, with defaults that are safe for a server that strangers can reach.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use super::tokens::Tokens;

/// Who hears a success when a payment is settled again.
///
/// | | with `Idempotency-Key` | without |
/// |---|---|---|
/// | `keyed` | every repeat by the same caller with the same key | one call |
/// | `never` | one call | one call |
/// | `always` | everybody | everybody |
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Repeats {
    /// Callers that say with a key that they deliver once per payment may ask again; others hear one success.
    #[default]
    Keyed,
    /// One success per payment, key or not.
    Never,
    /// A payment that was settled is a success for whoever asks. For sellers with a ledger only: any other delivers again.
    Always,
}

impl FromStr for Repeats {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "keyed" => Ok(Self::Keyed),
            "never" => Ok(Self::Never),
            "always" => Ok(Self::Always),
            _ => Err("write keyed, never or always".to_owned()),
        }
    }
}

impl fmt::Display for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyed => "keyed",
            Self::Never => "never",
            Self::Always => "always",
        })
    }
}

/// A pace and a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Calls a minute.
    pub per_minute: u32,
    /// Calls at once.
    pub burst: u32,
}

/// Sizes, times and numbers of the server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Calls of one client address without a token; wrong tokens count too. Default 3,000 a minute, 500 at once.
    pub client: Rate,
    /// Calls about one payer's payments, whoever makes them. Default 3,000 a minute, 500 at once.
    pub payer: Rate,
    /// Calls with one token. Default 12,000 a minute, 2,000 at once.
    pub token: Rate,
    /// Longest body, in bytes. Default 64 KiB.
    pub body_cap: usize,
    /// Verify and settle calls at once; further ones are answered 503. Default 256.
    pub max_in_flight: usize,
    /// Connections at once; further ones wait. Default 1,024.
    pub max_connections: usize,
    /// Connections of one address at once; further ones are closed. Not counted behind trusted proxies and on the loopback
    /// interface, where one address stands for many clients. Default 64.
    pub max_connections_per_client: usize,
    /// Seconds for the head of a request, the time between two requests included. Default 15.
    pub header_seconds: u64,
    /// Seconds for the body of a request. Default 10.
    pub body_seconds: u64,
    /// Seconds that calls and settlements in flight are waited for at shutdown. Default 90.
    pub drain_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let rate = |per_minute, burst| Rate { per_minute, burst };
        Self {
            client: rate(3_000, 500),
            payer: rate(3_000, 500),
            token: rate(12_000, 2_000),
            body_cap: 64 * 1024,
            max_in_flight: 256,
            max_connections: 1_024,
            max_connections_per_client: 64,
            header_seconds: 15,
            body_seconds: 10,
            drain_seconds: 90,
        }
    }
}

impl Limits {
    pub(super) const fn header_time(&self) -> Duration {
        Duration::from_secs(self.header_seconds)
    }

    pub(super) const fn body_time(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }

    pub(super) const fn drain_time(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

/// Everything about a server but its networks.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Who may call `/verify` and `/settle`; `None` lets everybody.
    pub tokens: Option<Tokens>,
    /// Serve callers without tokens on an address that others can reach. Default `false`.
    pub public: bool,
    /// How many proxies in front add to `X-Forwarded-For`. Default 0: the header is not read.
    pub trusted_proxies: usize,
    /// Who hears a success again.
    pub repeats: Repeats,
    /// Sizes, times and numbers.
    pub limits: Limits,
}
