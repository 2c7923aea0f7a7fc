//! How a call is paid, and what its seller must have offered for it.

use alloy_primitives::Address;
use serde_json::Value;
use x402_tests::buyer::decode;
use x402_tests::permit2::{PERMITTING, WRAPPED};
use x402_tests::token::USDC;

use crate::stage::Call;

/// How a call is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// Scheme `exact`, by a transfer that the token itself takes signed.
    Signed,
    /// Scheme `exact` through Permit2, in USDC.
    Permit2,
    /// Scheme `exact` through Permit2, in a second token, which takes permits and no signed transfers.
    Permitting,
    /// Scheme `exact` through Permit2, in a second token, which takes neither.
    Wrapped,
    /// Scheme `upto`: less than this is taken.
    Upto(u64),
    /// The same for an answer that comes as server-sent events.
    Streamed(u64),
}

impl Means {
    /// The means as the table names them.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Signed => "exact, EIP-3009",
            Self::Permit2 => "exact, Permit2",
            Self::Permitting => "exact, Permit2, EIP-2612",
            Self::Wrapped => "exact, Permit2, EIP-20",
            Self::Upto(_) => "upto",
            Self::Streamed(_) => "upto, streamed",
        }
    }

    /// The token that moves.
    pub(crate) const fn token(self) -> Address {
        match self {
            Self::Permitting => PERMITTING,
            Self::Wrapped => WRAPPED,
            _ => USDC,
        }
    }

    pub(crate) const fn is_metered(self) -> bool {
        matches!(self, Self::Upto(_) | Self::Streamed(_))
    }

    pub(crate) const fn is_streamed(self) -> bool {
        matches!(self, Self::Streamed(_))
    }

    /// Whether the payment can bring the approval of Permit2 along as a signed permit.
    pub(crate) const fn takes_permits(self) -> bool {
        !matches!(self, Self::Signed | Self::Wrapped)
    }
}

/// Checks that a seller asks for a call to be paid by its means through Permit2: the price, or a ceiling above it.
///
/// # Errors
/// What it asked for instead.
pub(crate) async fn check_offer(origin: &str, call: &Call) -> Result<(), String> {
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.map_err(|e| e.to_string())?;
    let method = call.method.parse().expect("a method");
    let mut request = client.request(method, format!("{origin}{}", call.path));
    if let Some(body) = call.body {
        request = request
            .header("content-type", "application/json")
            .body(body);
    }
    let answer = request.send().await.map_err(|e| e.to_string())?;
    let header = answer.headers().get("payment-required");
    let header = header.and_then(|value| value.to_str().ok());
    let terms = header.and_then(decode).unwrap_or_default();
    let (scheme, amount) = match call.means {
        Means::Upto(ceiling) | Means::Streamed(ceiling) => ("upto", ceiling),
        _ => ("exact", call.price),
    };
    let token = call.means.token().to_checksum(None);
    let holds = |offer: &Value| {
        offer["scheme"] == scheme
            && offer["asset"] == *token
            && offer["amount"] == *amount.to_string()
            && offer["extra"]["assetTransferMethod"] == "permit2"
            && offer["extra"]["facilitatorAddress"].is_string() == call.means.is_metered()
    };
    let offered = terms["accepts"]
        .as_array()
        .is_some_and(|all| all.iter().any(holds));
    if offered && (amount > call.price) == call.means.is_metered() {
        return Ok(());
    }
    Err(format!("{scheme} for {amount} is not offered: {terms}"))
}
