//! Values of schemas: the least that fits, and in later rounds everything that a schema allows, one alternative after another.

use std::cell::Cell;

use serde_json::{Map, Value, json};

/// How deep a value goes before only the least is made.
const DEEP: usize = 5;

/// The largest integer that every language reads exactly.
const MOST: i64 = (1 << 53) - 1;

/// Where a value goes, which decides about its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Body,
}

/// A maker of values for one round.
#[derive(Debug)]
pub(crate) struct Sampler<'d> {
    /// The document that schemas refer to.
    pub(crate) document: &'d Value,
    /// 0 for the least, more for more.
    pub(crate) round: usize,
    pub(crate) place: Place,
    turn: Cell<usize>,
}

impl<'d> Sampler<'d> {
    pub(crate) fn new(document: &'d Value, round: usize, place: Place) -> Self {
        Self {
            document,
            round,
            place,
            turn: Cell::new(round),
        }
    }

    /// A value of a schema that stands on its own.
    pub(crate) fn value(&self, schema: &'d Value) -> Value {
        self.of(schema, schema, 0)
    }

    /// The parameters of an object schema.
    pub(crate) fn parameters(&self, schema: Option<&'d Value>) -> Map<String, Value> {
        let made = schema.map(|schema| self.value(schema));
        made.and_then(|made| made.as_object().cloned())
            .unwrap_or_default()
    }

    /// One text after another.
    pub(crate) fn text(&self) -> String {
        let texts: &[&str] = match self.place {
            Place::Path => &["oslo", "Zürich & 東京/?#%41", "a+b=c;d", "..a"],
            Place::Query => &["x", "a&b=c+d%20é 😀", "", "\"quoted\" <tag>\n"],
            Place::Header => &["plain", "two words; q=\"1\", 2"],
            Place::Body => &[
                "plain",
                "é 東京 😀 \u{2028}\u{7f} \"q\" \\ </script>",
                "",
                "{\"json\":1}\r\n",
            ],
        };
        texts[self.next(texts.len())].to_owned()
    }

    /// Bytes, of which some are no text.
    pub(crate) fn bytes(&self) -> Value {
        json!([0, 255, 13, 10, 128, self.round])
    }

    /// The next of some alternatives.
    fn next(&self, alternatives: usize) -> usize {
        let turn = self.turn.get();
        if self.round > 0 {
            self.turn.set(turn + 1);
        }
        turn % alternatives
    }

    fn of(&self, root: &'d Value, schema: &'d Value, depth: usize) -> Value {
        let deeper = |schema: &'d Value| self.of(root, schema, depth + 1);
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(values) = schema["enum"].as_array() {
            return values[self.next(values.len())].clone();
        }
        if let Some(reference) = schema["$ref"].as_str() {
            // Part of a URI: a percent sign is written as one of its escapes.
            let pointer = &reference.trim_start_matches('#').replace("%25", "%");
            return match self.document.pointer(pointer) {
                Some(shared) if pointer.starts_with("/schemas/") => {
                    self.of(shared, shared, depth + 1)
                }
                _ => deeper(root.pointer(pointer).expect("a schema that is referred to")),
            };
        }
        for name in ["oneOf", "anyOf"] {
            if let Some(all) = schema[name].as_array() {
                let least = depth > DEEP;
                let at = if least { 0 } else { self.next(all.len()) };
                return tagged(schema, &all[at], deeper(&all[at]));
            }
        }
        if let Some(all) = schema["allOf"].as_array() {
            return merged(all.iter().map(deeper));
        }
        self.plain(root, schema, depth)
    }

