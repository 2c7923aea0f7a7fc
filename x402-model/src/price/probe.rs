//! The price of an endpoint's example request, written as JSON: what a bare request is offered.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::evaluate::{Due, evaluate};
use super::expr::Price;
use super::facts::Facts;
use super::model::PriceModel;
use super::refusal::PriceError;

/// An example request: `{"path": {…}, "query": {…}, "header": {…}, "body": …}`, all of them optional.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example<'a> {
    #[serde(default)]
    path: BTreeMap<String, Value>,
    #[serde(default)]
    query: BTreeMap<String, Value>,
    #[serde(default)]
    header: BTreeMap<String, Value>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

pub(super) fn price(model: &PriceModel, example: Option<&str>) -> Result<Price, PriceError> {
    let most = || Ok(model.bounds().max);
    let Some(example) = example else {
        return most();
    };
    match evaluate(model, &Facts::of_example(example)?, &[])? {
        Due::Exact(price) => Ok(price),
        Due::UpTo(_) | Due::Quoted(_) => most(),
    }
}

impl<'a> Facts<'a> {
    /// The request that an example describes: a JSON object with the members `path`, `query` and `header`, each an object
    /// of strings, numbers and truth values, and `body`, any JSON. All of them are optional.
    ///
    /// # Errors
    /// [`PriceError::Example`].
    ///
    /// ```
    /// use x402_model::price::Facts;
    ///
    /// assert!(Facts::of_example(r#"{"path": {"city": "Oslo"}, "body": {"quality": "fast"}}"#).is_ok());
    /// assert!(Facts::of_example(r#"{"boddy": {}}"#).is_err());
    /// ```
    pub fn of_example(text: &'a str) -> Result<Self, PriceError> {
        let wrong = |reason: String| PriceError::Example { reason };
        let example: Example<'a> =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let scalar = |value: Value| match value {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(value) => Ok(value.to_string()),
            _ => Err(wrong(
                "captures, parameters and headers are strings, numbers or truth values".to_owned(),
            )),
        };
        // A request with a body that nobody sent is one with an empty body.
        let body = example.body.map_or("", RawValue::get);
        let mut facts = Self::new().body(body.as_bytes());
        for (name, value) in example.path {
            facts = facts.capture(name, scalar(value)?);
        }
        for (name, value) in example.header {
            facts = facts.header(name, scalar(value)?.into_bytes());
        }
        let mut query = String::new();
        for (name, value) in example.query {
            for (mark, part) in [("&", name), ("=", scalar(value)?)] {
                query.push_str(mark);
                encode(&part, &mut query);
            }
        }
        Ok(facts.query(query))
    }
}

/// Writes text as it stands in a query.
fn encode(text: &str, query: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            query.push(char::from(byte));
        } else {
            query.push_str(&format!("%{byte:02X}"));
        }
    }
}
