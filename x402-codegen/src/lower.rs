//! From a price manifest to a client.

use serde_json::Value;
use x402_model::endpoint::rules::captures;
use x402_model::manifest::{AllowanceEntry, Document, EndpointEntry, Manifest};

use crate::error::CodegenError;
use crate::escape::path_segment;
use crate::model::{
    Body, ClientModel, Encoding, EndpointModel, ErrorModel, Example, Field, Output, Pagination,
    Param, ParamPlace, PathPart, Pricing, ServiceModel, Style, TypeRef,
};
use crate::names::pascal;
use crate::schema::{Place, Types, describe};
use crate::sentence;

/// Headers that the payment or the connection sets, and that no parameter may set.
pub(crate) const RESERVED_HEADERS: &[&str] = &[
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "payment-required",
    "payment-response",
    "payment-signature",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-payment",
    "x-payment-response",
];

/// The client of a manifest.
///
/// # Errors
/// [`CodegenError`].
pub fn lower(document: &Document) -> Result<ClientModel, CodegenError> {
    let manifest = document.manifest();
    let mut types = Types::new(document.value(), "/schemas");
    let mut endpoints = Vec::with_capacity(manifest.endpoints.len());
    let mut skipped = Vec::new();
    for (number, entry) in manifest.endpoints.iter().enumerate() {
        if entry.kind == "http" {
            let place = format!("/endpoints/{number}");
            endpoints.push(endpoint(document, entry, &place, &mut types)?);
        } else {
            skipped.push(format!("/endpoints/{number}: no HTTP endpoint, left out"));
        }
    }
    let (types, mut warnings) = types.finish()?;
    warnings.extend(skipped);
    let pins = crate::pins::of(manifest, &mut warnings);
    let service = &manifest.service;
    Ok(ClientModel {
        service: ServiceModel {
            name: service.name.clone(),
            description: service.description.clone(),
            version: service.version.clone(),
            revision: Some(service.revision),
            base: service.origin.clone(),
            content_hash: document.content_hash_text(),
        },
        currency: manifest.currency.clone(),
        types,
        endpoints,
        errors: errors(manifest),
        shared_errors: manifest.defaults.errors.clone(),
        pins,
        warnings,
    })
}

fn errors(manifest: &Manifest) -> Vec<ErrorModel> {
    let all = manifest.errors.iter().map(|(code, entry)| ErrorModel {
        code: code.clone(),
        status: entry.status,
        retryable: entry.retryable,
        charged: entry.charged,
        action: entry.action.clone(),
        description: entry.description.clone(),
    });
    all.collect()
}

fn endpoint<'d>(
    document: &'d Document,
    entry: &'d EndpointEntry,
    place: &str,
    types: &mut Types<'d>,
) -> Result<EndpointModel, CodegenError> {
    let manifest = document.manifest();
    let name = pascal(&entry.id, "Call");
    // Schemas are read from the document itself, because references are about it.
    let raw = |path: &str| document.value().pointer(&format!("{place}{path}"));
    let path = entry.path.as_deref().unwrap_or("/");
    let mut params = Vec::new();
    for at in [ParamPlace::Path, ParamPlace::Query, ParamPlace::Header] {
        let pointer = format!("/input/{}", at.as_str());
        let place = Place::root(format!("{place}{pointer}"));
        if let Some(schema) = raw(&pointer) {
            parameters(schema, at, &place, &name, types, &mut params)?;
        }
    }
    let body = body(entry, raw("/input/body/schema"), place, &name, types)?;
    let output = output(entry, raw("/output/schema"), place, &name, types)?;
    let rails: Vec<_> = manifest.rails_of(entry).collect();
    let pages = entry.output.pagination.as_ref();
    let errors = entry.errors.as_ref().unwrap_or(&manifest.defaults.errors);
    Ok(EndpointModel {
        id: entry.id.clone(),
        summary: entry.summary.clone(),
        description: entry.description.clone(),
        method: entry.method.clone().unwrap_or_else(|| "GET".to_owned()),
        path: path_parts(path),
        query: Vec::new(),
        params: with_captures(params, path),
        body,
        output,
        pagination: pages.map(|pages| Pagination {
            next: pages.next.clone(),
            items: pages.items.clone(),
            parameter: pages.parameter.clone(),
        }),
        price: Some(pricing(manifest, entry)),
        errors: errors.clone(),
        max_timeout_seconds: rails.iter().map(|(_, rail)| rail.max_timeout_seconds).min(),
        rails: rails.into_iter().map(|(key, _)| key.to_owned()).collect(),
        deprecated: deprecated(manifest, entry),
        notes: notes(manifest, entry),
        examples: examples(entry),
    })
}

