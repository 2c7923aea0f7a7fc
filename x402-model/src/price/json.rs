//! Looks into JSON text without a tree: one member, one element, the kind of a value.
//!
//! The text is scanned as the handler's own reader scans it. Where readers differ, a member that stands twice above all,
//! nothing is chosen.

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What kind of JSON value a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Text,
    Number,
    Bool,
    Null,
}

impl Kind {
    /// The kind of a valid JSON text without space around it.
    pub(super) fn of(text: &str) -> Self {
        match text.as_bytes().first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b'"') => Self::Text,
            Some(b't' | b'f') => Self::Bool,
            Some(b'n') => Self::Null,
            _ => Self::Number,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Text => "a string",
            Self::Number => "a number",
            Self::Bool => "a truth value",
            Self::Null => "null",
        }
    }
}

/// How often something is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<T> {
    Nowhere,
    Once(T),
    Repeatedly,
}

/// The member of an object. `None` if the text is no object.
pub(super) fn member<'t>(object: &'t str, name: &str) -> Option<Found<&'t str>> {
    let mut reader = serde_json::Deserializer::from_str(object);
    (&mut reader).deserialize_map(Member(name)).ok()
}

/// One element of an array. `None` if the text is no array.
pub(super) fn element(array: &str, index: usize) -> Option<Option<&str>> {
    let mut reader = serde_json::Deserializer::from_str(array);
    (&mut reader).deserialize_seq(Element(index)).ok()
}

/// The number of elements of an array. `None` if the text is no array.
pub(super) fn length(array: &str) -> Option<usize> {
    let mut reader = serde_json::Deserializer::from_str(array);
    (&mut reader).deserialize_seq(Length).ok()
}

struct Member<'n>(&'n str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Found<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Found::Nowhere;
        while let Some(this_one) = map.next_key_seed(Named(self.0))? {
            if !this_one {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: &'de RawValue = map.next_value()?;
            found = match found {
                Found::Nowhere => Found::Once(value.get()),
                _ => Found::Repeatedly,
            };
        }
        Ok(found)
    }
}

/// Whether a member's name is the one looked for, escapes resolved.
struct Named<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Named<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

struct Element(usize);

impl<'de> Visitor<'de> for Element {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        let mut index = 0_usize;
        while let Some(value) = seq.next_element::<&'de RawValue>()? {
            if index == self.0 {
                found = Some(value.get());
            }
            index = index.saturating_add(1);
        }
        Ok(found)
    }
}

struct Length;

impl<'de> Visitor<'de> for Length {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
        let mut count = 0_usize;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count = count.saturating_add(1);
        }
        Ok(count)
    }
}
