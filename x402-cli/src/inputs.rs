//! What an endpoint of a manifest takes: its arguments by name, and where each of them goes.

use serde_json::Value;
use x402_runtime::model::endpoint::rules::captures;
use x402_runtime::model::manifest::{EndpointEntry, Manifest};

/// Most references that are followed from one schema to the next.
const MAX_HOPS: usize = 16;

/// Most listed values that are shown.
const MAX_VALUES: usize = 8;

/// The schema of what no schema speaks of.
static ANYTHING: Value = Value::Bool(true);

/// Where an argument goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    /// A member of the JSON body.
    Body,
}

impl Place {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Body => "body",
        }
    }
}

/// One argument.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'m> {
    pub(crate) name: &'m str,
    pub(crate) place: Place,
    pub(crate) schema: &'m Value,
    pub(crate) required: bool,
}

/// The arguments of an endpoint: captures in the order of the path, then query, headers and members of the body.
pub(crate) fn of<'m>(manifest: &'m Manifest, endpoint: &'m EndpointEntry) -> Vec<Input<'m>> {
    let part = |place| schema_of(manifest, endpoint, place);
    let path = endpoint.path.as_deref().unwrap_or_default();
    let captured = captures(path).map(|name| Input {
        name,
        place: Place::Path,
        schema: part(Place::Path)
            .and_then(|schema| schema.get("properties")?.get(name))
            .unwrap_or(&ANYTHING),
        required: true,
    });
    let mut inputs: Vec<Input<'m>> = captured.collect();
    for place in [Place::Query, Place::Header, Place::Body] {
        if let Some(schema) = part(place) {
            members(schema, place, &mut inputs);
        }
    }
    inputs
}

/// The schema of one part of a request, references followed; `None` if there is none.
pub(crate) fn schema_of<'m>(
    manifest: &'m Manifest,
    endpoint: &'m EndpointEntry,
    place: Place,
) -> Option<&'m Value> {
    let input = &endpoint.input;
    let schema = match place {
        Place::Path => input.path.as_ref(),
        Place::Query => input.query.as_ref(),
        Place::Header => input.header.as_ref(),
        Place::Body => input.body.as_ref().and_then(|body| body.schema.as_ref()),
    };
    resolved(manifest, schema?)
}

fn members<'m>(schema: &'m Value, place: Place, inputs: &mut Vec<Input<'m>>) {
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    inputs.extend(
        properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| Input {
                name,
                place,
                schema,
                required: required.is_some_and(|all| all.iter().any(|one| one == name.as_str())),
            }),
    );
}

/// Follows references to the shared schemas of a manifest; `None` if one leads nowhere.
pub(crate) fn resolved<'m>(manifest: &'m Manifest, mut schema: &'m Value) -> Option<&'m Value> {
    for _ in 0..MAX_HOPS {
        let Some(target) = schema.get("$ref").and_then(Value::as_str) else {
            return Some(schema);
        };
        schema = manifest.schemas.get(target.strip_prefix("#/schemas/")?)?;
    }
    None
}

impl Input<'_> {
    /// The name by which it is given: `units`, or `query.units` where another part of the request has the same name.
    pub(crate) fn called(&self, all: &[Self]) -> String {
        let same = all.iter().filter(|input| input.name == self.name).count();
        if same > 1 {
            format!("{}.{}", self.place.as_str(), self.name)
        } else {
            self.name.to_owned()
        }
    }

    /// The values that it may have, if its schema lists them.
    fn values(&self, manifest: &Manifest) -> Option<String> {
        let values = listed_values(manifest, self.schema)?;
        let texts: Option<Vec<&str>> = values.into_iter().map(Value::as_str).collect();
        texts
            .filter(|texts| texts.len() <= MAX_VALUES)
            .map(|texts| texts.join("|"))
    }
}

/// The values that a schema lists, null aside; `None` if it takes others too.
pub(crate) fn listed_values<'m>(
    manifest: &'m Manifest,
    schema: &'m Value,
) -> Option<Vec<&'m Value>> {
    let mut values = Vec::new();
    collect(manifest, schema, MAX_HOPS, &mut values)
        .then_some(values)
        .filter(|values| !values.is_empty())
}

/// Whether a schema takes listed values only, which are added to `values`.
fn collect<'m>(
    manifest: &'m Manifest,
    schema: &'m Value,
    hops: usize,
    values: &mut Vec<&'m Value>,
) -> bool {
    let Some(schema) = resolved(manifest, schema).filter(|_| hops > 0) else {
        return false;
    };
    let list = |word: &str| schema.get(word).and_then(Value::as_array);
    if let Some(listed) = list("enum") {
        values.extend(listed.iter().filter(|value| !value.is_null()));
        return true;
    }
    if let Some(only) = schema.get("const") {
        values.push(only);
        return true;
    }
    if schema.get("type").is_some_and(|name| name == "null") {
        return true;
    }
    let forms = list("anyOf").or_else(|| list("oneOf"));
    forms.is_some_and(|forms| {
        forms
            .iter()
            .all(|form| collect(manifest, form, hops.saturating_sub(1), values))
    })
}

/// All arguments in the form in which they are given: `city [units=metric|imperial]`. What may have any value has `blank`
/// behind its name.
pub(crate) fn usage(manifest: &Manifest, inputs: &[Input<'_>], blank: &str) -> String {
    let all: Vec<String> = inputs
        .iter()
        .map(|input| {
            let name = input.called(inputs);
            let usage = match input.values(manifest) {
                Some(values) => format!("{name}={values}"),
                None => format!("{name}{blank}"),
            };
            if input.required {
                usage
            } else {
                format!("[{usage}]")
            }
        })
        .collect();
    all.join(" ")
}
