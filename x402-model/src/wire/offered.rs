//! One entry of `accepts`, kept byte for byte next to the parsed view of it.

use core::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::parse_raw;
use super::v2::PaymentRequirements;

/// One offered way to pay.
///
/// Sellers compare the entry a buyer sends back with what they offered, down to letter case and unknown members, so
/// the text is kept and echoed untouched. [`Offered::view`] is the same entry as a typed value, for deciding.
///
/// ```
/// use x402_model::wire::Offered;
/// let text = r#"{"scheme":"exact","network":"eip155:8453","amount":"1","asset":"0xAb","payTo":"0xCd","maxTimeoutSeconds":60,"new":1}"#;
/// let entry: Offered = serde_json::from_str(text)?;
/// assert_eq!(entry.raw().get(), text);
/// assert_eq!(entry.view().map(|terms| terms.amount.as_str()), Some("1"));
/// let odd: Offered = serde_json::from_str(r#"{"scheme":"future"}"#)?;
/// assert!(odd.view().is_none());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Offered<R = PaymentRequirements> {
    raw: Box<RawValue>,
    value: Value,
    view: Option<R>,
}

impl<R: Serialize + DeserializeOwned> Offered<R> {
    /// An entry of our own.
    #[must_use]
    pub fn new(terms: R) -> Self {
        // Terms hold only strings, integers and maps with string keys, so neither step can fail. Should a future
        // member make one fail, the entry matches no payment rather than some payment.
        let raw =
            serde_json::value::to_raw_value(&terms).unwrap_or_else(|_| RawValue::NULL.to_owned());
        let value = parse_raw(&raw).unwrap_or(Value::Null);
        Self {
            raw,
            value,
            view: Some(terms),
        }
    }
}

impl<R: DeserializeOwned> Offered<R> {
    /// An entry as it was received. Never fails: an entry that makes no sense is kept without a view.
    #[must_use]
    pub fn from_raw(raw: Box<RawValue>) -> Self {
        let value = parse_raw(&raw).unwrap_or(Value::Null);
        let view = serde_json::from_str(raw.get()).ok();
        Self { raw, value, view }
    }
}

impl<R> Offered<R> {
    /// The entry's own text, to be echoed.
    #[must_use]
    pub fn raw(&self) -> &RawValue {
        &self.raw
    }

    /// The entry as JSON; `Null` when it nests too deeply to be parsed.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// The entry as typed terms; `None` when a required member is missing or has the wrong type.
    #[must_use]
    pub const fn view(&self) -> Option<&R> {
        self.view.as_ref()
    }
}

/// Two entries are equal when they are the same JSON value; spelling (spaces, key order) does not count.
impl<R> PartialEq for Offered<R> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<R> fmt::Debug for Offered<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Offered({})", self.raw)
    }
}

impl<R> Serialize for Offered<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

impl<'de, R: DeserializeOwned> Deserialize<'de> for Offered<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::from_raw)
    }
}
