//! The declaration in a 402: what a seller asks to be signed, and how a buyer reads it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::check::Origin;
use super::error::Unreadable;
use super::message::{SignInMessage, SignatureType};
use crate::extension::timestamp;

/// A chain whose accounts may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chain {
    /// CAIP-2 name.
    pub chain_id: String,
    /// How its accounts sign.
    #[serde(rename = "type")]
    pub kind: SignatureType,
}

impl Chain {
    /// The chain with this CAIP-2 name, if its accounts can sign in: `eip155:…` and `solana:…`.
    ///
    /// ```
    /// use x402_model::extension::siwx::Chain;
    /// assert!(Chain::new("eip155:8453").is_some());
    /// assert!(Chain::new("cosmos:hub").is_none());
    /// ```
    #[must_use]
    pub fn new(chain_id: &str) -> Option<Self> {
        let kind = match chain_id.split_once(':')? {
            ("eip155", _) => SignatureType::Eip191,
            ("solana", _) => SignatureType::Ed25519,
            _ => return None,
        };
        Some(Self {
            chain_id: chain_id.to_owned(),
            kind,
        })
    }
}

/// The `info` of a declaration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// Host, and port if the origin names one.
    pub domain: String,
    /// What is signed in to.
    pub uri: String,
    /// Always `1`.
    pub version: String,
    /// New for every 402.
    pub nonce: String,
    /// RFC 3339.
    pub issued_at: String,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration_time: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// An id of the seller's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// What else is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
}

/// A declaration as it arrives at a buyer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Challenge {
    /// What is to be signed.
    pub info: Info,
    /// By accounts of which chains. Chains of kinds that this crate does not know are left out.
    #[serde(deserialize_with = "known_chains")]
    pub supported_chains: Vec<Chain>,
}

fn known_chains<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Chain>, D::Error> {
    let all = Vec::<Value>::deserialize(deserializer)?;
    Ok(all
        .into_iter()
        .filter_map(|chain| serde_json::from_value(chain).ok())
        .collect())
}

impl Challenge {
    /// The declaration in the extensions of a 402, if there is one that can be read.
    #[must_use]
    pub fn read(extensions: Option<&Map<String, Value>>) -> Option<Self> {
        serde_json::from_value(extensions?.get(super::KEY)?.clone()).ok()
    }

    /// Whether everything that would be signed is about the origin that was called. A buyer signs nothing else: the message
    /// would let its sender in at somebody else's.
    #[must_use]
    pub fn is_for(&self, called: &Origin) -> bool {
        let info = &self.info;
        let mut resources = info.resources.iter().flatten();
        info.domain == called.domain()
            && called.covers(&info.uri)
            && resources.all(|uri| called.covers(uri))
    }

    /// The message that an account signs.
    ///
    /// # Errors
    /// [`Unreadable`] when the declaration holds what no message can.
    pub fn message(&self, chain: &Chain, address: &str) -> Result<SignInMessage, Unreadable> {
        let info = self.info.clone();
        let message = SignInMessage {
            domain: info.domain,
            address: address.to_owned(),
            statement: info.statement,
            uri: info.uri,
            version: info.version,
            chain_id: chain.chain_id.clone(),
            kind: chain.kind,
            nonce: info.nonce,
            issued_at: info.issued_at,
            expiration_time: info.expiration_time,
            not_before: info.not_before,
            request_id: info.request_id,
            resources: info.resources,
        };
        message.validate().map(|()| message)
    }
}

/// What a seller declares once: everything but what is new in every 402.
#[must_use]
pub fn declare(chains: &[Chain], statement: Option<&str>) -> Value {
    let mut info = Map::from_iter([("version".to_owned(), Value::from("1"))]);
    if let Some(statement) = statement {
        info.insert("statement".to_owned(), Value::from(statement));
    }
    json!({ "info": info, "supportedChains": chains, "schema": schema() })
}

/// What a seller puts under [`KEY`](super::KEY) in one 402, for the resource at `path` (with its query, if any).
///
/// `nonce` is 32 hex digits of randomness. The message expires `lifetime_ms` after `now_ms`.
#[must_use]
pub fn challenge(
    origin: &Origin,
    path: &str,
    chains: &[Chain],
    statement: Option<&str>,
    nonce: [u8; 16],
    now_ms: u64,
    lifetime_ms: u64,
) -> Value {
    let uri = format!("{}{path}", origin.as_str());
    let info = Info {
        domain: origin.domain().to_owned(),
        uri: uri.clone(),
        version: "1".to_owned(),
        nonce: format!("{:032x}", u128::from_be_bytes(nonce)),
        issued_at: timestamp::print(now_ms),
        expiration_time: Some(timestamp::print(now_ms.saturating_add(lifetime_ms))),
        not_before: None,
        request_id: None,
        statement: statement.map(str::to_owned),
        resources: Some(vec![uri]),
    };
    json!({ "info": info, "supportedChains": chains, "schema": schema() })
}

/// The JSON Schema of the header, as other implementations declare it.
fn schema() -> Value {
    let text = || json!({ "type": "string" });
    let uri = || json!({ "type": "string", "format": "uri" });
    let time = || json!({ "type": "string", "format": "date-time" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "domain": text(),
            "address": text(),
            "statement": text(),
            "uri": uri(),
            "version": text(),
            "chainId": text(),
            "type": text(),
            "nonce": text(),
            "issuedAt": time(),
            "expirationTime": time(),
            "notBefore": time(),
            "requestId": text(),
            "resources": { "type": "array", "items": uri() },
            "signature": text(),
        },
        "required": ["domain", "address", "uri", "version", "chainId", "type", "nonce", "issuedAt", "signature"],
    })
}
