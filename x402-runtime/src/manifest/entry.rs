//! One bound endpoint as an entry of the manifest.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use x402_model::endpoint::rules;
use x402_model::endpoint::{DeprecationSpec, Method, class_of_change, operation_id};
use x402_model::extension::timestamp::print_seconds;
use x402_model::manifest::{
    AllowanceEntry, Amount, BodyEntry, Deprecation, EndpointEntry, ExampleEntry, Idempotency,
    InputEntry, OutputEntry, Period, PriceEntry, ScheduledEntry,
};
use x402_model::money::Decimal;
use x402_model::price::{
    Allowance, AllowanceKind, CaseValue, DimensionTable, Due, Facts, Identify, PriceModel, Scope,
    Selector, Source, evaluate,
};

use super::shapes::{captures, set_default};
use crate::bind::BoundEndpoint;
use crate::events::EVENTS;
use crate::handler::described::Shapes;
use crate::paywall::PaymentIds;

/// What the entries of all endpoints are made with.
pub(super) struct Common<'c> {
    pub(super) named: &'c mut BTreeMap<String, Value>,
    pub(super) body_cap: usize,
    /// The rails of an endpoint, by their keys in the manifest.
    pub(super) rails: &'c dyn Fn(&BoundEndpoint) -> Vec<String>,
    /// What most endpoints accept.
    pub(super) usual_rails: &'c [String],
    pub(super) usual_idempotency: &'c Idempotency,
    pub(super) retention_seconds: u64,
}

impl Common<'_> {
    /// The entry of one endpoint.
    ///
    /// # Errors
    /// When its price cannot be written as JSON.
    pub(super) fn entry(
        &mut self,
        endpoint: &BoundEndpoint,
    ) -> Result<EndpointEntry, serde_json::Error> {
        let spec = endpoint.spec();
        let rails = (self.rails)(endpoint);
        let idempotency = idempotency(endpoint.payment_ids(), self.retention_seconds);
        let summary = if spec.summary.is_empty() {
            spec.id
        } else {
            spec.summary
        };
        let reads = endpoint.method() == Method::Get;
        Ok(EndpointEntry {
            id: operation_id(spec.id),
            kind: "http".to_owned(),
            method: Some(endpoint.method().to_string()),
            path: Some(endpoint.path().replace("{*", "{")),
            summary: summary.to_owned(),
            description: Some(spec.description)
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            since: None,
            tags: spec.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            safe: Some(reads),
            idempotent: Some(matches!(
                endpoint.method(),
                Method::Get | Method::Put | Method::Delete
            )),
            input: self.input(endpoint),
            output: output(endpoint),
            rails: (rails != self.usual_rails).then_some(rails),
            price: PriceEntry::of(&spec.price)?,
            charge: None,
            allowances: spec.allowances.iter().map(allowance).collect(),
            plans: spec.plans.iter().map(|plan| plan.id.to_string()).collect(),
            latency_ms: None,
            errors: None,
            idempotency: (idempotency != *self.usual_idempotency).then_some(idempotency),
            examples: example(endpoint).into_iter().collect(),
            scheduled: scheduled(endpoint)?,
            deprecation: spec.lifecycle.deprecation.map(deprecation),
        })
    }

    fn input(&mut self, endpoint: &BoundEndpoint) -> InputEntry {
        let shapes = endpoint.shapes();
        let names: Vec<&str> = rules::captures(endpoint.path()).collect();
        let mut input = InputEntry {
            path: captures(&names, shapes.path.as_ref()),
            query: shapes.query.clone(),
            header: shapes.header.clone(),
            body: self.body(shapes),
        };
        for (selector, wanted) in looked_at(&endpoint.spec().price) {
            self.note(&mut input, selector, wanted);
        }
        input
    }

    fn body(&self, shapes: &Shapes) -> Option<BodyEntry> {
        let (content_type, schema) = shapes.body.as_ref()?;
        Some(BodyEntry {
            content_type: (*content_type).to_owned(),
            max_bytes: u64::try_from(self.body_cap).ok(),
            schema: schema.clone(),
        })
    }

    /// Makes sure that what a price looks at stands in the input, with the default that the price takes.
    fn note(&mut self, input: &mut InputEntry, selector: &Selector, wanted: Value) {
        let name = selector.pointer.trim_start_matches('/').to_owned();
        let default = selector.default.as_ref().map(CaseValue::to_json);
        let place = match selector.source {
            Source::Query => &mut input.query,
            Source::Header => &mut input.header,
            Source::Body => {
                let schema = input.body.as_mut().and_then(|body| body.schema.as_mut());
                if let (Some(schema), Some(default)) = (schema, default) {
                    set_default(self.named, schema, &selector.pointer, &default);
                }
                return;
            }
            _ => return,
        };
        let schema = place.get_or_insert_with(|| json!({ "type": "object", "properties": {} }));
        if let Some(default) = &default {
            // A property that the handler's type has.
            if set_default(self.named, schema, &format!("/{name}"), default) {
                return;
            }
        }
        let known = has_property(self.named, schema, &name);
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        if let (false, Some(properties)) = (known, properties) {
            let mut property = wanted;
            if let (Some(default), Some(members)) = (default, property.as_object_mut()) {
                members.insert("default".to_owned(), default);
            }
            properties.insert(name, property);
        }
    }
}

