//! What the settle calls about one payment say, read from it once.

use std::borrow::Cow;

use alloy_primitives::{Address, hex};
use bytes::Bytes;
use http::header::HeaderValue;
use serde::Deserialize;
use serde_json::Value;
use x402_model::asset::parse_address;
use x402_model::network::Network;
use x402_model::wire::{PlainPayment, RawJson};

use super::{body, once};
use crate::facilitator::FacilitatorRequest;

/// A settlement that a provider is asked for.
pub(super) struct Asked<'a> {
    request: &'a FacilitatorRequest,
    /// The body of its calls.
    pub(super) body: Bytes,
    /// Their `Idempotency-Key`.
    pub(super) key: Option<HeaderValue>,
    network: Option<Cow<'a, str>>,
    /// Who pays, if the payment is in the spelling that most buyers use.
    payer: Option<Address>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(request: &'a FacilitatorRequest) -> Self {
        let plain = PlainPayment::read(request.payload.as_str());
        let signed = plain.as_ref().and_then(PlainPayment::exact);
        let signed = signed.map(|exact| exact.authorization);
        let payer = signed.as_ref().map(|authorization| authorization.from);
        let token = Token::of(&request.requirements);
        Self {
            request,
            body: body::encode(request, plain.as_ref()),
            key: once::key(request, &token, signed),
            network: token.network,
            payer,
        }
    }

    /// Whether this is a name of the network that was asked for.
    pub(super) fn is_on(&self, said: &str) -> bool {
        let network = self.network.as_deref().map(Network::parse_any);
        match (network, Network::parse_any(said)) {
            (Some(Ok(asked)), Ok(said)) => asked == said,
            _ => false,
        }
    }

    /// Whether this is who pays. Nobody is wrong when the payment names none.
    pub(super) fn is_paid_by(&self, said: &str) -> bool {
        if self.payer.is_some_and(|payer| is_spelt(&payer, said)) {
            return true;
        }
        let Some(asked) = self.request.payer() else {
            return true;
        };
        match (parse_address(&asked), parse_address(said)) {
            (Ok(asked), Ok(said)) => asked == said,
            _ => asked.eq_ignore_ascii_case(said),
        }
    }
}

/// Whether a text is this address in some mixture of cases.
fn is_spelt(address: &Address, text: &str) -> bool {
    let mut digits = [0; 2 * Address::len_bytes()];
    hex::encode_to_slice(address, &mut digits).is_ok()
        && text
            .strip_prefix("0x")
            .is_some_and(|said| said.as_bytes().eq_ignore_ascii_case(&digits))
}

/// What is paid with, as the terms spell it.
pub(super) struct Token<'a> {
    pub(super) network: Option<Cow<'a, str>>,
    pub(super) asset: Option<Cow<'a, str>>,
}

impl<'a> Token<'a> {
    fn of(terms: &'a RawJson) -> Self {
        if let Some(Known { network, asset }) = terms.read() {
            return Self {
                network: Some(network),
                asset: Some(asset),
            };
        }
        let terms = terms.to_value();
        let text = |term: &str| {
            let text = terms.get(term).and_then(Value::as_str)?;
            Some(Cow::Owned(text.to_owned()))
        };
        Self {
            network: text("network"),
            asset: text("asset"),
        }
    }
}

#[derive(Deserialize)]
struct Known<'a> {
    #[serde(borrow)]
    network: Cow<'a, str>,
    #[serde(borrow)]
    asset: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PAYER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

    fn plain(from: &str) -> FacilitatorRequest {
        let payload = json!({
            "x402Version": 2,
            "accepted": {
                "scheme": "exact", "network": "eip155:84532", "amount": "10", "asset": PAYER, "payTo": PAYER,
                "maxTimeoutSeconds": 60,
            },
            "payload": {
                "signature": "0x01",
                "authorization": {
                    "from": from, "to": PAYER, "value": "10", "validAfter": "0", "validBefore": "9",
                    "nonce": format!("0x{}", "07".repeat(32)),
                },
            },
        });
        assert!(PlainPayment::read(&payload.to_string()).is_some());
        FacilitatorRequest {
            x402_version: 2,
            payload: payload.into(),
            requirements: json!({ "network": "eip155:84532", "asset": PAYER }).into(),
        }
    }

    #[test]
    fn a_payer_is_the_same_in_any_case() {
        let lower = PAYER.to_ascii_lowercase();
        let upper = format!("0x{}", PAYER[2..].to_ascii_uppercase());
        let other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
        for from in [PAYER, &lower, &upper] {
            let plain = plain(from);
            let asked = Asked::of(&plain);
            assert_eq!(asked.payer, Some(PAYER.parse().unwrap()));
            for said in [PAYER, &lower, &upper] {
                assert!(asked.is_paid_by(said), "{from} {said}");
            }
            for said in [other, "", "0x", &lower[2..], &lower[..41]] {
                assert!(!asked.is_paid_by(said), "{from} {said}");
            }
        }
    }

    #[test]
    fn a_network_is_the_same_by_any_of_its_names() {
        let plain = plain(PAYER);
        let asked = Asked::of(&plain);
        assert!(asked.is_on("eip155:84532") && asked.is_on("base-sepolia"));
        assert!(!asked.is_on("eip155:8453") && !asked.is_on(""));
        let nowhere = FacilitatorRequest {
            requirements: json!({ "asset": PAYER }).into(),
            ..plain.clone()
        };
        assert!(!Asked::of(&nowhere).is_on("eip155:84532"));
    }
}
