//! A version 2 payment in the spelling that most buyers use, read in one pass and without a tree.
//!
//! A reader of [`Value`]s takes any spelling, and costs ten times as much. This one takes one spelling only,
//! and says nothing about all others: whoever gets `None` here reads the text as a tree. What it does take means here exactly
//! what it means there.

use core::fmt;
use core::marker::PhantomData;
use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::json::within_depth;
use super::offered::Offered;
use super::raw::RawJson;
use super::v2::{PaymentRequirements, VERSION};
use crate::asset::is_checksum;
use crate::evm::{Authorization, ExactEvmPayload, members};

/// An `exact` payment on an EVM chain that has every member once and no other, texts without escapes where they count,
/// integers of the authorization as text. Its extensions are an object, if there are any.
///
/// ```
/// use x402_model::wire::PlainPayment;
/// let text = r#"{"x402Version":2,"payload":{"signature":"0x01","authorization":{"from":"0x","to":"0x","value":"1",
///     "validAfter":"0","validBefore":"9","nonce":"0x"}},"accepted":{"scheme":"exact","network":"eip155:8453","amount":"1",
///     "asset":"0xAb","payTo":"0xCd","maxTimeoutSeconds":60,"extra":{"name":"USDC","version":"2"}}}"#;
/// assert!(PlainPayment::read(text).is_some());
/// assert!(PlainPayment::read(&text.replace("60", "60.0")).is_none(), "left to a reader of trees");
/// ```
pub struct PlainPayment<'a> {
    text: &'a str,
    message: Message<'a>,
    extensions: Option<Map<String, Value>>,
}

/// A JSON object. A derived reader would take an array as well, and fill the members by position.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Message<'a> {
    x402_version: u8,
    #[serde(borrow)]
    accepted: Object<Accepted<'a>>,
    #[serde(borrow)]
    payload: Object<Scheme<'a>>,
    /// Checked to be what buyers copy there, and not looked at.
    #[serde(default, borrow, rename = "resource")]
    _resource: Option<Object<Resource<'a>>>,
    #[serde(default, borrow)]
    extensions: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Accepted<'a> {
    scheme: &'a str,
    network: &'a str,
    amount: &'a str,
    asset: &'a str,
    pay_to: &'a str,
    max_timeout_seconds: u64,
    #[serde(default, borrow)]
    extra: Option<Object<Extra<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extra<'a> {
    #[serde(default)]
    name: Option<&'a str>,
    #[serde(default)]
    version: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scheme<'a> {
    signature: &'a str,
    #[serde(borrow)]
    authorization: Object<Signed<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Signed<'a> {
    from: &'a str,
    to: &'a str,
    value: &'a str,
    valid_after: &'a str,
    valid_before: &'a str,
    nonce: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Resource<'a> {
    #[serde(default, borrow, rename = "url")]
    _url: Option<Cow<'a, str>>,
    #[serde(default, borrow, rename = "description")]
    _description: Option<Cow<'a, str>>,
    #[serde(default, borrow, rename = "mimeType")]
    _mime_type: Option<Cow<'a, str>>,
    #[serde(default, borrow, rename = "serviceName")]
    _service_name: Option<Cow<'a, str>>,
    #[serde(default, borrow, rename = "tags")]
    _tags: Option<Vec<Cow<'a, str>>>,
    #[serde(default, borrow, rename = "iconUrl")]
    _icon_url: Option<Cow<'a, str>>,
}

/// Extensions that buyers only repeat and nothing here depends on. They are long, and not read.
const UNREAD: [&str; 1] = ["bazaar"];

/// The extensions that are read, if the text is an object or nothing.
#[allow(
    clippy::option_option,
    reason = "the outer one is whether it could be read"
)]
fn extensions(text: &str) -> Option<Option<Map<String, Value>>> {
    let named: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(text).ok()?;
    let Some(named) = named else {
        return Some(None);
    };
    let read = named
        .into_iter()
        .filter(|(name, _)| !UNREAD.contains(&name.as_str()))
        .map(|(name, text)| Some((name, serde_json::from_str(text.get()).ok()?)));
    read.collect::<Option<_>>().map(Some)
}

