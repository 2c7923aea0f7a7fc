//! A buyer that reads terms and signs payments, right or wrong on purpose.

use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use serde_json::{Value, json};
use x402_runtime::model::asset::{checksum, parse_address};
use x402_runtime::model::evm::{Authorization, Eip712Domain, ExactEvmPayload, Signature};
use x402_runtime::model::extension::SignIn;
use x402_runtime::model::extension::siwx::{Challenge, personal_hash};
use x402_runtime::model::network::Network;
use x402_runtime::model::wire::{PaymentRequired, PaymentRequirements, headers};

static NONCES: AtomicU64 = AtomicU64::new(1);

/// What to do differently from an honest buyer. Everything is signed after the change.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub to: Option<Address>,
    pub value: Option<U256>,
    pub valid_after: Option<u64>,
    pub valid_before: Option<U256>,
    pub nonce: Option<B256>,
    /// Signs for somebody else.
    pub from: Option<Address>,
}

pub struct Buyer {
    key: SecretKey,
    pub address: Address,
}

impl Buyer {
    pub fn new(seed: u8) -> Self {
        let key = SecretKey::from_secret_bytes([seed; 32]).unwrap();
        let point = key.public_key().serialize_uncompressed();
        Self {
            key,
            address: Address::from_word(keccak256(&point[1..])),
        }
    }

    /// A payment for the first offer, valid from `now`.
    pub fn pay(&self, terms: &PaymentRequired, now: u64) -> String {
        self.pay_with(terms, now, &Change::default())
    }

    pub fn pay_with(&self, terms: &PaymentRequired, now: u64, change: &Change) -> String {
        encode(&self.payment(terms, now, change))
    }

    /// The payment as JSON, to be spoilt.
    pub fn payment(&self, terms: &PaymentRequired, now: u64, change: &Change) -> Value {
        let offer = &terms.accepts[0];
        let view = offer.view().unwrap();
        let count = NONCES.fetch_add(1, Ordering::Relaxed);
        let authorization = Authorization {
            from: change.from.unwrap_or(self.address),
            to: change
                .to
                .unwrap_or_else(|| parse_address(&view.pay_to).unwrap()),
            value: change.value.unwrap_or_else(|| view.amount.parse().unwrap()),
            valid_after: U256::from(change.valid_after.unwrap_or(0)),
            valid_before: change
                .valid_before
                .unwrap_or_else(|| U256::from(now + view.max_timeout_seconds)),
            nonce: change
                .nonce
                .unwrap_or_else(|| keccak256(count.to_be_bytes())),
        };
        let payload = ExactEvmPayload {
            signature: self.sign(view, &authorization),
            authorization,
        };
        json!({
            "x402Version": 2,
            "resource": terms.resource,
            "accepted": offer.value(),
            "payload": payload.to_json(),
        })
    }

    fn sign(&self, view: &PaymentRequirements, authorization: &Authorization) -> Signature {
        let text = |key: &str| view.extra[key].as_str().unwrap().to_owned();
        let network: Network = view.network.parse().unwrap();
        let domain = Eip712Domain {
            name: text("name"),
            version: text("version"),
            chain_id: network.chain_id().unwrap(),
            verifying_contract: parse_address(&view.asset).unwrap(),
        };
        let message = Message::from_digest(authorization.digest(&domain.separator()).0);
        let (id, compact) =
            RecoverableSignature::sign_ecdsa_recoverable(message, &self.key).serialize_compact();
        let mut bytes = compact.to_vec();
        bytes.push(27 + id.to_u8());
        Signature::new(bytes).unwrap()
    }

    /// A signed answer to the challenge of these terms: what `SIGN-IN-WITH-X` takes.
    pub fn sign_in(&self, terms: &PaymentRequired) -> String {
        let challenge = Challenge::read(terms.extensions.as_ref()).expect("a challenge");
        let message = challenge
            .message(&challenge.supported_chains[0], &self.checksum())
            .unwrap();
        let digest = Message::from_digest(personal_hash(&message.text().unwrap()).0);
        let (id, compact) =
            RecoverableSignature::sign_ecdsa_recoverable(digest, &self.key).serialize_compact();
        let sign_in = SignIn {
            message,
            signature: format!("0x{}{:02x}", hex::encode(compact), 27 + id.to_u8()),
            signature_scheme: None,
        };
        sign_in.to_header().unwrap()
    }

    pub fn checksum(&self) -> String {
        checksum(self.address)
    }
}

pub fn encode(payment: &Value) -> String {
    headers::encode(payment).unwrap()
}

pub fn hex_of(bytes: &[u8]) -> String {
    hex::encode_prefixed(bytes)
}
