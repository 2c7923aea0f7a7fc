//! The one set of terms that every target sells at, and payments that fit it: each with a nonce of its own, signed in advance.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, B256, U256, address, hex, keccak256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use serde_json::json;
use x402_model::evm::{Authorization, DomainSeparator, Eip712Domain};

/// CAIP-2 network of the terms.
pub const NETWORK: &str = "eip155:84532";
/// The test USDC of that network.
pub const ASSET: Address = address!("036CbD53842c5426634e7929541eC2318f3dCF7e");
/// Who is paid.
pub const PAY_TO: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
/// Price of a call in atomic units.
pub const AMOUNT: u64 = 10_000;
/// How long a payment may be valid, in seconds.
pub const TIMEOUT_SECONDS: u64 = 300;

/// How many buyers share the payments.
const BUYERS: u8 = 16;

/// The EIP-712 domain of the token, hashed.
pub fn separator() -> DomainSeparator {
    Eip712Domain {
        name: "USDC".to_owned(),
        version: "2".to_owned(),
        chain_id: 84_532,
        verifying_contract: ASSET,
    }
    .separator()
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

/// The entry of `accepts` as JSON text.
pub fn accepted() -> serde_json::Value {
    json!({
        "scheme": "exact",
        "network": NETWORK,
        "amount": AMOUNT.to_string(),
        "asset": ASSET.to_checksum(None),
        "payTo": PAY_TO.to_checksum(None),
        "maxTimeoutSeconds": TIMEOUT_SECONDS,
        "extra": {"name": "USDC", "version": "2"},
    })
}

struct Buyer {
    key: SecretKey,
    address: Address,
}

/// Makes payments, each with a nonce that no other has.
pub struct Signer {
    separator: DomainSeparator,
    accepted: serde_json::Value,
    buyers: Vec<Buyer>,
    salt: [u8; 8],
    count: usize,
}

impl Signer {
    /// With the keys of all buyers.
    pub fn new() -> Self {
        let buyer = |byte| {
            let key = SecretKey::from_secret_bytes([byte; 32]).ok()?;
            let point = key.public_key().serialize_uncompressed();
            let address = Address::from_word(keccak256(&point[1..]));
            Some(Buyer { key, address })
        };
        Self {
            separator: separator(),
            accepted: accepted(),
            buyers: (1..=BUYERS).filter_map(buyer).collect(),
            salt: now().to_be_bytes(),
            count: 0,
        }
    }

    /// A whole HTTP request for `path` with a payment.
    pub fn request(&mut self, path: &str) -> Vec<u8> {
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let number = NONCE.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let buyer = &self.buyers[self.count % self.buyers.len()];
        self.count += 1;
        let valid_before = now() + TIMEOUT_SECONDS;
        let authorization = Authorization {
            from: buyer.address,
            to: PAY_TO,
            value: U256::from(AMOUNT),
            valid_after: U256::ZERO,
            valid_before: U256::from(valid_before),
            nonce: keccak256([self.salt, number].concat()),
        };
        let signature = signature(authorization.digest(&self.separator), &buyer.key);
        let payload = json!({
            "x402Version": 2,
            "accepted": self.accepted,
            "payload": {
                "signature": hex::encode_prefixed(signature),
                "authorization": {
                    "from": buyer.address.to_checksum(None),
                    "to": PAY_TO.to_checksum(None),
                    "value": AMOUNT.to_string(),
                    "validAfter": "0",
                    "validBefore": valid_before.to_string(),
                    "nonce": authorization.nonce.to_string(),
                },
            },
            "resource": {"url": format!("http://127.0.0.1{path}"), "mimeType": "application/json"},
        });
        let header = STANDARD.encode(payload.to_string());
        request(path, &format!("PAYMENT-SIGNATURE: {header}\r\n"))
    }
}

/// `count` payments for `path`, signed on two threads.
pub fn paid_requests(path: &str, count: usize) -> Vec<Vec<u8>> {
    let sign = |count| {
        let mut signer = Signer::new();
        (0..count).map(|_| signer.request(path)).collect()
    };
    let half = count / 2;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| sign(half));
        let mut all: Vec<Vec<u8>> = sign(count - half);
        all.extend(first.join().unwrap_or_default());
        all
    })
}

fn signature(digest: B256, key: &SecretKey) -> [u8; 65] {
    let message = Message::from_digest(digest.0);
    let (id, compact) =
        RecoverableSignature::sign_ecdsa_recoverable(message, key).serialize_compact();
    let mut bytes = [27 + id.to_u8(); 65];
    bytes[..64].copy_from_slice(&compact);
    bytes
}

/// A GET as a common client sends it.
pub fn request(path: &str, more: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: bench\r\n{more}\r\n"
    )
    .into_bytes()
}