fn examples(entry: &EndpointEntry) -> Vec<Example> {
    let all = entry.examples.iter().map(|example| Example {
        name: example.name.clone(),
        input: example.input.clone(),
        cost: example.cost.map(|cost| cost.0),
        output: example.output.clone(),
    });
    all.collect()
}

fn deprecated(manifest: &Manifest, entry: &EndpointEntry) -> Option<String> {
    let own = entry.deprecation.as_ref();
    let deprecation = own.or_else(|| {
        let mut all = manifest.deprecations.iter();
        all.find(|deprecation| deprecation.endpoint.as_deref() == Some(&entry.id))
    })?;
    let end = deprecation.sunset.as_ref();
    let end = end.map(|end| format!(", gone after {end}"));
    let instead = deprecation.replacement.as_ref();
    let instead = instead.map(|id| format!("; use {id}"));
    Some(format!(
        "deprecated since {}{}{}",
        deprecation.deprecated_at,
        end.unwrap_or_default(),
        instead.unwrap_or_default()
    ))
}

fn body<'d>(
    entry: &EndpointEntry,
    schema: Option<&'d Value>,
    place: &str,
    name: &str,
    types: &mut Types<'d>,
) -> Result<Option<Body>, CodegenError> {
    let Some(body) = &entry.input.body else {
        return Ok(None);
    };
    let place = Place::root(format!("{place}/input/body/schema"));
    let json = match schema {
        _ if !is_json(&body.content_type) => None,
        Some(schema) => Some(types.lower(schema, &place, &format!("{name}Body"))?),
        None => Some(TypeRef::Any),
    };
    Ok(Some(Body {
        content_type: body.content_type.clone(),
        encoding: if json.is_some() {
            Encoding::Json
        } else {
            Encoding::Bytes
        },
        json,
        required: true,
        max_bytes: body.max_bytes,
    }))
}

/// Members of an object schema as parameters.
pub(crate) fn parameters<'d>(
    schema: &'d Value,
    at: ParamPlace,
    place: &Place,
    name: &str,
    types: &mut Types<'d>,
    params: &mut Vec<Param>,
) -> Result<(), CodegenError> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok(());
    };
    let required = schema.get("required").and_then(Value::as_array);
    let mut names: Vec<&String> = properties.keys().collect();
    names.sort();
    for wire in names {
        let Some(property) = properties.get(wire) else {
            continue;
        };
        let hint = format!("{name}{}", pascal(wire, "Value"));
        let inner = place.member(wire);
        let required = required.is_some_and(|all| all.iter().any(|name| name == wire));
        let field = Field {
            wire: wire.clone(),
            docs: describe(property),
            ty: types.lower(property, &inner, &hint)?,
            required: required || at == ParamPlace::Path,
            deprecated: property.get("deprecated") == Some(&Value::Bool(true)),
        };
        let param = Param {
            place: at,
            field,
            style: Style::Plain,
        };
        params.push(checked(param, &inner.pointer)?);
    }
    Ok(())
}

/// Refuses parameters that could take the place of something else in a request.
pub(crate) fn checked(param: Param, place: &str) -> Result<Param, CodegenError> {
    let name = &param.field.wire;
    let refuse = |reason: &str| {
        Err(CodegenError::Parameter {
            place: place.to_owned(),
            reason: reason.to_owned(),
        })
    };
    if param.place != ParamPlace::Header {
        return Ok(param);
    }
    let lower = name.to_ascii_lowercase();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > 100 || !name.bytes().all(token) {
        return refuse("a header has a name of letters, digits and `-`");
    }
    if RESERVED_HEADERS.contains(&lower.as_str()) {
        return refuse("the payment or the connection sets this header");
    }
    Ok(param)
}

