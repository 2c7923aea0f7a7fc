//! Puts values into a request as generated clients do, and tells what that request costs by the manifest.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use x402_runtime::model::manifest::{EndpointEntry, Manifest};
use x402_runtime::model::price::{Due, Facts, evaluate};

use super::super::Args;
use super::super::contract::Quote;
use super::super::request::{Prepared, Promise, header};
use super::NAME;
use super::arguments::{Bound, wrong};
use crate::inputs::Place;
use crate::{Failure, shown};

/// Decimals in which a ceiling is told where no token of the manifest has fewer.
const DECIMALS: u8 = 6;

/// A request to one endpoint.
pub(super) struct Wire {
    method: Method,
    path: String,
    captures: Vec<(String, String)>,
    query: String,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
    content_type: Option<String>,
}

impl Wire {
    pub(super) fn new(endpoint: &EndpointEntry, bound: &Bound<'_>) -> Result<Self, Failure> {
        let method = endpoint.method.as_deref().unwrap_or("GET");
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| wrong("the method of the endpoint is none".to_owned()))?;
        let content_type = endpoint
            .input
            .body
            .as_ref()
            .map(|body| body.content_type.clone());
        let mut wire = Self {
            method,
            path: String::new(),
            captures: Vec::new(),
            query: String::new(),
            headers: Vec::new(),
            content_type: content_type.filter(|_| bound.body.is_some()),
            body: bound.body.clone(),
        };
        wire.fill_path(endpoint.path.as_deref().unwrap_or("/"), bound)?;
        for (input, value) in &bound.parameters {
            for text in texts(value) {
                match input.place {
                    Place::Query => wire.add_query(input.name, &text),
                    Place::Header => wire.add_header(input.name, text)?,
                    Place::Path | Place::Body => {}
                }
            }
        }
        Ok(wire)
    }

    fn fill_path(&mut self, path: &str, bound: &Bound<'_>) -> Result<(), Failure> {
        for segment in path.split('/').skip(1) {
            self.path.push('/');
            let capture = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            let Some(capture) = capture else {
                encode(segment, &mut self.path);
                continue;
            };
            let (name, parts) = match capture.strip_prefix('*') {
                Some(name) => (name, usize::MAX),
                None => (capture, 1),
            };
            let text = captured(bound, name)?;
            for (place, part) in text.splitn(parts, '/').enumerate() {
                // Servers and clients take these for a step up, however they are encoded.
                if matches!(part, "" | "." | "..") {
                    let name = shown::line(name, NAME);
                    return Err(wrong(format!(
                        "{name} is {text:?}, which cannot stand in a path"
                    )));
                }
                if place > 0 {
                    self.path.push('/');
                }
                encode(part, &mut self.path);
            }
            self.captures.push((name.to_owned(), text));
        }
        Ok(())
    }

    fn add_query(&mut self, name: &str, text: &str) {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        encode(name, &mut self.query);
        self.query.push('=');
        encode(text, &mut self.query);
    }

    fn add_header(&mut self, name: &str, text: String) -> Result<(), Failure> {
        if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            let name = shown::line(name, NAME);
            return Err(wrong(format!(
                "{name} goes into a header, which takes visible ASCII only"
            )));
        }
        self.headers.push((name.to_owned(), text));
        Ok(())
    }

    /// What the request costs by the manifest.
    pub(super) fn quote(
        &self,
        manifest: &Manifest,
        endpoint: &EndpointEntry,
    ) -> Result<Quote, Failure> {
        let Some(model) = manifest.price_model(endpoint).unwrap_or_default() else {
            return Ok(Quote::Within);
        };
        let mut facts = Facts::new().query(self.query.as_str());
        for (name, value) in &self.captures {
            facts = facts.capture(name.as_str(), value.as_str());
        }
        for (name, value) in &self.headers {
            facts = facts.header(name.as_str(), value.as_bytes());
        }
        if let Some(body) = &self.body {
            facts = facts.body(&body[..]);
        }
        let due = evaluate(&model, &facts, &[]).map_err(|error| {
            let reason = shown::line(&error.to_string(), 300);
            Failure::usage("no_price", format!("the call has no price: {reason}"))
        })?;
        let decimals = manifest
            .rails_of(endpoint)
            .filter_map(|(_, rail)| manifest.assets.get(&rail.asset));
        let decimals = decimals
            .map(|asset| asset.decimals)
            .min()
            .unwrap_or(DECIMALS);
        Ok(match due {
            Due::Exact(price) => Quote::Exact(price.amount.normalized()),
            Due::UpTo(ceiling) => {
                let estimate = ceiling.on(decimals).ok();
                let estimate = estimate.and_then(|atomic| atomic.to_decimal(decimals).parse().ok());
                Quote::UpTo(estimate.unwrap_or(ceiling.most().amount).normalized())
            }
            _ => Quote::Within,
        })
    }

    /// The request as it goes out. Headers of the command line are sent along.
    pub(super) fn prepare(
        self,
        origin: &str,
        promise: Promise,
        args: &Args,
    ) -> Result<Prepared, Failure> {
        let mut url = format!("{origin}{}", self.path);
        if !self.query.is_empty() {
            let _ = write!(url, "?{}", self.query);
        }
        let given = args.headers.iter().map(|line| header(line));
        let mut headers = given.collect::<Result<Vec<_>, _>>()?;
        let named = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
        if let Some(content_type) = self.content_type.filter(|_| !headers.iter().any(named)) {
            headers.push(("content-type".to_owned(), content_type));
        }
        headers.extend(self.headers);
        Ok(Prepared {
            method: self.method,
            url,
            headers,
            body: self.body.unwrap_or_default(),
            promise,
        })
    }
}

/// The text of a capture.
fn captured(bound: &Bound<'_>, name: &str) -> Result<String, Failure> {
    let mut parameters = bound.parameters.iter();
    let found = parameters.find(|(input, _)| input.place == Place::Path && input.name == name);
    let text = found.and_then(|(_, value)| texts(value).pop());
    text.ok_or_else(|| {
        wrong(format!(
            "{} has no text for the path",
            shown::line(name, NAME)
        ))
    })
}

/// The texts of a parameter: none for null, one for a scalar, one for each item of a list.
fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().map(text).collect(),
        value => vec![text(value)],
    }
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
