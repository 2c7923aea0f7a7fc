//! The `payment-identifier` extension: one id for one purchase, however often its payment is signed (protocol 6.2).
//!
//! The seller declares it in a 402, the buyer adds `info.id` to the copy that goes back with the payment. What an id means is
//! the seller's part; this module declares, extracts and validates.

use core::fmt;

use serde_json::{Map, Value, json};

/// The extension's key.
pub const KEY: &str = "payment-identifier";

/// Shortest id, in characters.
pub const MIN_LEN: usize = 16;

/// Longest id, in characters.
pub const MAX_LEN: usize = 128;

/// The id of a purchase: 16 to 128 of `A-Z`, `a-z`, `0-9`, `_` and `-`.
///
/// ```
/// use x402_model::extension::PaymentIdentifier;
/// assert!(PaymentIdentifier::parse("pay_7d5d747be160e280504c099d984bcfe0").is_some());
/// assert!(PaymentIdentifier::parse("dots.not.allowed.here").is_none());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentIdentifier(Box<str>);

impl PaymentIdentifier {
    /// Takes a text that is a valid id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        ((MIN_LEN..=MAX_LEN).contains(&text.len()) && text.bytes().all(allowed))
            .then(|| Self(text.into()))
    }

    /// An id of `pay_` and 32 hex digits. The bytes must be random: a guessable id is another buyer's to use up.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("pay_{:032x}", u128::from_be_bytes(bytes)).into())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An id tells nobody's secret, but links requests of one buyer: logs that must not do so leave it out.
impl fmt::Debug for PaymentIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentIdentifier({})", self.0)
    }
}

impl fmt::Display for PaymentIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why the extension of a payment cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// The extension, or its `info`, is not an object.
    #[error("the payment-identifier extension is not an object with an info object")]
    Shape,
    /// The id is not one.
    #[error("a payment id has {MIN_LEN} to {MAX_LEN} characters out of A-Z, a-z, 0-9, _ and -")]
    Id,
}

/// What a seller puts under [`KEY`] in a 402.
///
/// ```
/// use x402_model::extension::payment_identifier::declare;
/// assert_eq!(declare(true)["info"]["required"], true);
/// ```
#[must_use]
pub fn declare(required: bool) -> Value {
    json!({
        "info": { "required": required },
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "required": { "type": "boolean" },
                "id": { "type": "string", "minLength": MIN_LEN, "maxLength": MAX_LEN, "pattern": "^[a-zA-Z0-9_-]+$" },
            },
            "required": ["required"],
        },
    })
}

/// Whether the terms declare the extension, and if so, whether they demand an id. A declaration without a readable `required`
/// demands none.
#[must_use]
pub fn declared(extensions: Option<&Map<String, Value>>) -> Option<bool> {
    let declaration = extensions?.get(KEY)?.as_object()?;
    let required = declaration
        .get("info")
        .and_then(|info| info.get("required"));
    Some(required.and_then(Value::as_bool).unwrap_or(false))
}

/// The id in the extensions of a payment; none when the extension or its id is absent.
///
/// # Errors
/// [`IdentifierError`] when there is something that is no id.
pub fn read(
    extensions: Option<&Map<String, Value>>,
) -> Result<Option<PaymentIdentifier>, IdentifierError> {
    let extension = match extensions.and_then(|map| map.get(KEY)) {
        None | Some(Value::Null) => return Ok(None),
        Some(extension) => extension.as_object().ok_or(IdentifierError::Shape)?,
    };
    let info = match extension.get("info") {
        None | Some(Value::Null) => return Ok(None),
        Some(info) => info.as_object().ok_or(IdentifierError::Shape)?,
    };
    match info.get("id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) => PaymentIdentifier::parse(id)
            .map(Some)
            .ok_or(IdentifierError::Id),
        Some(_) => Err(IdentifierError::Id),
    }
}

/// Adds an id to the declared extension in the copy that goes back to the seller. `false`, and nothing changed, when the
/// seller did not declare it.
pub fn append(extensions: &mut Map<String, Value>, id: &PaymentIdentifier) -> bool {
    let Some(Value::Object(extension)) = extensions.get_mut(KEY) else {
        return false;
    };
    let info = extension
        .entry("info")
        .or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(info) = info else {
        return false;
    };
    info.insert("id".to_owned(), Value::from(id.as_str()));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_extensions_are_none_or_named() {
        let of = |value: Value| read(json!({ KEY: value }).as_object());
        assert_eq!(read(None), Ok(None));
        assert_eq!(of(Value::Null), Ok(None));
        assert_eq!(of(json!({})), Ok(None));
        assert_eq!(of(json!({"info": null})), Ok(None));
        assert_eq!(of(json!({"info": {"id": null}})), Ok(None));
        assert_eq!(of(json!({"info": []})), Err(IdentifierError::Shape));
        assert_eq!(of(json!([])), Err(IdentifierError::Shape));
        assert_eq!(of(json!({"info": {"id": 7}})), Err(IdentifierError::Id));
    }

    #[test]
    fn an_id_goes_only_where_it_was_asked_for() {
        let id = PaymentIdentifier::from_random([7; 16]);
        let mut undeclared = Map::new();
        assert!(!append(&mut undeclared, &id) && undeclared.is_empty());
        let mut odd = Map::from_iter([(KEY.to_owned(), json!({"info": 1}))]);
        assert!(!append(&mut odd, &id));
        let mut declared = Map::from_iter([(KEY.to_owned(), declare(false))]);
        assert!(append(&mut declared, &id));
        assert_eq!(read(Some(&declared)), Ok(Some(id)));
        assert_eq!(super::declared(Some(&declared)), Some(false));
        assert_eq!(super::declared(Some(&undeclared)), None);
    }
}
