//! The JSON body of a 402: the problem, the terms as version 1 says them, and what people and directories look for.
//!
//! ```text
//! {"code":…,"error":…,  "x402Version":1,"accepts":[{…,"resource":"<path>"…}],"price":…,"resource":"<path>","manifest":…}
//!  this answer's         encoded once per route, around every place where the path stands
//! ```

use bytes::Bytes;
use serde_json::Value;
use x402_model::manifest::WELL_KNOWN_PATH;
use x402_model::price::{Bounds, PriceModel};
use x402_model::problem::Problem;

use super::{json, push_path, v1};
use crate::bind::BoundEndpoint;

/// The part of the bodies of one endpoint that does not depend on the answer.
#[derive(Debug)]
pub(super) struct Template {
    /// JSON text around the places of the path: one more than there are places.
    parts: Vec<String>,
}

impl Template {
    pub(super) fn new(endpoint: &BoundEndpoint) -> Self {
        let origin = endpoint.origin();
        let mut parts = Parts::default();
        let entries: Vec<String> = endpoint
            .terms()
            .iter()
            .filter_map(|terms| v1::entry(endpoint, terms, origin.to_owned()))
            .map(|entry| json(&entry))
            .collect();
        if entries.is_empty() {
            // Version 1 has no name for any of the networks. The body then mirrors the header.
            parts.text(r#""x402Version":2,"accepts":"#);
            parts.text(&endpoint.accepts_json());
        } else {
            parts.text(r#""x402Version":1,"accepts":["#);
            for (at, entry) in entries.iter().enumerate() {
                parts.text(if at == 0 { "" } else { "," });
                parts.with_path(entry, origin);
            }
            parts.text("]");
        }
        let price = endpoint.price().to_string();
        parts.text(&format!(r#","price":{},"#, json(&price)));
        if !matches!(endpoint.spec().price, PriceModel::Flat { .. }) {
            // What a buyer may rely on for any request.
            let Bounds { min, max } = endpoint.spec().price.bounds();
            let bounds = serde_json::json!({ "min": min.to_string(), "max": max.to_string() });
            parts.text(&format!(r#""priceBounds":{bounds},"#));
        }
        parts.with_path(&format!(r#""resource":"{origin}""#), origin);
        parts.text(&format!(r#","manifest":"{origin}{WELL_KNOWN_PATH}"}}"#));
        Self {
            parts: parts.done(),
        }
    }

    /// The body of an answer: its own members (see [`head`]), then the rest of the template.
    pub(super) fn fill(&self, head: &str, path: &str) -> Bytes {
        let fixed: usize = self.parts.iter().map(String::len).sum();
        let places = self.parts.len().saturating_sub(1);
        let mut text = Vec::with_capacity(head.len() + fixed + places * path.len());
        text.extend_from_slice(head.as_bytes());
        let mut written: Option<std::ops::Range<usize>> = None;
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                match &written {
                    Some(range) => text.extend_from_within(range.clone()),
                    None => {
                        let start = text.len();
                        push_path(&mut text, path);
                        written = Some(start..text.len());
                    }
                }
            }
            text.extend_from_slice(part.as_bytes());
        }
        Bytes::from(text)
    }
}

/// The members that belong to one answer, as the beginning of a JSON object. `error` is in the words of version 1, `payer` is
/// who tried to pay.
pub(super) fn head(problem: &Problem, error: &str, payer: Option<&str>) -> String {
    let mut members = problem.to_json();
    if let Value::Object(members) = &mut members {
        members.insert("error".to_owned(), Value::from(error));
        if let Some(payer) = payer {
            members.insert("payer".to_owned(), Value::from(payer));
        }
    }
    let mut text = members.to_string();
    // A problem always has members, so what follows goes on with a comma.
    text.pop();
    text.push(',');
    text
}

/// JSON text, cut wherever the path belongs.
#[derive(Debug, Default)]
struct Parts {
    done: Vec<String>,
    open: String,
}

impl Parts {
    fn text(&mut self, text: &str) {
        self.open.push_str(text);
    }

    /// Text whose first `resource` member is the origin, to be followed by the path. No other member before it can look
    /// the same, because quotes inside of JSON strings are escaped.
    fn with_path(&mut self, text: &str, origin: &str) {
        let resource = format!(r#""resource":"{origin}"#);
        match text.find(&resource) {
            Some(at) => {
                let (before, after) = text.split_at(at + resource.len());
                self.text(before);
                self.done.push(std::mem::take(&mut self.open));
                self.text(after);
            }
            None => self.text(text),
        }
    }

    fn done(mut self) -> Vec<String> {
        self.done.push(self.open);
        self.done
    }
}
