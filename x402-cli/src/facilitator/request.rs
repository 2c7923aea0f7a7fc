//! Reads the body of a call: bounded depth, no member twice, and the three members that every call has.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};
use x402_runtime::facilitator::FacilitatorRequest;
use x402_runtime::model::wire::json::{integral, within_depth};

/// Why a body is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// Not JSON in UTF-8.
    NotJson,
    /// Arrays and objects nest too deeply.
    TooDeep,
    /// A member stands twice in one object, so that two readers could take it for two things.
    Doubled,
    /// Not an object.
    NotAnObject,
    /// `paymentPayload` is missing or no object.
    Payload,
    /// `paymentRequirements` is missing or no object.
    Requirements,
}

impl Malformed {
    /// The code for the wire.
    pub(super) const fn code(self) -> &'static str {
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

/// Reads a verify or settle call.
///
/// A missing top-level `x402Version` is taken from the payload; a version that is no small number becomes 0, which no
/// payment has.
pub(super) fn read(body: &[u8]) -> Result<FacilitatorRequest, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed::NotJson)?;
    if !within_depth(text) {
        return Err(Malformed::TooDeep);
    }
    let value: Once = serde_json::from_str(text).map_err(|error| match error.classify() {
        // `Once` takes any JSON, so that the only thing wrong with the data can be a doubled member.
        Category::Data => Malformed::Doubled,
        _ => Malformed::NotJson,
    })?;
    let Value::Object(mut call) = value.0 else {
        return Err(Malformed::NotAnObject);
    };
    let object = |value: Option<Value>| value.filter(Value::is_object);
    let payload = object(call.remove("paymentPayload")).ok_or(Malformed::Payload)?;
    let requirements = object(call.remove("paymentRequirements")).ok_or(Malformed::Requirements)?;
    let named = call.get("x402Version").filter(|value| !value.is_null());
    let version = named.or_else(|| payload.get("x402Version"));
    let version = version.and_then(Value::as_number).and_then(integral);
    Ok(FacilitatorRequest {
        x402_version: version
            .and_then(|version| u8::try_from(version).ok())
            .unwrap_or(0),
        payload: payload.into(),
        requirements: requirements.into(),
    })
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

    fn wrong(body: &str) -> Malformed {
        read(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn g14_every_malformed_body_has_a_code_of_its_own() {
        assert_eq!(wrong(""), Malformed::NotJson);
        assert_eq!(wrong("{"), Malformed::NotJson);
        assert_eq!(wrong("{} {}"), Malformed::NotJson);
        assert_eq!(wrong("{\"a\":1e999}"), Malformed::NotJson);
        assert_eq!(read(&[0xff, 0xfe]).unwrap_err(), Malformed::NotJson);
        assert_eq!(wrong(&"[".repeat(101)), Malformed::TooDeep);
        for text in ["null", "[]", "1", "\"x\"", "true"] {
            assert_eq!(wrong(text), Malformed::NotAnObject, "{text}");
        }
        assert_eq!(wrong("{}"), Malformed::Payload);
        assert_eq!(wrong(r#"{"paymentPayload":[]}"#), Malformed::Payload);
        assert_eq!(wrong(r#"{"paymentPayload":{}}"#), Malformed::Requirements);
        let null = r#"{"paymentPayload":{},"paymentRequirements":null}"#;
        assert_eq!(wrong(null), Malformed::Requirements);
    }

    #[test]
    fn g14_no_object_may_name_a_member_twice() {
        assert_eq!(
            wrong(r#"{"x402Version":1,"x402Version":2}"#),
            Malformed::Doubled
        );
        let deep = r#"{"paymentPayload":{"payload":[{"a":{"to":1,"\u0074o":2}}]},"paymentRequirements":{}}"#;
        assert_eq!(wrong(deep), Malformed::Doubled);
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
            let read = read(body.to_string().as_bytes()).unwrap();
            assert_eq!(read.x402_version, version, "{body}");
        }
        let without = json!({"paymentPayload": {"x402Version": 1}, "paymentRequirements": {}, "other": [1, null]});
        assert_eq!(
            read(without.to_string().as_bytes()).unwrap().x402_version,
            1
        );
    }
}
