//! The typed view of a manifest: the service, what it is paid with, and the plans it sells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::amount::Amount;
use super::endpoint::EndpointEntry;
use super::parts::{CreditEntry, Defaults, ErrorEntry};
use super::period::Period;

/// A price manifest, format 1.x. Fields that a later version adds are not kept here, only in the
/// [`Document`](super::Document).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The JSON Schema of the format.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Version of the format, `1.x`.
    pub manifest_version: String,
    /// Who sells.
    pub service: Service,
    /// Other documents of the service, by what they are: a path below the origin or a URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, String>,
    /// How payments travel.
    pub protocols: Vec<ProtocolEntry>,
    /// Unit of all amounts, three capitals of ISO 4217.
    pub currency: String,
    /// Tokens, by the key that rails name.
    pub assets: BTreeMap<String, AssetEntry>,
    /// Ways to pay, by the key that endpoints name.
    pub rails: BTreeMap<String, RailEntry>,
    /// What holds for endpoints that say nothing else.
    #[serde(default)]
    pub defaults: Defaults,
    /// Refusals, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, ErrorEntry>,
    /// JSON Schemas that others refer to as `#/schemas/Name`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub schemas: BTreeMap<String, Value>,
    /// What is sold.
    pub endpoints: Vec<EndpointEntry>,
    /// Ways to pay for many calls at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<PlanEntry>,
    /// Endpoints that will go away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deprecations: Vec<Deprecation>,
    /// Hash and signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<Integrity>,
}

/// Who sells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Reverse DNS name.
    pub id: String,
    /// Name for people, at most 32 printable ASCII characters.
    pub name: String,
    /// Version of the contract, as in semver.
    pub version: String,
    /// A number that only grows.
    pub revision: u64,
    /// Scheme, host and port below which all paths are.
    pub origin: String,
    /// What it does.
    pub description: String,
    /// How an agent should use it, at most 4000 characters. Never an instruction to follow blindly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guidance: Option<String>,
    /// Up to five words to be found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Kinds of service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
    /// Where to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Terms, privacy and refunds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub legal: BTreeMap<String, Value>,
    /// Accounts that may sign this document besides those that the rails pay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<String>,
    /// When this document was made, RFC 3339.
    pub issued_at: String,
    /// Until when it may be used, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
}

/// Where to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// A mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A payment protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolEntry {
    /// Its name, `x402`.
    pub id: String,
    /// The versions spoken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<u64>,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetEntry {
    /// Network in CAIP-2 form.
    pub network: String,
    /// Contract or mint.
    pub address: String,
    /// Symbol for people.
    pub symbol: String,
    /// Decimals of the smallest unit.
    pub decimals: u8,
    /// How it is moved: `eip3009`, `permit2`, `erc2612`, `spl` or `other`.
    pub transfer: String,
    /// The signing domain of an EVM token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eip712: Option<DomainEntry>,
    /// How many dollars one token stands for, if it is pegged.
    #[serde(rename = "usdPeg", default, skip_serializing_if = "Option::is_none")]
    pub usd_peg: Option<Amount>,
}

/// Name and version of an EIP-712 domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainEntry {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// One way to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RailEntry {
    /// Payment scheme, such as `exact` or `upto`.
    pub scheme: String,
    /// Key of the asset.
    pub asset: String,
    /// Who is paid.
    pub pay_to: String,
    /// How long a payment is valid.
    pub max_timeout_seconds: u64,
}

/// A way to pay for many calls at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanEntry {
    /// Its id.
    pub id: String,
    /// `prepaid` or `subscription`.
    pub kind: String,
    /// What is paid, once or per period.
    pub amount: Amount,
    /// The credit of a prepaid plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<CreditEntry>,
    /// After which time unused credit is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Period>,
    /// Period of a subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// Calls that a subscription includes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub includes: Option<Value>,
    /// Endpoints it is good for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// Where it is bought: `method` and `path`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub purchase: BTreeMap<String, String>,
    /// How it is shown: the `header`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub present: BTreeMap<String, String>,
}

/// Something that will go away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deprecation {
    /// Id of the endpoint; left out inside of the endpoint itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Since when it should no longer be used, RFC 3339.
    pub deprecated_at: String,
    /// When it stops, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset: Option<String>,
    /// What to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
}

/// Hash and signatures of a document, over everything but this part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integrity {
    /// `RFC8785`.
    pub canonicalization: String,
    /// `sha-256:` and 64 lower-case hex digits.
    pub content_hash: String,
    /// Who vouches for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<SignatureEntry>,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignatureEntry {
    /// `eip712`, `jws` or `eip191-origin`.
    pub format: String,
    /// The address that signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// What was signed, where that is more than the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
    /// The signature.
    pub signature: String,
}
