//! One operation: where it is, what it costs, and its parts put together.

use serde_json::Value;
use x402_model::manifest::{SelectorEntry, schema_default};
use x402_model::pointer::escaped;
use x402_model::price::CaseValue;

use super::content::{body, examples, output};
use super::parameter::parameters;
use super::path::Template;
use super::{Description, payment};
use crate::error::CodegenError;
use crate::model::EndpointModel;
use crate::names::pascal;
use crate::schema::{Types, text};

/// Where an operation is.
pub(super) struct Route<'d> {
    pub(super) path: &'d str,
    pub(super) method: &'d str,
    pub(super) item: &'d Value,
    pub(super) operation: &'d Value,
}

impl Route<'_> {
    pub(super) fn pointer(&self) -> String {
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
    let Some(path) = Template::read(route.path) else {
        let warning = format!("{pointer}: the path cannot be read, so the call is left out");
        description.warnings.push(warning);
        return Ok(None);
    };
    let id = operation.get("operationId").and_then(Value::as_str);
    let id = id.map_or_else(|| format!("{} {}", route.method, route.path), str::to_owned);
    let name = pascal(&id, "Call");
    let params = parameters(description, route, &name, types)?;
    let body = body(description, route, &name, types)?;
    let (output, output_examples) = output(description, route, &name, types)?;
    let body_schema = body.as_ref().and_then(|body| body.schema);
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
        Some(price) if !price.max.is_zero() => description.ways(operation, &pointer),
        _ => Vec::new(),
    };
    let summary = text(operation, "summary").unwrap_or_else(|| id.clone());
    let examples = examples(
        &output_examples,
        body.as_ref().map_or(&[], |body| &body.examples),
    );
    Ok(Some(EndpointModel {
        id,
        summary,
        description: text(operation, "description"),
        method: route.method.to_ascii_uppercase(),
        params: path.with_captures(params),
        path: path.parts,
        query: path.query,
        notes: body.iter().filter_map(|body| body.note.clone()).collect(),
        body: body.map(|body| body.body),
        output,
        pagination: None,
        price,
        errors: Vec::new(),
        rails,
        max_timeout_seconds: payment::timeout(operation),
        deprecated: (operation.get("deprecated") == Some(&Value::Bool(true)))
            .then(|| "deprecated".to_owned()),
        examples,
    }))
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
