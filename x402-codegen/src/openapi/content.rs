//! What goes in and what comes out: bodies and answers, by media type.

use serde_json::{Value, json};
use x402_model::pointer::escaped;

use super::operation::Route;
use super::{Description, sorted};
use crate::error::CodegenError;
use crate::lower::{answer, is_json};
use crate::model::{Body, Encoding, Example, Output, TypeRef};
use crate::schema::{Place, Types};

/// Examples of a media type, by name.
pub(super) type Named = Vec<(String, Value)>;

/// Most parts of a body that are listed.
const MAX_PARTS: usize = 40;

/// The media type that is used of several: the one that `rank` puts first, else the first by name.
fn media(content: Option<&Value>, rank: fn(&str) -> u8) -> Option<(&String, &Value)> {
    sorted(content)
        .into_iter()
        .min_by_key(|(kind, _)| rank(kind))
}

fn essence(kind: &str) -> String {
    let essence = kind.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn encoding(kind: &str) -> Encoding {
    let essence = essence(kind);
    if is_json(kind) {
        Encoding::Json
    } else if essence == "application/x-www-form-urlencoded" {
        Encoding::Form
    } else if essence.starts_with("multipart/") {
        Encoding::Parts
    } else {
        Encoding::Bytes
    }
}

fn sent(kind: &str) -> u8 {
    match encoding(kind) {
        Encoding::Json => 0,
        Encoding::Form => 1,
        Encoding::Parts => 2,
        Encoding::Bytes => 3,
    }
}

fn received(kind: &str) -> u8 {
    u8::from(!is_json(kind))
}

fn named(media: &Value) -> Named {
    let mut all: Named = sorted(media.get("examples"))
        .into_iter()
        .filter_map(|(name, example)| Some((name.clone(), example.get("value")?.clone())))
        .collect();
    if let Some(only) = media.get("example") {
        all.push(("example".to_owned(), only.clone()));
    }
    all
}

/// Examples of calls: an answer, and the body of the same name.
pub(super) fn examples(outputs: &Named, inputs: &[(String, Value)]) -> Vec<Example> {
    let all = outputs.iter().map(|(name, output)| {
        let body = inputs.iter().find(|(other, _)| other == name);
        Example {
            name: name.clone(),
            input: body.map_or_else(|| json!({}), |(_, body)| json!({ "body": body })),
            cost: None,
            output: Some(output.clone()),
        }
    });
    all.collect()
}

/// A body as it was found.
pub(super) struct FoundBody<'d> {
    pub(super) body: Body,
    /// Its schema, if it is JSON.
    pub(super) schema: Option<&'d Value>,
    pub(super) examples: Named,
    /// What it is made of, in words, if its type does not say that.
    pub(super) note: Option<String>,
}

/// The body of an operation.
pub(super) fn body<'d>(
    description: &Description<'d>,
    route: &Route<'d>,
    name: &str,
    types: &mut Types<'d>,
) -> Result<Option<FoundBody<'d>>, CodegenError> {
    let Some(body) = route.operation.get("requestBody") else {
        return Ok(None);
    };
    let at = format!("{}/requestBody", route.pointer());
    let (body, at) = description.part(body, at)?;
    let Some((kind, media)) = media(body.get("content"), sent) else {
        return Ok(None);
    };
    let encoding = encoding(kind);
    let schema_at = format!("{at}/content/{}/schema", escaped(kind));
    let schema = media.get("schema");
    let note = match (encoding, schema) {
        (Encoding::Parts, Some(schema)) => parts(description, schema, &schema_at),
        _ => None,
    };
    let typed = matches!(encoding, Encoding::Json | Encoding::Form);
    let json = match schema.filter(|_| typed) {
        Some(schema) => {
            let hint = format!("{name}Body");
            Some(types.lower(schema, &Place::root(schema_at), &hint)?)
        }
        None => typed.then_some(TypeRef::Any),
    };
    Ok(Some(FoundBody {
        body: Body {
            content_type: content_type(kind),
            json,
            encoding,
            required: body.get("required") == Some(&Value::Bool(true)),
            max_bytes: None,
        },
        schema: schema.filter(|_| encoding == Encoding::Json),
        examples: named(media),
        note,
    }))
}

