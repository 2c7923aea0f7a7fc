//! The key under which all settle calls about one payment are one operation.

use http::header::{HeaderMap, HeaderValue};
use serde_json::Value;
use sha2::{Digest, Sha256};
use x402_model::evm::ExactEvmPayload;

use crate::facilitator::FacilitatorRequest;

/// The `Idempotency-Key` header of a payment's settle calls, whatever spelling the payment came in.
pub(super) fn headers(request: &FacilitatorRequest) -> HeaderMap {
    let mut hash = Sha256::new();
    hash.update(b"x402 settle\n");
    let (payload, requirements) = (request.payload.to_value(), request.requirements.to_value());
    for term in ["network", "asset"] {
        let text = requirements.get(term).and_then(Value::as_str);
        hash.update(text.unwrap_or_default().to_ascii_lowercase());
        hash.update(b"\n");
    }
    let scheme_data = payload.get("payload").unwrap_or(&Value::Null);
    match ExactEvmPayload::parse(scheme_data) {
        Ok(payload) => {
            hash.update(payload.authorization.from);
            hash.update(payload.authorization.nonce);
        }
        // Another scheme: its data as they are.
        Err(_) => hash.update(scheme_data.to_string()),
    }
    let key: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let key = HeaderValue::from_str(&key).map(|key| ("idempotency-key", key));
    let mut headers = HeaderMap::new();
    if let Ok((name, key)) = key {
        headers.insert(name, key);
    }
    headers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(from: &str, value: &str, asset: &str) -> String {
        let request = FacilitatorRequest {
            x402_version: 2,
            payload: json!({ "payload": {
                "signature": "0x01",
                "authorization": {
                    "from": from, "to": from, "value": value, "validAfter": "0", "validBefore": "9",
                    "nonce": format!("0x{}", "07".repeat(32)),
                },
            } })
            .into(),
            requirements: json!({ "network": "eip155:84532", "asset": asset }).into(),
        };
        let headers = headers(&request);
        headers["idempotency-key"].to_str().unwrap().to_owned()
    }

    #[test]
    fn f07_the_key_is_the_payment_in_any_spelling() {
        let (a, b) = (
            format!("0x{}", "ab".repeat(20)),
            format!("0x{}", "cd".repeat(20)),
        );
        let first = key(&a, "10", &b);
        assert_eq!(first.len(), 64);
        assert_eq!(
            first,
            key(&a.replace("ab", "AB"), "0xa", &b.replace("cd", "CD"))
        );
        assert_ne!(first, key(&b, "10", &b), "another payer");
        assert_ne!(first, key(&a, "10", &a), "another asset");
    }
}