impl<'a> PlainPayment<'a> {
    /// Reads a payment; `None` when it is spelled in another way, or is none.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let text = text.trim_ascii();
        let Object(message) = serde_json::from_str::<Object<Message<'a>>>(text).ok()?;
        let extensions = match message.extensions.map(RawValue::get) {
            None => None,
            Some(text) if within_depth(text) => extensions(text)?,
            Some(_) => return None,
        };
        (message.x402_version == VERSION).then_some(Self {
            text,
            message,
            extensions: extensions.filter(|map| !map.is_empty()),
        })
    }

    /// The payment as it came.
    #[must_use]
    pub fn raw(&self) -> RawJson {
        RawJson::known(self.text)
    }

    /// The extensions, without those that buyers only repeat; none when there are none, or an empty list of them.
    #[must_use]
    pub const fn extensions(&self) -> Option<&Map<String, Value>> {
        self.extensions.as_ref()
    }

    /// Whether it accepts this offer, as [`find_match`](super::find_match) decides; `false` as well for offers with more
    /// members than this reader knows.
    #[must_use]
    pub fn accepts(&self, offer: &Offered<PaymentRequirements>) -> bool {
        let Object(accepted) = &self.message.accepted;
        let (Some(terms), Value::Object(members)) = (offer.view(), offer.value()) else {
            return false;
        };
        let known = members.len() == 6 + usize::from(members.contains_key("extra"));
        known
            && accepted.scheme == terms.scheme
            && accepted.network == terms.network
            && accepted.amount == terms.amount
            && accepted.asset == terms.asset
            && accepted.pay_to == terms.pay_to
            && accepted.max_timeout_seconds == terms.max_timeout_seconds
            && accepted.has_extra(&terms.extra)
    }

    /// Whether signature and authorization are spelt as [`ExactEvmPayload::to_json`] spells them, and nothing is beside them
    /// whose members could be there twice.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        let Object(scheme) = &self.message.payload;
        let Object(signed) = &scheme.authorization;
        self.extensions.is_none() && is_lower_hex(scheme.signature) && signed.is_canonical()
    }

    /// What was signed; `None` when a part of it is not what it should be.
    #[must_use]
    pub fn exact(&self) -> Option<ExactEvmPayload> {
        let Object(Scheme {
            signature,
            authorization: Object(signed),
        }) = &self.message.payload;
        Some(ExactEvmPayload {
            signature: crate::evm::Signature::parse(signature).ok()?,
            authorization: Authorization {
                from: crate::evm::address::read_address(signed.from)?,
                to: crate::evm::address::read_address(signed.to)?,
                value: members::integer_text(signed.value, "value").ok()?,
                valid_after: members::integer_text(signed.valid_after, "validAfter").ok()?,
                valid_before: members::integer_text(signed.valid_before, "validBefore").ok()?,
                nonce: crate::evm::address::read_word(signed.nonce)?,
            },
        })
    }
}

impl Signed<'_> {
    /// Addresses with their checksum, integers without leading zeros, bytes in lower case.
    fn is_canonical(&self) -> bool {
        let address = |text: &str| {
            crate::evm::address::read_address(text).is_some_and(|read| is_checksum(read, text))
        };
        let integer = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text == "0" || (digits && !text.is_empty() && !text.starts_with('0'))
        };
        [self.from, self.to].into_iter().all(address)
            && [self.value, self.valid_after, self.valid_before]
                .into_iter()
                .all(integer)
            && is_lower_hex(self.nonce)
    }
}

fn is_lower_hex(text: &str) -> bool {
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(digit))
}

impl Accepted<'_> {
    /// Whether it has all that was offered in `extra`.
    fn has_extra(&self, offered: &Map<String, Value>) -> bool {
        let own = |key: &str| {
            let Object(extra) = self.extra.as_ref()?;
            match key {
                "name" => extra.name,
                "version" => extra.version,
                _ => None,
            }
        };
        offered
            .iter()
            .all(|(key, value)| value.as_str().is_some_and(|text| own(key) == Some(text)))
    }
}

impl fmt::Debug for PlainPayment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainPayment(<redacted>)")
    }
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod tests;
