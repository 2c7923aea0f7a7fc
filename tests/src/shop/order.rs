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
use super::{Visit, Wire};

/// The longest body that a shop reads.
const MAX_BODY: usize = 4 << 20;

/// A request, taken apart.
pub(super) struct Order {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
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
            target: parts.uri.to_string(),
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

    /// Whether this is the call that was agreed on, with its arguments, no more and no fewer.
    pub(super) fn check(
        &self,
        endpoint: &EndpointEntry,
        captures: &BTreeMap<String, String>,
        visit: &Visit,
    ) -> Result<(), String> {
        if let Some(wire) = &visit.wire {
            return self.check_wire(wire);
        }
        let input = &visit.input;
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

    /// Whether this is that request, byte by byte.
    fn check_wire(&self, wire: &Wire) -> Result<(), String> {
        let line = format!("{} {}", self.method, self.target);
        if line != wire.line {
            return Err(format!("the request is {line} instead of {}", wire.line));
        }
        for (name, wanted) in &wire.headers {
            let got = self.headers.get_all(name);
            let got = got
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()));
            let got: Vec<_> = got.collect();
            if !got.iter().eq(wanted.iter()) {
                return Err(format!("{name} is {got:?} instead of {wanted:?}"));
            }
        }
        let body: String = self.body.iter().copied().map(char::from).collect();
        if body == wire.body {
            return Ok(());
        }
        Err(format!("the body is {body:?} instead of {:?}", wire.body))
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
        let rest = wanted.strip_prefix("{*");
        if let Some(rest) = rest.and_then(|rest| rest.strip_suffix('}')) {
            let segments: Vec<String> = found.by_ref().map(decoded).collect();
            captures.insert(rest.to_owned(), segments.join("/"));
        } else {
            segment(wanted, found.next()?, &mut captures)?;
        }
    }
    found.next().is_none().then_some(captures)
}

/// Reads one segment, which may have captures anywhere: each ends where the text behind it begins.
fn segment(pattern: &str, found: &str, captures: &mut BTreeMap<String, String>) -> Option<()> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return (decoded(found) == pattern).then_some(());
    };
    let (name, rest) = rest.split_once('}')?;
    let found = found.strip_prefix(before)?;
    let end = match rest.split('{').next() {
        Some("") | None => found.len(),
        // What is last is at the end.
        Some(text) if text == rest => found.strip_suffix(text)?.len(),
        Some(text) => found.find(text)?,
    };
    let (value, found) = found.split_at(end);
    captures.insert(name.to_owned(), decoded(value));
    segment(rest, found, captures)
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
    assert_eq!(
        found("/f/{name}.txt", "/f/a.txt.txt"),
        Some(vec![pair("name", "a.txt")])
    );
    assert_eq!(
        found("/c/{from}...{to}:go", "/c/a%2Fb...c:go"),
        Some(vec![pair("from", "a/b"), pair("to", "c")])
    );
    assert_eq!(found("/f/{name}.txt", "/f/a.text"), None);
    assert_eq!(found("/c/{from}...{to}", "/c/a..c"), None);
}