/// The parameters with those captures of the path that no schema speaks of, and without those that the path has not.
pub(crate) fn with_captures(params: Vec<Param>, path: &str) -> Vec<Param> {
    let names: Vec<&str> = captures(path).collect();
    let mut all: Vec<Param> = names
        .iter()
        .map(|name| {
            let known = params
                .iter()
                .find(|p| p.place == ParamPlace::Path && p.field.wire == **name);
            known.cloned().unwrap_or_else(|| Param {
                place: ParamPlace::Path,
                field: Field {
                    wire: (*name).to_owned(),
                    docs: None,
                    ty: TypeRef::Text,
                    required: true,
                    deprecated: false,
                },
                style: Style::Plain,
            })
        })
        .collect();
    all.extend(params.into_iter().filter(|p| p.place != ParamPlace::Path));
    all
}

/// The parts of a path with `{captures}`.
pub(crate) fn path_parts(path: &str) -> Vec<PathPart> {
    path.split('/')
        .skip(1)
        .map(|segment| {
            let inner = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
            match inner {
                Some(name) => match name.strip_prefix('*') {
                    Some(rest) => PathPart::Rest(rest.to_owned()),
                    None => PathPart::Capture(name.to_owned()),
                },
                None => PathPart::Fixed(path_segment(segment)),
            }
        })
        .collect()
}

/// Whether a media type is JSON.
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

fn output<'d>(
    entry: &EndpointEntry,
    schema: Option<&'d Value>,
    place: &str,
    name: &str,
    types: &mut Types<'d>,
) -> Result<Output, CodegenError> {
    let output = &entry.output;
    let at = Place::root(format!("{place}/output/schema"));
    answer(
        &output.content_type,
        output.status,
        output.stream.as_deref(),
        schema,
        &at,
        name,
        types,
    )
}

/// What an answer of a media type is.
pub(crate) fn answer<'d>(
    media_type: &str,
    status: u16,
    stream: Option<&str>,
    schema: Option<&'d Value>,
    place: &Place,
    name: &str,
    types: &mut Types<'d>,
) -> Result<Output, CodegenError> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let lines = stream == Some("ndjson") || essence == "application/x-ndjson";
    let stream = stream.is_some() || lines || essence == "text/event-stream";
    if stream {
        let hint = format!("{name}Event");
        let item = schema.map(|schema| types.lower(schema, place, &hint));
        return Ok(Output::Stream {
            item: item.transpose()?.unwrap_or(TypeRef::Any),
            lines,
        });
    }
    if status == 204 || essence.is_empty() {
        return Ok(Output::Empty);
    }
    if is_json(media_type) {
        let hint = format!("{name}Result");
        let ty = schema.map(|schema| types.lower(schema, place, &hint));
        return Ok(Output::Json(ty.transpose()?.unwrap_or(TypeRef::Any)));
    }
    if essence.starts_with("text/") {
        return Ok(Output::Text);
    }
    Ok(Output::Bytes)
}

fn pricing(manifest: &Manifest, entry: &EndpointEntry) -> Pricing {
    let bounds = &entry.price.bounds;
    // Reading has refused a broken rule of a known model.
    let model = manifest.price_model(entry).unwrap_or_default();
    let (min, max) = (bounds.min.0.normalized(), bounds.max.0.normalized());
    let sentence = sentence::of(model.as_ref(), bounds, &manifest.currency);
    Pricing {
        min,
        max,
        model,
        sentence,
    }
}

fn notes(manifest: &Manifest, entry: &EndpointEntry) -> Vec<String> {
    let mut notes: Vec<String> = entry.allowances.iter().map(allowance).collect();
    for limit in &manifest.defaults.rate_limits {
        notes.push(format!(
            "At most {} calls in {} seconds.",
            limit.requests, limit.window.seconds
        ));
    }
    if !entry.plans.is_empty() {
        notes.push(format!("Plans: {}.", entry.plans.join(", ")));
    }
    for change in &entry.scheduled {
        if let Some(price) = &change.price {
            notes.push(format!(
                "From {} on it costs {} to {} {}.",
                change.effective_from, price.bounds.min, price.bounds.max, manifest.currency
            ));
        }
    }
    notes
}

fn allowance(allowance: &AllowanceEntry) -> String {
    let calls = allowance.calls;
    match allowance.window {
        Some(window) => format!("{calls} free calls in {} seconds.", window.seconds),
        None => format!("{calls} free calls."),
    }
}
