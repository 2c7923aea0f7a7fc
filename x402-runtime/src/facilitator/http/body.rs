//! The body of verify and settle calls.

use bytes::Bytes;
use serde_json::Value;
use x402_model::evm::ExactEvmPayload;
use x402_model::wire::PlainPayment;

use crate::facilitator::FacilitatorRequest;

/// Writes a request for a provider; `plain` is its payment, if it could be read without a tree. The payment is as the buyer sent it, except for the spelling of what was signed: addresses
/// get their checksum, numbers are decimal.
///
/// Some buyers leave the checksum out. A provider that is built on web3 for Python refuses such a payment only after it has
/// counted a nonce of its own for it, and from then on nothing that it sends is mined. A signature covers values, not their
/// spelling.
pub(super) fn encode(request: &FacilitatorRequest, plain: Option<&PlainPayment<'_>>) -> Bytes {
    // Most buyers write it so that there is nothing to respell.
    if plain.is_some_and(PlainPayment::is_canonical) {
        return request.to_json().into();
    }
    let mut payload = request.payload.to_value();
    spell(&mut payload);
    let request = FacilitatorRequest {
        payload: payload.into(),
        ..request.clone()
    };
    request.to_json().into()
}

/// Respells an `exact` payment on an EVM chain. Anything else stays as it came.
fn spell(payment: &mut Value) {
    let Some(sent) = payment.get_mut("payload") else {
        return;
    };
    let Ok(read) = ExactEvmPayload::parse(sent) else {
        return;
    };
    if let Value::Object(canonical) = read.to_json() {
        for (member, value) in canonical {
            if let Some(place) = sent.get_mut(&member) {
                *place = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_spelt_well(payload: &Value) -> bool {
        PlainPayment::read(&payload.to_string()).is_some_and(|plain| plain.is_canonical())
    }

    fn sent(payload: Value) -> Value {
        let request = FacilitatorRequest {
            x402_version: 2,
            payload: payload.into(),
            requirements: json!({"payTo": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"}).into(),
        };
        let plain = PlainPayment::read(request.payload.as_str());
        serde_json::from_slice(&encode(&request, plain.as_ref())).unwrap()
    }

    fn authorization(from: &str, to: &str) -> Value {
        json!({
            "from": from,
            "to": to,
            "value": "10000",
            "validAfter": "0",
            "validBefore": "1790000300",
            "nonce": format!("0x{}", "ab".repeat(32)),
        })
    }

    /// x402-reqwest 2.0 writes such payers, and the Python facilitator 2.25 ends with them.
    #[test]
    fn a_payer_without_checksum_is_spelt_with_it_and_the_rest_is_kept() {
        let good = authorization(
            "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        );
        let payment = |authorization: &Value| {
            json!({
                "accepted": {"payTo": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"},
                "payload": {
                    "authorization": authorization,
                    "signature": format!("0x{}", "cd".repeat(65)),
                    "more": "kept",
                },
            })
        };
        for from in [
            "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
            "0xF39fd6e51aad88f6f4ce6ab8827279cfffb92266",
            "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        ] {
            let to = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
            let body = sent(payment(&authorization(from, to)));
            let expected = json!({
                "x402Version": 2,
                "paymentPayload": payment(&good),
                "paymentRequirements": {"payTo": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"},
            });
            assert_eq!(body, expected);
        }
    }

    /// Reading without a tree must only skip what would stay as it is.
    #[test]
    fn whatever_is_passed_on_untouched_needs_no_respelling() {
        let good = authorization(
            "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        );
        let payment = json!({
            "x402Version": 2,
            "accepted": {
                "scheme": "exact", "network": "eip155:84532", "amount": "10000", "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
                "payTo": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "maxTimeoutSeconds": 300,
            },
            "payload": {"authorization": good, "signature": format!("0x{}", "cd".repeat(65))},
        });
        assert!(is_spelt_well(&payment));
        for (member, odd) in [
            ("from", json!("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")),
            ("to", json!("0x70997970c51812dc3a010c7d01b50e0d17dc79c8")),
            ("value", json!(10000)),
            ("value", json!("0x2710")),
            ("value", json!("010000")),
            ("value", json!("")),
            ("validAfter", json!("00")),
            ("validBefore", json!(1_790_000_300)),
            ("nonce", json!(format!("0x{}", "AB".repeat(32)))),
        ] {
            let mut changed = payment.clone();
            changed["payload"]["authorization"][member] = odd.clone();
            let mut spelt = changed.clone();
            spell(&mut spelt);
            let untouched = is_spelt_well(&changed);
            assert!(!untouched || spelt == changed, "{member}: {odd}");
            if ExactEvmPayload::parse(&changed["payload"]).is_ok() {
                assert_eq!(sent(changed)["paymentPayload"], payment, "{member}: {odd}");
            }
        }
    }

    #[test]
    fn what_is_no_evm_payment_is_sent_as_it_came() {
        for payload in [
            json!({"transaction": "AQAB"}),
            json!({"authorization": {"from": "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"}}),
            json!("none"),
        ] {
            let payload = json!({ "payload": payload });
            assert_eq!(sent(payload.clone())["paymentPayload"], payload);
        }
        assert_eq!(sent(json!(7))["paymentPayload"], json!(7));
    }
}
