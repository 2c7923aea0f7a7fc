//! What the clients of a golden case are to do: every documented call, and calls made of the schemas.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use x402_codegen::ClientModel;
use x402_model::manifest::{Document, EndpointEntry, Manifest};
use x402_model::money::Decimal;
use x402_tests::shop::Visit;

use crate::sample::{Place, Sampler, fits};
use crate::{golden, pages, shapes};

/// How often each endpoint is called with values of its schemas.
const ROUNDS: usize = 3;

/// What the service behind the foreign description does, written down by hand: it publishes no manifest.
const FOREIGN: &str = include_str!("foreign.json");

/// No schema.
static ANY: Value = Value::Null;

/// One golden case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) model: ClientModel,
    /// What the shop sells by.
    pub(crate) manifest: Manifest,
    pub(crate) calls: Vec<Call>,
}

/// One call of a client.
#[derive(Debug, Default)]
pub(crate) struct Call {
    /// The place of its endpoint in the model.
    pub(crate) endpoint: usize,
    /// What the shop sees: one visit, or one for each page.
    pub(crate) visits: Vec<Visit>,
    /// What it costs by the document, if that says so.
    pub(crate) cost: Option<Decimal>,
    /// What all pages may cost together, for a call that asks for them.
    pub(crate) cap: Option<String>,
    /// The error that it ends with, if it is to end with one.
    pub(crate) ends: Option<End>,
    /// Members of each answer in which it is otherwise than its schema: clients may leave them out or put them in.
    pub(crate) loose: Vec<Vec<String>>,
    /// Headers that the caller gives, whatever the document says of them.
    pub(crate) headers: BTreeMap<String, String>,
}

/// An error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) code: &'static str,
    /// Whether the last answer was paid for all the same.
    pub(crate) charged: bool,
    /// Whether that is no answer by its schema: whoever reads by it gives the error alone.
    pub(crate) broken: bool,
}

/// All golden cases, on the network and with the tokens of the test chain.
pub(crate) fn cases() -> Vec<Case> {
    golden::cases().into_iter().map(Case::read).collect()
}

