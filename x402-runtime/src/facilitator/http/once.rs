//! The key under which all settle calls about one payment are one operation.

use alloy_primitives::hex;
use http::header::HeaderValue;
use serde_json::Value;
use sha2::{Digest, Sha256};
use x402_model::evm::{Authorization, ExactEvmPayload};

use super::asked::Token;
use crate::facilitator::FacilitatorRequest;

/// The `Idempotency-Key` of a payment's settle calls, whatever spelling the payment came in; `signed` is what was read of it
/// already.
pub(super) fn key(
    request: &FacilitatorRequest,
    token: &Token<'_>,
    signed: Option<Authorization>,
) -> Option<HeaderValue> {
    let mut hash = Sha256::new();
    let [network, asset] =
        [&token.network, &token.asset].map(|text| text.as_deref().unwrap_or_default());
    let mut named = ["x402 settle", network, asset, ""].join("\n");
    named.make_ascii_lowercase();
    hash.update(named);
    match signed.map_or_else(|| authorization(request), Ok) {
        Ok(authorization) => {
            hash.update(authorization.from);
            hash.update(authorization.nonce);
        }
        // Another scheme: its data as they are.
        Err(scheme_data) => hash.update(scheme_data.to_string()),
    }
    HeaderValue::try_from(hex::encode(hash.finalize())).ok()
}

/// What a payment by EIP-3009 signs; the scheme data of any other.
fn authorization(request: &FacilitatorRequest) -> Result<Authorization, Value> {
    let mut payload = request.payload.to_value();
    let scheme_data = payload.get_mut("payload").map_or(Value::Null, Value::take);
    match ExactEvmPayload::parse(&scheme_data) {
        Ok(exact) => Ok(exact.authorization),
        Err(_) => Err(scheme_data),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use x402_model::wire::PlainPayment;

    use super::super::asked::Asked;
    use super::*;

    fn payment(from: &str, value: &str) -> Value {
        json!({
            "signature": "0x01",
            "authorization": {
                "from": from, "to": from, "value": value, "validAfter": "0", "validBefore": "9",
                "nonce": format!("0x{}", "07".repeat(32)),
            },
        })
    }

    fn key_for(from: &str, value: &str, asset: &str) -> String {
        key_of(json!({ "payload": payment(from, value) }), asset)
    }

    fn key_of(payload: Value, asset: &str) -> String {
        let request = FacilitatorRequest {
            x402_version: 2,
            payload: payload.into(),
            requirements: json!({ "network": "eip155:84532", "asset": asset }).into(),
        };
        let key = Asked::of(&request).key.unwrap();
        key.to_str().unwrap().to_owned()
    }

    #[test]
    fn f07_the_key_is_the_payment_in_any_spelling() {
        let (a, b) = (
            format!("0x{}", "ab".repeat(20)),
            format!("0x{}", "cd".repeat(20)),
        );
        let first = key_for(&a, "10", &b);
        assert_eq!(first.len(), 64);
        assert_eq!(
            first,
            key_for(&a.replace("ab", "AB"), "0xa", &b.replace("cd", "CD"))
        );
        let plain = json!({
            "x402Version": 2,
            "accepted": {
                "scheme": "exact", "network": "eip155:84532", "amount": "10", "asset": b, "payTo": a, "maxTimeoutSeconds": 60,
            },
            "payload": payment(&a, "10"),
        });
        assert!(PlainPayment::read(&plain.to_string()).is_some());
        assert_eq!(first, key_of(plain, &b), "read without a tree");
        assert_ne!(first, key_for(&b, "10", &b), "another payer");
        assert_ne!(first, key_for(&a, "10", &a), "another asset");
    }
}
