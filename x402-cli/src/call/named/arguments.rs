//! From `NAME=VALUE` on the command line to the values that an endpoint takes, each checked against its schema.

use std::collections::BTreeMap;
use std::fs::File;

use bytes::Bytes;
use serde_json::{Map, Value};
use x402_runtime::model::manifest::{BodyEntry, EndpointEntry, Manifest};

use super::super::{Args, request};
use super::{NAME, listed, nearest, schema, value};
use crate::inputs::{self, Input, Place};
use crate::{Failure, secret, shown};

/// What an endpoint is called with.
pub(super) struct Bound<'m> {
    /// Everything but the body, in the order of the endpoint.
    pub(super) parameters: Vec<(Input<'m>, Value)>,
    pub(super) body: Option<Bytes>,
}

/// One argument as it was written.
struct Written<'a> {
    name: &'a str,
    text: String,
    /// Whether it was written as JSON.
    json: bool,
}

/// Reads the arguments of a call and checks them.
pub(super) fn bind<'m>(
    manifest: &'m Manifest,
    endpoint: &'m EndpointEntry,
    texts: &[String],
    args: &Args,
) -> Result<Bound<'m>, Failure> {
    let all = inputs::of(manifest, endpoint);
    let mut given: BTreeMap<usize, Vec<Written<'_>>> = BTreeMap::new();
    for text in texts {
        let written = Written::read(text)?;
        let place = find(&all, written.name, endpoint)?;
        given.entry(place).or_default().push(written);
    }
    let data = data(args)?;
    let whole = data.is_some();
    refuse_missing(&all, |place| given.contains_key(place), whole, endpoint)?;
    let mut parameters = Vec::new();
    let mut members = Map::new();
    for (place, written) in given {
        let Some(input) = all.get(place).copied() else {
            continue;
        };
        let name = input.called(&all);
        let value = typed(manifest, input.schema, &name, &written)?;
        schema::check(manifest, input.schema, &value, &shown::line(&name, NAME)).map_err(wrong)?;
        if input.place == Place::Body {
            members.insert(input.name.to_owned(), value);
        } else {
            parameters.push((input, value));
        }
    }
    let body = body(manifest, endpoint, members, data)?;
    Ok(Bound { parameters, body })
}

/// An argument that does not fit its schema.
pub(super) fn wrong(reason: String) -> Failure {
    Failure::usage("invalid_argument", reason)
}

impl<'a> Written<'a> {
    fn read(text: &'a str) -> Result<Self, Failure> {
        secret::refuse_key("an argument", text).map_err(|failure| {
            failure.help("others can read command lines: put a key nowhere near them. If it is none, put it into a file and write NAME=@FILE")
        })?;
        let split = text
            .split_once('=')
            .filter(|(name, _)| !matches!(*name, "" | ":"));
        let Some((name, value)) = split else {
            let message = format!("{text} is no argument");
            return Err(Failure::usage("invalid_argument", message)
                .help("write NAME=VALUE, NAME=@FILE for the text of a file, or NAME:=JSON"));
        };
        let (name, json) = name
            .strip_suffix(':')
            .map_or((name, false), |name| (name, true));
        let text = match value.strip_prefix('@') {
            Some(file) => file_text(name, file)?,
            None => value.to_owned(),
        };
        Ok(Self { name, text, json })
    }
}

fn file_text(name: &str, file: &str) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        let message = format!("{name} cannot be read from {file}: {error}");
        Failure::usage("argument_unreadable", message)
    };
    let bytes = request::bounded(File::open(file).map_err(unreadable)?, unreadable)?;
    String::from_utf8(bytes.into()).map_err(|_| {
        let message = format!("{name} cannot be read from {file}: it is not text");
        Failure::usage("argument_unreadable", message)
    })
}

/// The place of the argument with this name among all.
fn find(all: &[Input<'_>], name: &str, endpoint: &EndpointEntry) -> Result<usize, Failure> {
    let qualified = |input: &Input<'_>| {
        let rest = name.strip_prefix(input.place.as_str());
        rest.and_then(|rest| rest.strip_prefix('.')) == Some(input.name)
    };
    let places = |wanted: &dyn Fn(&Input<'_>) -> bool| -> Vec<usize> {
        let all = all.iter().enumerate();
        all.filter(|(_, input)| wanted(input))
            .map(|(place, _)| place)
            .collect()
    };
    match places(&|input| input.name == name)[..] {
        [one] => return Ok(one),
        [] => {}
        _ => {
            let names: Vec<String> = all
                .iter()
                .filter(|input| input.name == name)
                .map(|input| input.called(all))
                .collect();
            let message = format!("{} takes more than one {name}", endpoint.id);
            return Err(Failure::usage("ambiguous_argument", message).help(format!(
                "name the part of the request too: {}",
                names.join(" or ")
            )));
        }
    }
    if let [one] = places(&qualified)[..] {
        return Ok(one);
    }
    let names: Vec<String> = all.iter().map(|input| input.called(all)).collect();
    let names = || names.iter().map(String::as_str);
    let message = format!("{} takes no argument {name}", endpoint.id);
    let failure = Failure::usage("unknown_argument", message);
    Err(match nearest(name, names()) {
        Some(near) => failure.help(format!("did you mean {}?", shown::line(near, NAME))),
        None if all.is_empty() => failure.help("it takes none"),
        None => failure.help(format!("it takes {}", listed(names()))),
    })
}

