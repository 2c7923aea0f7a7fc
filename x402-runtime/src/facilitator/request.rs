//! What a facilitator is asked about a payment, kept as the text it came as.

use std::fmt;

use serde::{Deserialize, Serialize};
use x402_model::money::AtomicAmount;
use x402_model::wire::{FacilitatorCall, RawJson};

/// The scheme of payments that are metered.
const UPTO: &str = "upto";

/// One verify or settle call: the body of the facilitator REST API (protocol 1.10).
///
/// Payload and terms stay the text they came as: they are kept and passed on, not looked into. `Debug` shows no payload,
/// because it holds the buyer's signature.
///
/// ```
/// use serde_json::json;
/// use x402_runtime::facilitator::FacilitatorRequest;
/// let request = FacilitatorRequest {
///     x402_version: 2,
///     payload: json!({"x402Version": 2}).into(),
///     requirements: json!({"scheme": "exact", "network": "eip155:8453"}).into(),
/// };
/// assert_eq!(request.network().as_deref(), Some("eip155:8453"));
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FacilitatorRequest {
    /// The protocol version of the payload: 1 or 2.
    #[serde(rename = "x402Version")]
    pub x402_version: u8,
    /// The whole payment payload as the buyer sent it.
    #[serde(rename = "paymentPayload")]
    pub payload: RawJson,
    /// The terms of this server that the payload was matched against.
    #[serde(rename = "paymentRequirements")]
    pub requirements: RawJson,
}

impl From<FacilitatorCall> for FacilitatorRequest {
    fn from(call: FacilitatorCall) -> Self {
        Self {
            x402_version: call.x402_version,
            payload: call.payload.into(),
            requirements: call.requirements.into(),
        }
    }
}

impl FacilitatorRequest {
    /// The body as JSON text: what serde writes, put together without reading its parts again.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self {
            x402_version,
            payload,
            requirements,
        } = self;
        let version = x402_version.to_string();
        let parts = [
            r#"{"x402Version":"#,
            &version,
            r#","paymentPayload":"#,
            payload.as_str(),
            r#","paymentRequirements":"#,
            requirements.as_str(),
            "}",
        ];
        // In one piece of memory of the right size: a payment is long.
        parts.concat()
    }

    /// The account that pays, as the payload spells it; none in payloads of another shape than those on EVM chains.
    #[must_use]
    pub fn payer(&self) -> Option<String> {
        let known = self.payload.read::<Paying>();
        known.map_or_else(
            || {
                let places = [
                    "/payload/authorization/from",
                    "/payload/permit2Authorization/from",
                ];
                places.iter().find_map(|at| text_at(&self.payload, at))
            },
            |paying| Some(paying.payload.authorization.from),
        )
    }

    /// Whether the payer signed a ceiling and is charged what was metered (scheme `upto`).
    #[must_use]
    pub fn is_metered(&self) -> bool {
        // Payments of other schemes are far more common and need not be read for it.
        self.requirements.as_str().contains(UPTO)
            && text_at(&self.requirements, "/scheme").as_deref() == Some(UPTO)
    }

    /// The amount of the terms: the price, or the ceiling of a metered one.
    #[must_use]
    pub fn amount(&self) -> Option<AtomicAmount> {
        text_at(&self.requirements, "/amount")?.parse().ok()
    }

    /// The same call for another amount, which is how a facilitator is told what was metered.
    #[must_use]
    pub fn for_amount(&self, amount: AtomicAmount) -> Self {
        let mut terms = self.requirements.to_value();
        if let Some(members) = terms.as_object_mut() {
            members.insert("amount".to_owned(), amount.to_string().into());
        }
        Self {
            x402_version: self.x402_version,
            payload: self.payload.clone(),
            requirements: terms.into(),
        }
    }

    /// The network of the terms, as they spell it.
    #[must_use]
    pub fn network(&self) -> Option<String> {
        let known = self.requirements.read::<OnNetwork>();
        known.map_or_else(
            || text_at(&self.requirements, "/network"),
            |terms| Some(terms.network),
        )
    }
}

#[derive(Deserialize)]
struct Paying {
    payload: Authorized,
}

#[derive(Deserialize)]
struct Authorized {
    authorization: Payer,
}

#[derive(Deserialize)]
struct Payer {
    from: String,
}

#[derive(Deserialize)]
struct OnNetwork {
    network: String,
}

/// Texts of an unusual shape (a member twice, say) are read into a tree, where the last one counts.
fn text_at(json: &RawJson, pointer: &str) -> Option<String> {
    json.to_value()
        .pointer(pointer)
        .and_then(serde_json::Value::as_str)
        .map(str::to_owned)
}

impl fmt::Debug for FacilitatorRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FacilitatorRequest")
            .field("x402_version", &self.x402_version)
            .field("payload", &"<redacted>")
            .field("requirements", &self.requirements.as_str())
            .finish()
    }
}
