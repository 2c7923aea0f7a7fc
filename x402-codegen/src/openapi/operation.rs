//! One operation: its parameters, its body, its answer.

use serde_json::{Value, json};
use x402_model::manifest::{SelectorEntry, schema_default};
use x402_model::pointer::escaped;
use x402_model::price::CaseValue;

use super::{Description, payment, sorted};
use crate::error::CodegenError;
use crate::lower::{RESERVED_HEADERS, answer, checked, is_json, path_parts, with_captures};
use crate::model::{
    Body, EndpointModel, Example, Field, Output, Param, ParamPlace, PathPart, TypeRef,
};
use crate::names::pascal;
use crate::schema::{Place, Types, describe, text};

/// Where an operation is.
pub(super) struct Route<'d> {
    pub(super) path: &'d str,
    pub(super) method: &'d str,
    pub(super) item: &'d Value,
    pub(super) operation: &'d Value,
}

impl Route<'_> {
    fn pointer(&self) -> String {
        format!("/paths/{}/{}", escaped(self.path), self.method)
    }
}

/// The endpoint of an operation; `None` for one that cannot be called, which is a warning.
pub(super) fn lower<'d>(
    description: &mut Description<'d>,
    route: &Route<'d>,
    types: &mut Types<'d>,
) -> Result<Option<EndpointModel>, CodegenError> {
    let (operation, pointer) = (route.operation, route.pointer());
    let path = path_parts(route.path);
    let partial = |part: &PathPart| matches!(part, PathPart::Fixed(text) if text.contains("%7B"));
    if !route.path.starts_with('/') || path.iter().any(partial) {
        let warning = format!("{pointer}: a path with a capture beside other text is left out");
        description.warnings.push(warning);
        return Ok(None);
    }
    let id = operation.get("operationId").and_then(Value::as_str);
    let id = id.map_or_else(|| format!("{} {}", route.method, route.path), str::to_owned);
    let name = pascal(&id, "Call");
    let params = parameters(description, route, &name, types)?;
    let body = body(description, route, &name, types)?;
    let (output, output_examples) = output(description, route, &name, types)?;
    let body_schema = body.as_ref().and_then(|(_, schema, _)| *schema);
    let defaults =
        |selector: &SelectorEntry| default_of(description.document, route, body_schema, selector);
    let price = match payment::pricing(operation, &description.currency, &defaults) {
        Ok(price) => price,
        Err(reason) => {
            let warning = format!("{pointer}: the price {reason}, so the call is not paid");
            description.warnings.push(warning);
            None
        }
    };
    let rails = match &price {
        Some(price) if !price.max.is_zero() => description.rails(payment::pins(operation)),
        _ => Vec::new(),
    };
    let summary = text(operation, "summary").unwrap_or_else(|| id.clone());
    let examples = examples(
        &output_examples,
        body.as_ref().map_or(&[], |(_, _, all)| all),
    );
    Ok(Some(EndpointModel {
        id,
        summary,
        description: text(operation, "description"),
        method: route.method.to_ascii_uppercase(),
        path,
        params: with_captures(params, route.path),
        body: body.map(|(body, ..)| body),
        output,
        pagination: None,
        price,
        errors: Vec::new(),
        rails,
        max_timeout_seconds: payment::timeout(operation),
        deprecated: (operation.get("deprecated") == Some(&Value::Bool(true)))
            .then(|| "deprecated".to_owned()),
        notes: Vec::new(),
        examples,
    }))
}

