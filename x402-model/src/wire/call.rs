//! The body of a call to a facilitator (protocol 1.10): bounded depth, no member twice, and the members that every call has.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

use super::json::{integral, within_depth};

/// What a facilitator is asked to verify or to settle.
///
/// `Debug` shows no payment, because it holds a signature.
///
/// ```
/// use x402_model::wire::{FacilitatorCall, MalformedCall};
/// let call = FacilitatorCall::read(br#"{"x402Version":2,"paymentPayload":{},"paymentRequirements":{}}"#)?;
/// assert_eq!(call.x402_version, 2);
/// let doubled = FacilitatorCall::read(br#"{"paymentPayload":{"a":1,"a":2},"paymentRequirements":{}}"#);
/// assert_eq!(doubled, Err(MalformedCall::Doubled));
/// # Ok::<(), MalformedCall>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct FacilitatorCall {
    /// The version at the top, else the payload's; 0 for what is no small number, which no payment has.
    pub x402_version: u8,
    /// `paymentPayload`: an object.
    pub payload: Value,
    /// `paymentRequirements`: an object.
    pub requirements: Value,
}

impl fmt::Debug for FacilitatorCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FacilitatorCall")
            .field("x402_version", &self.x402_version)
            .field("payload", &"<redacted>")
            .field("requirements", &self.requirements)
            .finish()
    }
}

/// Why a body is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedCall {
    /// Not JSON in UTF-8.
    #[error("not JSON in UTF-8")]
    NotJson,
    /// Arrays and objects nest too deeply.
    #[error("JSON is nested too deeply")]
    TooDeep,
    /// A member stands twice in one object, so that two readers could take it for two things.
    #[error("a member stands twice in one object")]
    Doubled,
    /// Not an object.
    #[error("not an object")]
    NotAnObject,
    /// `paymentPayload` is missing or no object.
    #[error("`paymentPayload` is missing or no object")]
    Payload,
    /// `paymentRequirements` is missing or no object.
    #[error("`paymentRequirements` is missing or no object")]
    Requirements,
}

impl MalformedCall {
    /// The code for the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotJson => "invalid_json",
            Self::TooDeep => "json_too_deep",
            Self::Doubled => "json_member_doubled",
            Self::NotAnObject => "invalid_request",
            Self::Payload => "invalid_payload",
            Self::Requirements => "invalid_payment_requirements",
        }
    }
}

impl FacilitatorCall {
    /// Reads a verify or settle call.
    ///
    /// # Errors
    /// A [`MalformedCall`] for the first thing that is wrong.
    pub fn read(body: &[u8]) -> Result<Self, MalformedCall> {
        let text = std::str::from_utf8(body).map_err(|_| MalformedCall::NotJson)?;
        if !within_depth(text) {
            return Err(MalformedCall::TooDeep);
        }
        let value: Once = serde_json::from_str(text).map_err(|error| match error.classify() {
            // `Once` takes any JSON, so that the only thing wrong with the data can be a doubled member.
            Category::Data => MalformedCall::Doubled,
            _ => MalformedCall::NotJson,
        })?;
        let Value::Object(mut call) = value.0 else {
            return Err(MalformedCall::NotAnObject);
        };
        let object = |value: Option<Value>| value.filter(Value::is_object);
        let payload = object(call.remove("paymentPayload")).ok_or(MalformedCall::Payload)?;
        let requirements =
            object(call.remove("paymentRequirements")).ok_or(MalformedCall::Requirements)?;
        let named = call.get("x402Version").filter(|value| !value.is_null());
        let version = named.or_else(|| payload.get("x402Version"));
        let version = version.and_then(Value::as_number).and_then(integral);
        Ok(Self {
            x402_version: version
                .and_then(|version| u8::try_from(version).ok())
                .unwrap_or(0),
            payload,
            requirements,
        })
    }
}

/// Any JSON value in which no object has a member twice.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceVisitor).map(Self)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Once(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((key, Once(value))) = map.next_entry::<String, Once>()? {
            if members.insert(key, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(body: &str) -> MalformedCall {
        FacilitatorCall::read(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn g14_every_malformed_body_has_a_code_of_its_own() {
        assert_eq!(wrong(""), MalformedCall::NotJson);
        assert_eq!(wrong("{"), MalformedCall::NotJson);
        assert_eq!(wrong("{} {}"), MalformedCall::NotJson);
        assert_eq!(wrong("{\"a\":1e999}"), MalformedCall::NotJson);
        assert_eq!(
            FacilitatorCall::read(&[0xff, 0xfe]).unwrap_err(),
            MalformedCall::NotJson
        );
        assert_eq!(wrong(&"[".repeat(101)), MalformedCall::TooDeep);
        for text in ["null", "[]", "1", "\"x\"", "true"] {
            assert_eq!(wrong(text), MalformedCall::NotAnObject, "{text}");
        }
        assert_eq!(wrong("{}"), MalformedCall::Payload);
        assert_eq!(wrong(r#"{"paymentPayload":[]}"#), MalformedCall::Payload);
        assert_eq!(
            wrong(r#"{"paymentPayload":{}}"#),
            MalformedCall::Requirements
        );
        let null = r#"{"paymentPayload":{},"paymentRequirements":null}"#;
        assert_eq!(wrong(null), MalformedCall::Requirements);
    }

    #[test]
    fn g14_no_object_may_name_a_member_twice() {
        assert_eq!(
            wrong(r#"{"x402Version":1,"x402Version":2}"#),
            MalformedCall::Doubled
        );
        let deep = r#"{"paymentPayload":{"payload":[{"a":{"to":1,"\u0074o":2}}]},"paymentRequirements":{}}"#;
        assert_eq!(wrong(deep), MalformedCall::Doubled);
    }

    #[test]
    fn the_version_stands_at_the_top_or_in_the_payload() {
        let table = [
            (json!(2), json!(1), 2),
            (json!(null), json!(2), 2),
            (json!(2.0), json!(1), 2),
            (json!(256), json!(1), 0),
            (json!("2"), json!(2), 0),
            (json!(-1), json!(2), 0),
        ];
        for (top, inner, version) in table {
            let body = json!({"x402Version": top, "paymentPayload": {"x402Version": inner}, "paymentRequirements": {}});
            let read = FacilitatorCall::read(body.to_string().as_bytes()).unwrap();
            assert_eq!(read.x402_version, version, "{body}");
        }
        let without = json!({"paymentPayload": {"x402Version": 1}, "paymentRequirements": {}, "other": [1, null]});
        assert_eq!(
            FacilitatorCall::read(without.to_string().as_bytes())
                .unwrap()
                .x402_version,
            1
        );
    }
}