    /// A value of a schema without alternatives.
    fn plain(&self, root: &'d Value, schema: &'d Value, depth: usize) -> Value {
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds[self.next(kinds.len())].as_str(),
            Value::String(_) if schema["nullable"] == true && self.next(2) == 1 => Some("null"),
            kind => kind.as_str(),
        };
        let integer = |name: &str| schema[name].as_i64();
        match kind {
            Some("null") => Value::Null,
            Some("boolean") => json!(self.next(2) == 0),
            Some("integer") if self.round == 0 => json!(integer("minimum").unwrap_or(1)),
            Some("integer") if schema["maximum"].is_u64() => {
                json!(integer("maximum").unwrap_or(MOST).min(MOST))
            }
            Some("integer") => {
                let unsigned = schema["format"]
                    .as_str()
                    .is_some_and(|f| f.starts_with('u'));
                let least = if unsigned {
                    10_000_000_000
                } else {
                    -10_000_000_000
                };
                json!(integer("minimum").unwrap_or(least))
            }
            Some("number") => json!([1.5, -0.25, 1e-7, 12_345_678.9][self.next(4)]),
            Some("array") => self.array(root, schema, depth),
            Some("object") => self.object(root, schema, depth),
            None if schema.get("properties").is_some() => self.object(root, schema, depth),
            Some("string") => self.string(schema),
            _ if self.place == Place::Body => json!({"any": [1.5, "é", null, true, {}]}),
            _ => json!(self.text()),
        }
    }

    fn array(&self, root: &'d Value, schema: &'d Value, depth: usize) -> Value {
        let one = |schema: &'d Value| self.of(root, schema, depth + 1);
        if let Some(places) = schema["prefixItems"].as_array() {
            return places.iter().map(one).collect();
        }
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let many = if self.round == 0 || depth > DEEP {
            least
        } else {
            least.max(2)
        };
        (0..many).map(|_| one(&schema["items"])).collect()
    }

    fn object(&self, root: &'d Value, schema: &'d Value, depth: usize) -> Value {
        let least = self.round == 0 || depth > DEEP;
        let required = schema["required"].as_array();
        let needed = |name: &str| required.is_some_and(|all| all.iter().any(|n| n == name));
        let mut made = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if !least || needed(name) {
                made.insert(name.clone(), self.of(root, property, depth + 1));
            }
        }
        let more = &schema["additionalProperties"];
        if !least && (more.is_object() || *more == true) {
            for name in ["more", "ключ 1"] {
                made.insert(name.to_owned(), self.of(root, more, depth + 1));
            }
        }
        made.into()
    }

    fn string(&self, schema: &Value) -> Value {
        let known = match schema["format"].as_str() {
            Some("date-time") => Some("2026-01-01T00:00:00Z"),
            Some("date") => Some("2026-01-01"),
            Some("uri" | "url") => Some("https://example.com/?a=b"),
            Some("byte") => Some("AP8NCg=="),
            _ if schema.get("contentEncoding").is_some() => Some("AP8NCg=="),
            _ if schema.get("pattern").is_some() => Some("7"),
            _ => None,
        };
        let mut text = known.map_or_else(|| self.text(), str::to_owned);
        let least = schema["minLength"].as_u64().unwrap_or(0);
        while (text.chars().count() as u64) < least {
            text.push('x');
        }
        text.into()
    }
}

/// Whether a value is one of a schema of the document.
pub(crate) fn fits(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let mut root = schema.clone();
    let shared = document.get("schemas").cloned().unwrap_or_default();
    if let Some(members) = root.as_object_mut() {
        members.insert("schemas".to_owned(), shared);
    }
    spell(&mut root);
    let validator = jsonschema::validator_for(&root).map_err(|error| error.to_string())?;
    let checked = validator.validate(value).map_err(|error| error.to_string());
    checked.map_err(|why| format!("{value} is none of {schema}: {why}"))
}

/// Spells a schema as the validator reads it: without the `nullable` of older descriptions, and with references that are URIs.
fn spell(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref") {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/%~$-_.".contains(&byte);
                let bytes = reference.bytes().skip(1).map(|byte| match plain(byte) {
                    true => char::from(byte).to_string(),
                    false => format!("%{byte:02X}"),
                });
                *reference = format!("#{}", bytes.collect::<String>());
            }
            // With a discriminator it is that which decides.
            if members.contains_key("discriminator")
                && let Some(all) = members.remove("oneOf")
            {
                members.insert("anyOf".to_owned(), all);
            }
            if members.remove("nullable") == Some(Value::Bool(true)) {
                let kind = members.remove("type").unwrap_or_default();
                members.insert("type".to_owned(), json!([kind, "null"]));
            }
            members.values_mut().for_each(spell);
        }
        Value::Array(items) => items.iter_mut().for_each(spell),
        _ => {}
    }
}

/// Writes the value by which a reader tells the alternatives apart.
fn tagged(schema: &Value, chosen: &Value, mut value: Value) -> Value {
    let discriminator = &schema["discriminator"];
    let named = discriminator["propertyName"].as_str();
    let mut mapping = discriminator["mapping"].as_object().into_iter().flatten();
    let found = mapping.find(|(_, target)| **target == chosen["$ref"]);
    if let (Some(name), Some((tag, _))) = (named, found) {
        value[name] = json!(tag);
    }
    value
}

/// One value of several schemas at once: all members, or the first that is no object.
fn merged(values: impl Iterator<Item = Value>) -> Value {
    let mut members = Map::new();
    for value in values {
        match value {
            Value::Object(more) => members.extend(more),
            other => return other,
        }
    }
    members.into()
}
