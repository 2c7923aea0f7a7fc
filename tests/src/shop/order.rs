//! A request as it came, and whether it is the one that was agreed on.

use std::collections::BTreeMap;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::Value;
use x402_model::manifest::{EndpointEntry, Manifest};
use x402_model::price::Facts;

use super::goods::is_json;

/// The longest body that a shop reads.
const MAX_BODY: usize = 4 << 20;

/// A request, taken apart.
pub(super) struct Order {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Order {
    pub(super) async fn read(request: Request) -> Result<Self, String> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_BODY).await;
        Ok(Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body: body.map_err(|error| format!("a body cannot be read: {error}"))?,
        })
    }

    /// The endpoint that is called, with the captures of its path.
    pub(super) fn endpoint<'m>(
        &self,
        manifest: &'m Manifest,
    ) -> Result<(&'m EndpointEntry, BTreeMap<String, String>), String> {
        let mut all = manifest.endpoints.iter();
        let found = all.find_map(|endpoint| {
            let method = endpoint.method.as_deref().unwrap_or("GET");
            let captures = captures(endpoint.path.as_deref().unwrap_or("/"), &self.path)?;
            (method == self.method).then_some((endpoint, captures))
        });
        found.ok_or_else(|| format!("{} {} is no endpoint", self.method, self.path))
    }

    /// What a price may look at.
    pub(super) fn facts<'o>(&'o self, captures: &'o BTreeMap<String, String>) -> Facts<'o> {
        let mut facts = Facts::new().query(self.query.as_str()).body(&*self.body);
        for (name, value) in captures {
            facts = facts.capture(name.as_str(), value.as_str());
        }
        for (name, value) in &self.headers {
            facts = facts.header(name.as_str(), value.as_bytes());
        }
        facts
    }

    /// Whether the arguments are those of `input`, no more and no fewer.
    pub(super) fn check(
        &self,
        endpoint: &EndpointEntry,
        captures: &BTreeMap<String, String>,
        input: &Value,
    ) -> Result<(), String> {
        let got: Vec<(String, String)> = captures.clone().into_iter().collect();
        agree("captures", got, arguments(&input["path"]))?;
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        agree("query", pairs.collect(), arguments(&input["query"]))?;
        let known = endpoint.input.header.as_ref();
        let known = known.and_then(|schema| schema["properties"].as_object());
        let mut got = Vec::new();
        for name in known.into_iter().flat_map(|properties| properties.keys()) {
            for value in self.headers.get_all(name.as_str()) {
                got.push((
                    name.clone(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                ));
            }
        }
        agree("headers", got, arguments(&input["header"]))?;
        self.check_body(endpoint, input.get("body"))
    }

    fn check_body(&self, endpoint: &EndpointEntry, wanted: Option<&Value>) -> Result<(), String> {
        let body = endpoint.input.body.as_ref();
        let (Some(entry), Some(wanted)) = (body, wanted) else {
            let empty = self.body.is_empty();
            return if empty {
                Ok(())
            } else {
                Err("a body came where none is taken".to_owned())
            };
        };
        let kind = self
            .headers
            .get("content-type")
            .and_then(|kind| kind.to_str().ok());
        if kind != Some(&entry.content_type) {
            return Err(format!(
                "the body is {kind:?} instead of {}",
                entry.content_type
            ));
        }
        let got = if is_json(&entry.content_type) {
            serde_json::from_slice(&self.body).map_err(|error| format!("the body: {error}"))?
        } else {
            Value::from(self.body.to_vec())
        };
        if same(&got, wanted) {
            return Ok(());
        }
        Err(format!("the body is {got} instead of {wanted}"))
    }
}

/// Whether two JSON values are the same to readers that know one kind of numbers.
#[must_use]
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let member = |(name, a): (&String, &Value)| b.get(name).is_some_and(|b| same(a, b));
            a.len() == b.len() && a.iter().all(member)
        }
        (a, b) => a == b,
    }
}

fn agree(
    what: &str,
    mut got: Vec<(String, String)>,
    mut wanted: Vec<(String, String)>,
) -> Result<(), String> {
    got.sort();
    wanted.sort();
    if got == wanted {
        return Ok(());
    }
    Err(format!("the {what} are {got:?} instead of {wanted:?}"))
}

/// The texts of parameters: none for null, one for a scalar, one for each item of a list.
fn arguments(part: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let mut all = Vec::new();
    for (name, value) in part.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Array(items) => all.extend(items.iter().map(|item| (name.clone(), text(item)))),
            value => all.push((name.clone(), text(value))),
        }
    }
    all
}

/// The captures of a path, decoded, if it is one of the pattern.
fn captures(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut captures = BTreeMap::new();
    let mut found = path.split('/');
    for wanted in pattern.split('/') {
        let inner = wanted
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match inner.map(|name| name.strip_prefix('*').ok_or(name)) {
            Some(Ok(rest)) => {
                let segments: Vec<String> = found.by_ref().map(decoded).collect();
                captures.insert(rest.to_owned(), segments.join("/"));
            }
            Some(Err(name)) => {
                captures.insert(name.to_owned(), decoded(found.next()?));
            }
            None if decoded(found.next()?) == wanted => {}
            None => return None,
        }
    }
    found.next().is_none().then_some(captures)
}

/// Percent-decoded. Nobody writes a blank as `+` here.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_path_is_taken_apart_as_its_pattern_says() {
    let found = |pattern: &str, path: &str| {
        captures(pattern, path).map(|all| all.into_iter().collect::<Vec<_>>())
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(found("/", "/"), Some(vec![]));
    assert_eq!(
        found("/a/{b}", "/a/x%2Fy%20%C3%BC"),
        Some(vec![pair("b", "x/y ü")])
    );
    assert_eq!(
        found("/t/{*path}", "/t/a/b%2520"),
        Some(vec![pair("path", "a/b%20")])
    );
    assert_eq!(found("/a/{b}", "/a"), None);
    assert_eq!(found("/a/{b}", "/a/b/c"), None);
    assert_eq!(found("/a", "/b"), None);
}