fn has_property(named: &BTreeMap<String, Value>, schema: &Value, name: &str) -> bool {
    let referred = schema.get("$ref").and_then(Value::as_str);
    let referred = referred.and_then(|to| named.get(to.strip_prefix("#/schemas/")?));
    referred
        .unwrap_or(schema)
        .get("properties")
        .is_some_and(|properties| properties.get(name).is_some())
}

/// What a price looks at in the request, with the schema that such a value has.
fn looked_at(price: &PriceModel) -> Vec<(&Selector, Value)> {
    match price {
        PriceModel::Tiered { dimensions, .. } => {
            let one = |table: &DimensionTable| match table {
                DimensionTable::Bands(_) => json!({ "type": "string" }),
                DimensionTable::Cases(cases) => {
                    let values = cases.iter().map(|case| match &case.equals {
                        CaseValue::Text(text) => json!(text),
                        other => json!(other.to_json().to_string()),
                    });
                    json!({ "type": "string", "enum": values.collect::<Vec<Value>>() })
                }
            };
            let tables = dimensions.iter();
            tables
                .map(|dimension| (&dimension.by, one(&dimension.table)))
                .collect()
        }
        PriceModel::Usage { units, .. } => {
            let estimates = units.iter().filter_map(|unit| unit.estimate.as_ref());
            estimates
                .map(|estimate| (estimate, json!({ "type": "string" })))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn output(endpoint: &BoundEndpoint) -> OutputEntry {
    let content_type = endpoint.mime_type();
    // A type that is described as another media type than its author says is not what is answered.
    let answer = endpoint.shapes().answer.as_ref();
    let schema = answer.filter(|(told, _)| *told == content_type);
    OutputEntry {
        status: 200,
        stream: (content_type == EVENTS).then(|| "sse".to_owned()),
        schema: schema.and_then(|(_, schema)| schema.clone()),
        content_type: content_type.to_owned(),
        pagination: None,
    }
}

/// The prices that are still to come, each compared with the one before it.
fn scheduled(endpoint: &BoundEndpoint) -> Result<Vec<ScheduledEntry>, serde_json::Error> {
    let spec = endpoint.spec();
    let mut before = &spec.price;
    let to_come = spec.lifecycle.scheduled.iter();
    let to_come = to_come.filter(|next| next.from > endpoint.since());
    to_come
        .map(|next| {
            let class = class_of_change(before, &next.price).to_owned();
            before = &next.price;
            Ok(ScheduledEntry {
                effective_from: print_seconds(next.from),
                announced_at: next.announced.map(print_seconds),
                class,
                reason: next.reason.map(str::to_owned),
                price: Some(PriceEntry::of(&next.price)?),
            })
        })
        .collect()
}

fn deprecation(spec: DeprecationSpec) -> Deprecation {
    let named = |text: &str| match text.contains("://") {
        true => text.to_owned(),
        false => operation_id(text),
    };
    Deprecation {
        endpoint: None,
        deprecated_at: print_seconds(spec.since),
        sunset: spec.sunset.map(print_seconds),
        replacement: spec.replacement.map(named),
    }
}

fn allowance(allowance: &Allowance) -> AllowanceEntry {
    let (kind, window) = match allowance.kind {
        AllowanceKind::FreeQuota { window_seconds } => ("free-quota", Some(window_seconds)),
        AllowanceKind::Trial => ("trial", None),
    };
    let scope = match allowance.scope {
        Scope::Payer => "payer",
        Scope::Client => "client",
        _ => "global",
    };
    let identify = match allowance.identify {
        Identify::SignInWithX => Some("sign-in-with-x"),
        Identify::ApiKey => Some("api-key"),
        _ => None,
    };
    AllowanceEntry {
        kind: kind.to_owned(),
        scope: scope.to_owned(),
        calls: allowance.calls,
        window: window.map(|seconds| Period { seconds }),
        identify: identify.map(str::to_owned),
    }
}

/// How the same call is told from another one.
pub(super) fn idempotency(ids: PaymentIds, retention_seconds: u64) -> Idempotency {
    let mut mechanisms = vec!["payment".to_owned()];
    if ids != PaymentIds::Off {
        mechanisms.push("payment-identifier".to_owned());
    }
    Idempotency {
        mechanisms,
        required: ids == PaymentIds::Required,
        scope: ["payer", "endpoint"].map(str::to_owned).to_vec(),
        retention_seconds: Some(retention_seconds),
        same_key_same_payload: Some("replay".to_owned()),
        same_key_other_payload: Some("409".to_owned()),
    }
}

/// The example request and what it costs, as a reader of the manifest works it out.
fn example(endpoint: &BoundEndpoint) -> Option<ExampleEntry> {
    let probe = endpoint.spec().probe?;
    let input: Map<String, Value> = serde_json::from_str(probe).ok()?;
    Some(ExampleEntry {
        name: "example".to_owned(),
        input: Value::Object(input),
        cost: cost(endpoint, probe).map(|cost| Amount(cost.normalized())),
        output: None,
    })
}

/// What an example costs, or may at most where it is metered. Nothing where only a quote tells.
fn cost(endpoint: &BoundEndpoint, probe: &str) -> Option<Decimal> {
    let facts = Facts::of_example(probe).ok()?;
    match evaluate(&endpoint.spec().price, &facts, &[]).ok()? {
        Due::Exact(price) => Some(price.amount),
        Due::UpTo(ceiling) => {
            let decimals = endpoint.assets().first()?.decimals;
            let most = ceiling.on(decimals).ok()?;
            most.to_decimal(decimals).parse().ok()
        }
        _ => None,
    }
}
