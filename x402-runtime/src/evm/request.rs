//! Reads the parts of a facilitator request that do not depend on how the money moves.

use alloy_primitives::{Address, U256};
use serde_json::{Map, Value};
use x402_model::evm::address::read_address;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

use crate::evm::reason::{self, Refusal, Stop, refuse};
use crate::facilitator::FacilitatorRequest;

/// A request whose version is known and whose parts are objects.
pub(crate) struct Parts<'a> {
    pub(crate) version: u8,
    /// The whole payment payload.
    pub(crate) payment: &'a Map<String, Value>,
    /// What the buyer chose: `accepted` in version 2, the payload's own top level in version 1.
    pub(crate) chosen: &'a Map<String, Value>,
    /// The payment requirements.
    pub(crate) terms: &'a Map<String, Value>,
}

impl<'a> Parts<'a> {
    pub(crate) fn read(
        request: &FacilitatorRequest,
        payment: &'a Value,
        terms: &'a Value,
    ) -> Result<Self, Stop> {
        let (Some(payment), Some(terms)) = (payment.as_object(), terms.as_object()) else {
            return refuse(
                reason::INVALID_PAYLOAD,
                "payload and requirements must be objects",
            );
        };
        let version = version(request, payment)?;
        Ok(Self {
            version,
            payment,
            chosen: chosen(version, payment)?,
            terms,
        })
    }

    /// The scheme data.
    pub(crate) fn payload(&self) -> &'a Value {
        self.payment.get("payload").unwrap_or(&Value::Null)
    }

    /// `extra` of the terms.
    pub(crate) fn extra(&self) -> Option<&'a Map<String, Value>> {
        self.terms.get("extra").and_then(Value::as_object)
    }

    /// The schemes that the buyer chose and that the terms ask for.
    pub(crate) fn schemes(&self) -> (Option<&'a str>, Option<&'a str>) {
        (text(self.chosen, "scheme"), text(self.terms, "scheme"))
    }

    /// How the terms want the token moved, if they say it.
    pub(crate) fn method(&self) -> Option<&'a str> {
        self.extra()
            .and_then(|extra| text(extra, "assetTransferMethod"))
    }

    /// Fails unless both sides name this chain; `mismatch` is the code for two different names.
    pub(crate) fn check_network(&self, chain_id: u64, mismatch: &'static str) -> Result<(), Stop> {
        let (chosen, wanted) = (text(self.chosen, "network"), text(self.terms, "network"));
        if chosen.is_none() || chosen != wanted {
            return refuse(mismatch, "payload and requirements name different networks");
        }
        let parsed = match (self.version, wanted) {
            (1, Some(name)) => Network::from_short_name(name),
            (_, Some(name)) => name.parse().ok(),
            _ => None,
        };
        match parsed.as_ref().and_then(Network::chain_id) {
            Some(id) if id == chain_id => Ok(()),
            _ => refuse(
                reason::INVALID_NETWORK,
                "this facilitator does not serve the network",
            ),
        }
    }
}

/// A member that is text.
pub(crate) fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str)
}

/// The version that the payload and the request agree on.
fn version(request: &FacilitatorRequest, payload: &Map<String, Value>) -> Result<u8, Stop> {
    let named = payload
        .get("x402Version")
        .and_then(Value::as_u64)
        .and_then(|version| u8::try_from(version).ok());
    match named {
        Some(version @ (1 | 2)) if version == request.x402_version => Ok(version),
        _ => refuse(
            reason::INVALID_VERSION,
            "x402Version must be 1 or 2, the same in request and payload",
        ),
    }
}

fn chosen(version: u8, payload: &Map<String, Value>) -> Result<&Map<String, Value>, Stop> {
    if version == 1 {
        return Ok(payload);
    }
    match payload.get("accepted").and_then(Value::as_object) {
        Some(accepted) => Ok(accepted),
        None => refuse(reason::INVALID_PAYLOAD, "accepted is missing"),
    }
}

/// What the terms ask for.
pub(crate) struct Terms {
    pub(crate) asset: Address,
    pub(crate) pay_to: Address,
    pub(crate) amount: U256,
}

impl Terms {
    pub(crate) fn read(parts: &Parts<'_>) -> Result<Self, Stop> {
        let amount_key = if parts.version == 1 {
            "maxAmountRequired"
        } else {
            "amount"
        };
        let terms = parts.terms;
        let address = |key| text(terms, key).and_then(read_address);
        let amount = text(terms, amount_key).and_then(|text| text.parse::<AtomicAmount>().ok());
        match (address("asset"), address("payTo"), amount) {
            (Some(asset), Some(pay_to), Some(amount)) => Ok(Self {
                asset,
                pay_to,
                amount: amount.get(),
            }),
            _ => refuse(
                reason::INVALID_REQUIREMENTS,
                "asset, payTo or amount is malformed",
            ),
        }
    }
}

/// The parts of the answer that only echo the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Echo {
    pub(crate) payer: Option<String>,
    pub(crate) network: String,
    /// What is charged, where the terms do not already say so.
    pub(crate) amount: Option<String>,
}

impl Echo {
    /// What the answer repeats, bounded and only if it looks like what it should be.
    pub(crate) fn read(request: &FacilitatorRequest, own: &Network) -> Self {
        let payer = request.payer().filter(|text| looks_like_hex(text));
        let network = if request.x402_version == 1 {
            own.short_name().map(str::to_owned)
        } else {
            None
        };
        Self {
            payer,
            network: network.unwrap_or_else(|| own.to_string()),
            amount: None,
        }
    }
}

fn looks_like_hex(text: &str) -> bool {
    text.len() <= 42
        && text
            .strip_prefix("0x")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A refusal with a code and words for the log.
pub(crate) fn refusal(reason: &'static str, message: impl Into<String>) -> Stop {
    Stop::Refused(Refusal::new(reason, message))
}