/// Names everything that is required and not there, in one go.
fn refuse_missing(
    all: &[Input<'_>],
    there: impl Fn(&usize) -> bool,
    whole: bool,
    endpoint: &EndpointEntry,
) -> Result<(), Failure> {
    let missing: Vec<String> = all
        .iter()
        .enumerate()
        .filter(|(place, input)| {
            let with_data = whole && input.place == Place::Body;
            input.required && !there(place) && !with_data
        })
        .map(|(_, input)| input.called(all))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = listed(missing.iter().map(String::as_str));
    let message = format!("{} needs {missing}", endpoint.id);
    Err(Failure::usage("missing_argument", message))
}

/// The value of one argument, which is given more than once only if it is a list.
fn typed(
    manifest: &Manifest,
    schema: &Value,
    name: &str,
    written: &[Written<'_>],
) -> Result<Value, Failure> {
    let types = value::types(manifest, schema);
    let is_list = types.contains(&"array") && !types.contains(&"string");
    if let [one] = written {
        if one.json {
            return serde_json::from_str(&one.text).map_err(|_| {
                let message = format!("{name} is written with := and is not JSON");
                Failure::usage("invalid_json", message)
                    .help("put JSON into single quotes on a shell, or write = for text")
            });
        }
        if !is_list || one.text.trim_start().starts_with('[') {
            return Ok(value::read(&one.text, &types));
        }
    } else if !is_list || written.iter().any(|one| one.json) {
        let message = format!("{name} is given {} times", written.len());
        return Err(Failure::usage("argument_twice", message));
    }
    let item = inputs::resolved(manifest, schema).and_then(|schema| schema.get("items"));
    let types = item.map_or_else(Vec::new, |item| value::types(manifest, item));
    let items = written.iter().map(|one| value::read(&one.text, &types));
    Ok(Value::Array(items.collect()))
}

/// The whole body, if it was given.
fn data(args: &Args) -> Result<Option<Bytes>, Failure> {
    let text = args.data.as_ref().or(args.data_json.as_ref());
    text.map(|text| request::data(text)).transpose()
}

fn body(
    manifest: &Manifest,
    endpoint: &EndpointEntry,
    members: Map<String, Value>,
    data: Option<Bytes>,
) -> Result<Option<Bytes>, Failure> {
    let id = &endpoint.id;
    let Some(entry) = &endpoint.input.body else {
        return match data {
            Some(_) => Err(Failure::usage("no_body", format!("{id} takes no body"))),
            None => Ok(None),
        };
    };
    let schema = inputs::schema_of(manifest, endpoint, Place::Body);
    let bytes = match data {
        Some(_) if !members.is_empty() => {
            let message = "the body is given twice, as a whole and by its members";
            return Err(Failure::usage("two_bodies", message));
        }
        Some(bytes) if is_json(entry) => {
            let value = request::json(&bytes)?;
            schema
                .map_or(Ok(()), |schema| {
                    schema::check(manifest, schema, &value, "body")
                })
                .map_err(wrong)?;
            bytes
        }
        Some(bytes) => bytes,
        None => made(manifest, id, entry, schema, members)?,
    };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    match entry.max_bytes.filter(|most| length > *most) {
        Some(most) => {
            let message = format!("the body has {length} bytes, and {id} takes at most {most}");
            Err(Failure::usage("body_too_long", message))
        }
        None => Ok(Some(bytes)),
    }
}

/// A body that is made of its members.
fn made(
    manifest: &Manifest,
    id: &str,
    entry: &BodyEntry,
    schema: Option<&Value>,
    members: Map<String, Value>,
) -> Result<Bytes, Failure> {
    let has_members = schema.is_some_and(|schema| schema.get("properties").is_some());
    if !is_json(entry) || !has_members {
        let kind = shown::line(&entry.content_type, NAME);
        let option = if is_json(entry) {
            "--data-json"
        } else {
            "--data"
        };
        return Err(
            Failure::usage("missing_body", format!("{id} needs a body of {kind}"))
                .help(format!("give it with {option} TEXT or {option} @FILE")),
        );
    }
    let body = Value::Object(members);
    if let Some(schema) = schema {
        schema::check(manifest, schema, &body, "body").map_err(wrong)?;
    }
    Ok(body.to_string().into())
}

fn is_json(entry: &BodyEntry) -> bool {
    let essence = entry.content_type.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}