/// Parameters of the operation and of its path; those of the operation come first.
fn parameters<'d>(
    description: &Description<'d>,
    route: &Route<'d>,
    name: &str,
    types: &mut Types<'d>,
) -> Result<Vec<Param>, CodegenError> {
    let pointer = route.pointer();
    let above = format!("/paths/{}", escaped(route.path));
    let mut params: Vec<Param> = Vec::new();
    for (owner, pointer) in [(route.operation, pointer), (route.item, above)] {
        let all = owner.get("parameters").and_then(Value::as_array);
        for (number, parameter) in all.into_iter().flatten().enumerate() {
            let at = format!("{pointer}/parameters/{number}");
            let (parameter, at) = description.part(parameter, at)?;
            let (Some(wire), Some(place)) = (text(parameter, "name"), place(parameter)) else {
                continue;
            };
            let known = |param: &Param| param.place == place && param.field.wire == wire;
            if params.iter().any(known) {
                continue;
            }
            let hint = format!("{name}{}", pascal(&wire, "Value"));
            let schema_at = Place::root(format!("{at}/schema"));
            let schema = parameter.get("schema");
            let ty = schema.map(|schema| types.lower(schema, &schema_at, &hint));
            let said = text(parameter, "description");
            let field = Field {
                docs: said.or_else(|| schema.and_then(describe)),
                ty: ty.transpose()?.unwrap_or(TypeRef::Text),
                required: place == ParamPlace::Path
                    || parameter.get("required") == Some(&Value::Bool(true)),
                deprecated: parameter.get("deprecated") == Some(&Value::Bool(true)),
                wire,
            };
            // The client sets these itself; descriptions list them for readers that want an input.
            let lower = field.wire.to_ascii_lowercase();
            let own = RESERVED_HEADERS.contains(&lower.as_str()) || lower == "authorization";
            if place == ParamPlace::Header && own {
                continue;
            }
            params.push(checked(Param { place, field }, &at)?);
        }
    }
    params.sort_by(|left, right| {
        (left.place, &left.field.wire).cmp(&(right.place, &right.field.wire))
    });
    Ok(params)
}

fn place(parameter: &Value) -> Option<ParamPlace> {
    match parameter.get("in")?.as_str()? {
        "path" => Some(ParamPlace::Path),
        "query" => Some(ParamPlace::Query),
        "header" => Some(ParamPlace::Header),
        _ => None,
    }
}

/// The media type that is used of several: JSON if there is one, else the first by name.
fn media(content: Option<&Value>) -> Option<(&String, &Value)> {
    let all = sorted(content);
    let json = all.iter().find(|(kind, _)| is_json(kind)).copied();
    json.or_else(|| all.first().copied())
}

type Named = Vec<(String, Value)>;

/// Examples of a media type, by name.
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

fn examples(outputs: &Named, inputs: &[(String, Value)]) -> Vec<Example> {
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

type FoundBody<'d> = (Body, Option<&'d Value>, Named);

fn body<'d>(
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
    let Some((kind, media)) = media(body.get("content")) else {
        return Ok(None);
    };
    let schema = media.get("schema").filter(|_| is_json(kind));
    let place = Place::root(format!("{at}/content/{}/schema", escaped(kind)));
    let json = match schema {
        Some(schema) => Some(types.lower(schema, &place, &format!("{name}Body"))?),
        None => is_json(kind).then_some(TypeRef::Any),
    };
    let found = Body {
        content_type: kind.clone(),
        json,
        required: body.get("required") == Some(&Value::Bool(true)),
        max_bytes: None,
    };
    Ok(Some((found, schema, named(media))))
}

fn output<'d>(
    description: &Description<'d>,
    route: &Route<'d>,
    name: &str,
    types: &mut Types<'d>,
) -> Result<(Output, Named), CodegenError> {
    let responses = sorted(route.operation.get("responses"));
    let success = |(code, _): &&(&String, &Value)| code.starts_with('2');
    let default = |(code, _): &&(&String, &Value)| *code == "default";
    let found = responses
        .iter()
        .find(success)
        .or_else(|| responses.iter().find(default));
    let Some((code, response)) = found else {
        return Ok((Output::Empty, Named::new()));
    };
    let at = format!("{}/responses/{}", route.pointer(), escaped(code));
    let (response, at) = description.part(response, at)?;
    let Some((kind, media)) = media(response.get("content")) else {
        return Ok((Output::Empty, Named::new()));
    };
    let place = Place::root(format!("{at}/content/{}/schema", escaped(kind)));
    let status = code.parse().unwrap_or(200);
    let output = answer(kind, status, None, media.get("schema"), &place, name, types)?;
    Ok((output, named(media)))
}

/// What counts where a value that decides about the price is left out.
fn default_of(
    document: &Value,
    route: &Route<'_>,
    body: Option<&Value>,
    selector: &SelectorEntry,
) -> Option<CaseValue> {
    let found = if selector.source == "body" {
        let shared =
            |name: &str| document.pointer(&format!("/components/schemas/{}", escaped(name)));
        schema_default(body?, &selector.pointer, &shared)?
    } else {
        let mut all = route.operation.get("parameters")?.as_array()?.iter();
        let parameter = all.find(|parameter| {
            let text = |name: &str| parameter.get(name).and_then(Value::as_str);
            text("in") == Some(&selector.source) && text("name") == Some(&selector.pointer)
        })?;
        parameter.pointer("/schema/default")?.clone()
    };
    CaseValue::from_json(&found)
}