/// The document of a case with the main network's token replaced by the test chain's.
fn document(case: &str) -> String {
    let text = String::from_utf8(golden::manifest(case)).expect("JSON is UTF-8");
    text.replace("\"eip155:8453\"", "\"eip155:84532\"")
        .replace(
            "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
            "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        )
        .replace("\"USD Coin\"", "\"USDC\"")
}

impl Case {
    fn read(name: String) -> Self {
        let text = document(&name);
        let model = x402_codegen::read(text.as_bytes());
        let model = model.unwrap_or_else(|error| panic!("{name}: {error}"));
        let sold_by = match name.as_str() {
            "openapi_foreign" => FOREIGN.to_owned(),
            "openapi_shapes" => shapes::SOLD_BY.to_owned(),
            // The view of that manifest.
            "openapi_ours" => document("example"),
            _ => text.clone(),
        };
        let document = Document::read(sold_by.as_bytes());
        let document = document.unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut manifest = document.manifest().clone();
        as_described(&text, &mut manifest);
        let mut calls = Vec::new();
        for (at, endpoint) in model.endpoints.iter().enumerate() {
            let mut all = manifest.endpoints.iter();
            // Whoever writes no id is given one by the generator.
            let entry = all.find(|entry| {
                entry.method.as_ref() == Some(&endpoint.method)
                    && entry.path == Some(endpoint.path_text())
            });
            let entry = entry.unwrap_or_else(|| panic!("{name}: nobody sells {}", endpoint.id));
            if name == "openapi_shapes" {
                calls.extend(shapes::calls(at, entry));
                continue;
            }
            let value = document.value();
            // Nobody can make a call that its own schema forbids.
            let documented = documented(at, entry).into_iter();
            calls.extend(documented.filter(|call| fitting(value, entry, call).is_ok()));
            for round in 0..ROUNDS {
                let call = made(at, entry, value, round);
                fitting(value, entry, &call).unwrap_or_else(|why| panic!("{name}: {why}"));
                calls.push(call);
            }
            if let Some(pagination) = &endpoint.pagination {
                calls.extend(pages::calls(&name, at, pagination, entry, value));
            }
        }
        Self {
            name,
            model,
            manifest,
            calls,
        }
    }

    /// All visits, in their order.
    pub(crate) fn visits(&self) -> Vec<Visit> {
        let all = self.calls.iter().flat_map(|call| call.visits.clone());
        all.collect()
    }

    /// The arguments of a call in the order of the model, the body last: an empty list for one that is not given.
    pub(crate) fn arguments(&self, call: &Call) -> Vec<Vec<Value>> {
        let endpoint = &self.model.endpoints[call.endpoint];
        let input = &call.visits[0].input;
        let given = |value: Option<&Value>| value.cloned().into_iter().collect::<Vec<_>>();
        let params = endpoint.params.iter().map(|param| {
            let part = input.get(param.place.as_str());
            given(part.and_then(|part| part.get(&param.field.wire)))
        });
        let body = endpoint.body.iter().map(|_| given(input.get("body")));
        params.chain(body).collect()
    }
}

/// Puts endpoints where a description has them, by the ids of its operations: a manifest has no word for some of its paths.
fn as_described(description: &str, manifest: &mut Manifest) {
    let description: Value = serde_json::from_str(description).expect("JSON");
    for (path, item) in description["paths"].as_object().into_iter().flatten() {
        let operations = item.as_object().into_iter().flatten();
        let ids: Vec<&str> = operations
            .filter_map(|(_, operation)| operation["operationId"].as_str())
            .collect();
        let all = manifest.endpoints.iter_mut();
        for entry in all.filter(|entry| ids.contains(&entry.id.as_str())) {
            // What stands behind it is no part of it.
            entry.path = path.split('?').next().map(str::to_owned);
        }
    }
}

pub(crate) fn visit(entry: &EndpointEntry, input: Value, output: Value) -> Visit {
    Visit {
        endpoint: entry.id.clone(),
        input,
        output,
        status: None,
        wire: None,
    }
}

/// Whether arguments and answer of a call are what the schemas of its endpoint allow.
fn fitting(document: &Value, entry: &EndpointEntry, call: &Call) -> Result<(), String> {
    let (input, visit) = (&entry.input, &call.visits[0]);
    let parts = [
        ("path", &input.path),
        ("query", &input.query),
        ("header", &input.header),
    ];
    for (part, schema) in parts {
        if let (Some(schema), Some(given)) = (schema, visit.input.get(part)) {
            fits(document, schema, given)?;
        }
    }
    if let Some(schema) = input.body.as_ref().and_then(|body| body.schema.as_ref()) {
        fits(document, schema, &visit.input["body"])?;
    }
    let streamed = matches!(&visit.output, Value::Array(_) if entry.output.stream.is_some());
    match &entry.output.schema {
        Some(schema) if !streamed && entry.output.content_type.contains("/json") => {
            fits(document, schema, &visit.output)
        }
        _ => Ok(()),
    }
}

/// The calls that the document has as examples.
fn documented(endpoint: usize, entry: &EndpointEntry) -> Vec<Call> {
    let all = entry.examples.iter().filter_map(|example| {
        let output = example.output.clone()?;
        Some(Call {
            endpoint,
            visits: vec![visit(entry, example.input.clone(), output)],
            cost: example.cost.map(|cost| cost.0),
            ..Call::default()
        })
    });
    all.collect()
}

/// A call made of the schemas.
fn made(endpoint: usize, entry: &EndpointEntry, document: &Value, round: usize) -> Call {
    let sampler = |place| Sampler::new(document, round, place);
    let mut path = sampler(Place::Path).parameters(entry.input.path.as_ref());
    let captures = entry.path.iter().flat_map(|path| path.split('{').skip(1));
    for name in captures.filter_map(|rest| rest.split('}').next()) {
        let text = sampler(Place::Path).text();
        path.entry(name.trim_start_matches('*'))
            .or_insert_with(|| json!(text));
    }
    let mut input = json!({
        "path": path,
        "query": sampler(Place::Query).parameters(entry.input.query.as_ref()),
        "header": sampler(Place::Header).parameters(entry.input.header.as_ref()),
    });
    if let Some(body) = &entry.input.body {
        let sampler = sampler(Place::Body);
        let json = body.content_type.contains("json");
        input["body"] = match &body.schema {
            Some(schema) if json => sampler.value(schema),
            _ if json => sampler.value(&ANY),
            _ => sampler.bytes(),
        };
    }
    priced(entry, &mut input, round);
    Call {
        endpoint,
        visits: vec![visit(entry, input, answer(entry, document, round))],
        ..Call::default()
    }
}

/// The answer to a call that is made of the schemas.
fn answer(entry: &EndpointEntry, document: &Value, round: usize) -> Value {
    let sampler = Sampler::new(document, round, Place::Body);
    let output = &entry.output;
    let schema = output.schema.as_ref().unwrap_or(&ANY);
    let kind = output.content_type.as_str();
    if output.status == 204 || kind.is_empty() {
        Value::Null
    } else if output.stream.is_some() || kind.ends_with("ndjson") || kind.ends_with("event-stream")
    {
        (0..=round).map(|_| sampler.value(schema)).collect()
    } else if kind.contains("json") {
        let mut made = sampler.value(schema);
        metered(entry, &mut made, round);
        made
    } else if kind.starts_with("text/") {
        json!(sampler.text())
    } else {
        sampler.bytes()
    }
}

/// Writes quantities where the meters of a price look for them.
fn metered(entry: &EndpointEntry, output: &mut Value, round: usize) {
    let units = entry.price.rule.get("units").and_then(Value::as_array);
    for meter in units.into_iter().flatten().map(|unit| &unit["meter"]) {
        let pointer = meter["pointer"].as_str().unwrap_or_default();
        if let Some(found) = output
            .pointer_mut(pointer)
            .filter(|_| meter["source"] == "response-body")
        {
            *found = json!(1 + 13 * round);
        }
    }
}

/// Writes values that have a price where the price is decided.
fn priced(entry: &EndpointEntry, input: &mut Value, round: usize) {
    let dimensions = entry.price.rule.get("dimensions").and_then(Value::as_array);
    for dimension in dimensions.into_iter().flatten() {
        let by = &dimension["by"];
        if by.get("measure").is_some_and(|measure| measure != "value") {
            continue;
        }
        let tiers = dimension["cases"].as_array().map(|all| (all, "equals"));
        let tiers = tiers.or_else(|| dimension["bands"].as_array().map(|all| (all, "upTo")));
        let Some((all, name)) = tiers else { continue };
        let value = &all[round % all.len()][name];
        let (source, pointer) = (by["source"].as_str(), by["pointer"].as_str());
        let (Some(source), Some(pointer)) = (source, pointer) else {
            continue;
        };
        if !value.is_null() && source != "body" {
            input[source][pointer] = value.clone();
        } else if !value.is_null() {
            let name = pointer.trim_start_matches('/');
            input["body"][name] = value.clone();
        }
    }
}