/// The media type as it is sent: a range such as `*/*` is none.
fn content_type(kind: &str) -> String {
    let plain = kind
        .bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'*');
    if plain && kind.contains('/') && kind.len() <= 200 {
        kind.trim().to_owned()
    } else {
        "application/octet-stream".to_owned()
    }
}

/// The parts that a body is documented to have, in a sentence.
fn parts(description: &Description<'_>, schema: &Value, at: &str) -> Option<String> {
    let (schema, _) = description.part(schema, at.to_owned()).ok()?;
    let required = schema.get("required").and_then(Value::as_array);
    let needed = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let words = sorted(schema.get("properties"))
        .into_iter()
        .map(|(name, _)| {
            let needed = if needed(name) { " (must be there)" } else { "" };
            format!("{name}{needed}")
        });
    let words: Vec<String> = words.take(MAX_PARTS).collect();
    (!words.is_empty()).then(|| format!("Parts of the body: {}.", words.join(", ")))
}

/// What all successful answers of an operation can be.
#[derive(Default)]
struct Answers {
    /// Types of those that are JSON.
    json: Vec<TypeRef>,
    /// The first that is something else.
    other: Option<Output>,
    /// Whether one has no body.
    nothing: bool,
    examples: Named,
}

/// The answer of an operation.
pub(super) fn output<'d>(
    description: &mut Description<'d>,
    route: &Route<'d>,
    name: &str,
    types: &mut Types<'d>,
) -> Result<(Output, Named), CodegenError> {
    let responses = sorted(route.operation.get("responses"));
    let good = |(code, _): &&(&String, &Value)| code.starts_with('2');
    let default = |(code, _): &&(&String, &Value)| *code == "default";
    let mut all: Vec<_> = responses.iter().filter(good).collect();
    if all.is_empty() {
        all.extend(responses.iter().find(default));
    }
    let mut found = Answers::default();
    for (code, response) in all {
        let at = format!("{}/responses/{}", route.pointer(), escaped(code));
        let (response, at) = description.part(response, at)?;
        let content = media(response.get("content"), received);
        let status = code.parse().unwrap_or(200);
        let (kind, media) = match content {
            Some(content) if route.method != "head" && status != 205 => content,
            _ => {
                found.nothing = true;
                continue;
            }
        };
        let place = Place::root(format!("{at}/content/{}/schema", escaped(kind)));
        let hint = if found.json.is_empty() {
            name.to_owned()
        } else {
            format!("{name}{code}")
        };
        match answer(
            kind,
            status,
            None,
            media.get("schema"),
            &place,
            &hint,
            types,
        )? {
            Output::Json(ty) => {
                if found.json.is_empty() {
                    found.examples = named(media);
                }
                if !found.json.contains(&ty) {
                    found.json.push(ty);
                }
            }
            Output::Empty => found.nothing = true,
            other if found.other.is_none() => {
                if found.json.is_empty() {
                    found.examples = named(media);
                }
                found.other = Some(other);
            }
            _ => {}
        }
    }
    Ok(found.output(description, route, name, types))
}

impl Answers {
    fn output<'d>(
        self,
        description: &mut Description<'d>,
        route: &Route<'d>,
        name: &str,
        types: &mut Types<'d>,
    ) -> (Output, Named) {
        let json = types.either(self.json, &format!("{name}Answer"));
        let output = match (json, self.other) {
            (Some(ty), other) => {
                if other.is_some() {
                    description.warnings.push(format!(
                        "{}: some answers are not JSON; read them as they come",
                        route.pointer()
                    ));
                }
                if self.nothing {
                    Output::Maybe(ty)
                } else {
                    Output::Json(ty)
                }
            }
            (None, Some(other)) => other,
            (None, None) => Output::Empty,
        };
        (output, self.examples)
    }
}
