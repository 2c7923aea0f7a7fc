//! The message that is signed, and its form in the request header.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Unreadable;
use crate::wire::headers;

/// Longest member of a message, in bytes.
const MAX_MEMBER: usize = 4096;

/// Most resources that a message lists.
const MAX_RESOURCES: usize = 32;

/// Shortest nonce of EIP-4361.
const MIN_NONCE: usize = 8;

/// What kind of key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureType {
    /// `personal_sign` of an EVM account.
    Eip191,
    /// Ed25519, as Solana accounts sign.
    Ed25519,
}

/// The content of a sign-in message, as it was written: times and addresses stay text, because it is text that is signed.
///
/// Every member is one line of printable characters, so that no member can be read as another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInMessage {
    /// Host, and port if the origin names one.
    pub domain: String,
    /// The account.
    pub address: String,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// What is signed in to.
    pub uri: String,
    /// Always `1`.
    pub version: String,
    /// CAIP-2 name of the chain.
    pub chain_id: String,
    /// What kind of key signs.
    #[serde(rename = "type")]
    pub kind: SignatureType,
    /// A random text that the seller accepts once.
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
    /// What else is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
}

/// A message and its signature: the content of the header.
///
/// Until its nonce is used, whoever holds it is let in, so `Debug` shows neither signature nor nonce.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// What was signed.
    #[serde(flatten)]
    pub message: SignInMessage,
    /// `0x` hex for EVM accounts, base58 for Solana.
    pub signature: String,
    /// How smart wallets signed, for verifiers that care.
    #[serde(
        default,
        rename = "signatureScheme",
        skip_serializing_if = "Option::is_none"
    )]
    pub signature_scheme: Option<String>,
}

/// Members that a header must have.
const NEEDED: [&str; 9] = [
    "domain",
    "address",
    "uri",
    "version",
    "chainId",
    "type",
    "nonce",
    "issuedAt",
    "signature",
];

impl SignIn {
    /// Decodes the header [`HEADER`](super::HEADER) of at most `cap` bytes.
    ///
    /// # Errors
    /// [`Unreadable`] when it is no sign-in, or when one of its members holds what no member can.
    pub fn from_header(header: &[u8], cap: usize) -> Result<Self, Unreadable> {
        let value = headers::decode_value(header, cap)?;
        Self::from_value(value)
    }

    /// Reads the JSON of the header.
    ///
    /// # Errors
    /// As [`SignIn::from_header`].
    pub fn from_value(value: Value) -> Result<Self, Unreadable> {
        let members = value.as_object().ok_or(Unreadable::Invalid("the header"))?;
        for name in NEEDED {
            match members.get(name) {
                None | Some(Value::Null) => return Err(Unreadable::Missing(name)),
                Some(Value::String(_)) => {}
                Some(_) => return Err(Unreadable::Invalid(name)),
            }
        }
        if !matches!(
            members.get("type").and_then(Value::as_str),
            Some("eip191" | "ed25519")
        ) {
            return Err(Unreadable::Invalid("type"));
        }
        let read: Self =
            serde_json::from_value(value).map_err(|_| Unreadable::Invalid("the header"))?;
        read.message.validate()?;
        if !line(&read.signature, MAX_SIGNATURE) {
            return Err(Unreadable::Invalid("signature"));
        }
        Ok(read)
    }

    /// The header's value.
    ///
    /// # Errors
    /// Only where JSON cannot be written, which no sign-in can cause.
    pub fn to_header(&self) -> Result<String, Unreadable> {
        Ok(headers::encode(self)?)
    }
}

/// Longest signature, in characters: that of a payment in hex.
pub(super) const MAX_SIGNATURE: usize = 2 + 2 * crate::evm::signature::MAX_SIGNATURE_BYTES;

impl SignInMessage {
    /// Whether every member is what its line in the text can hold.
    pub(super) fn validate(&self) -> Result<(), Unreadable> {
        let must = |holds: bool, name| {
            if holds {
                Ok(())
            } else {
                Err(Unreadable::Invalid(name))
            }
        };
        must(is_domain(&self.domain), "domain")?;
        must(word(&self.address), "address")?;
        must(
            self.statement.as_deref().is_none_or(is_statement),
            "statement",
        )?;
        must(is_uri(&self.uri), "uri")?;
        must(self.version == "1", "version")?;
        must(word(&self.chain_id), "chainId")?;
        let nonce = self.nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        must(
            nonce && (MIN_NONCE..=MAX_MEMBER).contains(&self.nonce.len()),
            "nonce",
        )?;
        must(word(&self.issued_at), "issuedAt")?;
        let times = [
            (&self.expiration_time, "expirationTime"),
            (&self.not_before, "notBefore"),
        ];
        for (time, name) in times {
            must(time.as_deref().is_none_or(word), name)?;
        }
        must(
            self.request_id.as_deref().is_none_or(is_request_id),
            "requestId",
        )?;
        let resources = self.resources.as_deref().unwrap_or_default();
        must(
            resources.len() <= MAX_RESOURCES && resources.iter().all(|uri| is_uri(uri)),
            "resources",
        )
    }
}

/// One line of text.
fn line(text: &str, max: usize) -> bool {
    text.len() <= max && !text.chars().any(char::is_control)
}

/// One line of printable ASCII without blanks, and not empty.
pub(super) fn word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_MEMBER && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_domain(text: &str) -> bool {
    word(text) && !text.contains('/')
}

/// The statement is the one line that EIP-4361 lets people write. Line breaks of Unicode count as such for some readers.
fn is_statement(text: &str) -> bool {
    !text.is_empty() && line(text, MAX_MEMBER) && !text.contains(['\u{2028}', '\u{2029}', '\u{85}'])
}

fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let named = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    named && word(text) && !text.contains(['<', '>', '"', '\\', '^', '`', '{', '|', '}'])
}

/// May be empty in EIP-4361.
fn is_request_id(text: &str) -> bool {
    text.is_empty() || word(text)
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("domain", &self.message.domain)
            .field("chain_id", &self.message.chain_id)
            .finish_non_exhaustive()
    }
}
