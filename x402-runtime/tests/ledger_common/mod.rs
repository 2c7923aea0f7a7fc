//! Payments for the tests of the ledger.

use alloy_primitives::{Address, B256, U256};
use serde_json::json;
use x402_runtime::facilitator::FacilitatorRequest;
use x402_runtime::ledger::{Fingerprint, NewPayment, PaymentKey};
use x402_runtime::model::money::AtomicAmount;
use x402_runtime::model::network::Network;

/// When payments are reserved, unix milliseconds.
pub(crate) const START_MS: u64 = 1_700_000_000_000;

/// Their `validBefore`, unix seconds.
#[allow(
    dead_code,
    reason = "not every test that shares these payments looks at it"
)]
pub(crate) const VALID_BEFORE: u64 = START_MS / 1000 + 300;

/// The `n`th payment, presented by `owner`. Its request is about as long as a real one.
pub(crate) fn payment(n: u64, owner: u64) -> NewPayment {
    let signature = format!("0x{}", "ab".repeat(65));
    let requirements = json!({
        "scheme": "exact", "network": "eip155:84532", "amount": "10000", "asset": Address::repeat_byte(0xaa).to_string(),
        "payTo": Address::repeat_byte(0xcc).to_string(), "maxTimeoutSeconds": 300, "extra": { "name": "USDC", "version": "2" },
    });
    let nonce = B256::from(U256::from(n));
    NewPayment {
        key: PaymentKey {
            network: Network::evm(84_532),
            asset: Address::repeat_byte(0xaa),
            payer: Address::repeat_byte(0xbb),
            nonce,
        },
        fingerprint: Fingerprint([7; 32]),
        endpoint: "weather".into(),
        amount: AtomicAmount::from_u128(10_000),
        pay_to: Address::repeat_byte(0xcc),
        valid_before: VALID_BEFORE,
        request: FacilitatorRequest {
            x402_version: 2,
            payload: json!({
                "x402Version": 2,
                "resource": { "url": "https://api.example.com/weather/paris", "mimeType": "application/json" },
                "accepted": requirements,
                "payload": {
                    "signature": signature,
                    "authorization": {
                        "from": Address::repeat_byte(0xbb).to_string(), "to": Address::repeat_byte(0xcc).to_string(), "value": "10000",
                        "validAfter": "0", "validBefore": VALID_BEFORE.to_string(), "nonce": nonce.to_string(),
                    },
                },
            })
            .into(),
            requirements: requirements.into(),
        },
        owner,
        lease_until_ms: START_MS + 30_000,
        now_ms: START_MS,
    }
}
