//! The body of verify and settle calls.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use x402_model::evm::ExactEvmPayload;

use crate::facilitator::{FacilitatorError, FacilitatorRequest};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    x402_version: u8,
    payment_payload: Cow<'a, Value>,
    payment_requirements: &'a Value,
}

/// Writes a request for a provider. The payment is as the buyer sent it, except for the spelling of what was signed: addresses
/// get their checksum, numbers are decimal.
///
/// Some buyers leave the checksum out. A provider that is built on web3 for Python refuses such a payment only after it has
/// counted a nonce of its own for it, and from then on nothing that it sends is mined. A signature covers values, not their
/// spelling.
///
/// # Errors
/// When the request cannot be written.
pub(super) fn encode(request: &FacilitatorRequest) -> Result<Bytes, FacilitatorError> {
    let body = Body {
        x402_version: request.x402_version,
        payment_payload: spelt(&request.payload),
        payment_requirements: &request.requirements,
    };
    serde_json::to_vec(&body)
        .map(Bytes::from)
        .map_err(|_| FacilitatorError::BadAnswer("the request cannot be written".to_owned()))
}

fn spelt(payload: &Value) -> Cow<'_, Value> {
    let Some(sent) = payload.get("payload") else {
        return Cow::Borrowed(payload);
    };
    let Ok(read) = ExactEvmPayload::parse(sent) else {
        return Cow::Borrowed(payload);
    };
    let mut spelt = Cow::Borrowed(payload);
    if let Value::Object(canonical) = read.to_json() {
        for (member, value) in canonical {
            if sent.get(&member) != Some(&value)
                && let Some(place) = spelt.to_mut().get_mut("payload")
                && let Some(place) = place.get_mut(&member)
            {
                *place = value;
            }
        }
    }
    spelt
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(payload: Value) -> Value {
        let request = FacilitatorRequest {
            x402_version: 2,
            payload,
            requirements: json!({"payTo": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"}),
        };
        serde_json::from_slice(&encode(&request).unwrap()).unwrap()
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
