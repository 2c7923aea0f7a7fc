//! The 402 answer as a projection of a bound endpoint: encoded once per route, with only the path patched in.
//!
//! This is the only module that builds payment terms for the wire. The JSON is laid out so that everything that varies
//! comes late and in one place:
//!
//! ```text
//! {"x402Version":2,"resource":{…,"url":"<origin> | <path> | "},"accepts":[…],"extensions":{…},"error":"Payment required"}
//!  head: base64 kept                             patched   tail: base64 kept, for each of the three alignments
//! ```

mod body;
mod head;
pub(crate) mod v1;

use std::sync::{Arc, Mutex};

use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LINK, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};
use x402_model::extension::siwx;
use x402_model::problem::{Problem, ProblemCode};

use self::body::Template;
use self::head::{Head, whose};
use crate::bind::BoundEndpoint;

/// The `error` of an answer to a request without payment.
pub(crate) const FIRST_CONTACT: &str = "Payment required";

/// The `error` when a payment fits none of the terms.
pub(crate) const NO_MATCH: &str = "No matching payment requirements";

pub(crate) const PAYMENT_REQUIRED: HeaderName = HeaderName::from_static("payment-required");
pub(crate) const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");
pub(crate) const VARY_BY_PAYMENT: HeaderValue =
    HeaderValue::from_static("PAYMENT-SIGNATURE, X-PAYMENT");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Longest path that is repeated in `resource.url`. Longer ones are cut, so that the header stays bounded.
const MAX_PATH: usize = 2048;

/// The terms of one endpoint, ready to be sent.
#[derive(Debug)]
pub(crate) struct Challenge {
    head: Arc<Head>,
    /// Everything between the path and the `error` value, as JSON text.
    middle_json: String,
    /// For each number of tail bytes that complete the patched part's last group: those bytes, and the rest encoded.
    tails: [(Vec<u8>, String); 3],
    body: Template,
    /// The members of an unpaid request's body that come before the template.
    body_head: String,
    /// What all 402 answers link to.
    link: Option<HeaderValue>,
    /// The answer for the one path that a route without captures has.
    fixed: Option<Told>,
    /// That of the path that was asked for last: agents ask for the same thing again and again, and each time twice.
    recent: Mutex<Option<Arc<Told>>>,
}

/// Longest path whose answer is kept for the next who asks.
const MAX_RECENT_PATH: usize = 256;

/// The answer to an unpaid request whose path is known beforehand.
#[derive(Debug)]
struct Told {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Challenge {
    /// Encodes the terms of an endpoint, whose answers link to something.
    pub(crate) fn new(endpoint: &BoundEndpoint, link: Option<HeaderValue>) -> Self {
        Self::with_head(Arc::new(Head::of(endpoint)), endpoint, link)
    }

    fn with_head(head: Arc<Head>, endpoint: &BoundEndpoint, link: Option<HeaderValue>) -> Self {
        let extensions = match endpoint.extensions() {
            none if none.is_empty() => String::new(),
            some => format!(r#""extensions":{},"#, json(some)),
        };
        let middle_json = format!(
            r#""}},"accepts":{},{extensions}"error":"#,
            endpoint.accepts_json()
        );
        let tail = format!("{middle_json}{}}}", json(FIRST_CONTACT));
        let mut challenge = Self {
            head,
            tails: [0, 1, 2].map(|skip| {
                let (first, later) = tail.as_bytes().split_at_checked(skip).unwrap_or_default();
                (first.to_vec(), STANDARD.encode(later))
            }),
            link,
            fixed: None,
            recent: Mutex::default(),
            body: Template::new(endpoint),
            body_head: body::head(
                &Problem::new(ProblemCode::PaymentRequired),
                v1::error(FIRST_CONTACT),
                None,
            ),
            middle_json,
        };
        let path = endpoint.path();
        if !path.contains('{') {
            challenge.fixed = Some(challenge.tell(path));
        }
        challenge
    }

    /// The terms of the same endpoint at another price.
    pub(crate) fn of(&self, endpoint: &BoundEndpoint) -> Self {
        Self::with_head(Arc::clone(&self.head), endpoint, self.link.clone())
    }

    /// The terms in an unpaid request's answer. `None` cannot happen, because base64 is always a header value; should it,
    /// the answer goes out without terms.
    pub(crate) fn header(&self, path: &str) -> Option<HeaderValue> {
        match &self.fixed {
            Some(fixed) if fixed.path == path => fixed.headers.get(PAYMENT_REQUIRED).cloned(),
            _ => self.patch(path),
        }
    }

    /// Headers and body of an unpaid request's answer.
    pub(crate) fn told(&self, path: &str) -> (HeaderMap, Bytes) {
        if let Some(fixed) = self.fixed.as_ref().filter(|fixed| fixed.path == path) {
            return (fixed.headers.clone(), fixed.body.clone());
        }
        // Whoever finds it taken builds his own.
        let recent = self
            .recent
            .try_lock()
            .ok()
            .and_then(|recent| recent.clone());
        if let Some(recent) = recent.filter(|recent| recent.path == path) {
            return (recent.headers.clone(), recent.body.clone());
        }
        let told = self.tell(path);
        let answer = (told.headers.clone(), told.body.clone());
        if path.len() <= MAX_RECENT_PATH
            && let Ok(mut recent) = self.recent.try_lock()
        {
            *recent = Some(Arc::new(told));
        }
        answer
    }

    fn tell(&self, path: &str) -> Told {
        let body = self.body.fill(&self.body_head, path);
        let mut headers = headers(self.patch(path), self.link.clone());
        // Whoever answers would add it, to each copy anew.
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        Told {
            path: path.to_owned(),
            headers,
            body,
        }
    }

    /// The headers of an answer that refuses a payment.
    pub(crate) fn headers_with(&self, path: &str, error: &str) -> HeaderMap {
        headers(self.header_with(path, error), self.link.clone())
    }

    /// The terms in an answer that refuses a payment.
    fn header_with(&self, path: &str, error: &str) -> Option<HeaderValue> {
        if error == FIRST_CONTACT {
            return self.header(path);
        }
        let mut text =
            Vec::with_capacity(self.head.json.len() + path.len() + self.middle_json.len() + 64);
        text.extend_from_slice(self.head.json.as_bytes());
        push_path(&mut text, path);
        text.extend_from_slice(self.middle_json.as_bytes());
        text.extend_from_slice(json(error).as_bytes());
        text.push(b'}');
        HeaderValue::from_maybe_shared(Bytes::from(STANDARD.encode(text))).ok()
    }

    /// The body of an answer that refuses a payment. `error` is what the header says.
    pub(crate) fn body_with(
        &self,
        path: &str,
        problem: &Problem,
        error: &str,
        payer: Option<&str>,
    ) -> Bytes {
        let error = v1::error(error);
        self.body.fill(&body::head(problem, error, payer), path)
    }

    /// Length of the header for a path, in bytes.
    pub(crate) fn header_len(&self, path: &str) -> usize {
        self.patch(path).map_or(0, |value| value.len())
    }

    fn patch(&self, path: &str) -> Option<HeaderValue> {
        let mut part = Vec::with_capacity(path.len() + 8);
        part.extend_from_slice(&self.head.rest);
        push_path(&mut part, path);
        // Borrow as many bytes of the tail as the last group of the patched part needs.
        let borrow = (3 - part.len() % 3) % 3;
        let (first, rest) = self.tails.get(borrow)?;
        part.extend_from_slice(first);
        let groups = &self.head.groups;
        let mut text = String::with_capacity(groups.len() + part.len() / 3 * 4 + rest.len());
        text.push_str(groups);
        STANDARD.encode_string(&part, &mut text);
        text.push_str(rest);
        HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
    }
}

/// The headers of an answer that has terms in it, and links to something.
fn headers(terms: Option<HeaderValue>, link: Option<HeaderValue>) -> HeaderMap {
    let mut headers = of_refusal();
    for (name, value) in [(PAYMENT_REQUIRED, terms), (LINK, link)] {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    headers
}

/// The headers of every answer of the gate's own: it is nobody else's, and depends on the payment.
pub(crate) fn of_refusal() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(6);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, PRIVATE);
    headers.insert(VARY, VARY_BY_PAYMENT);
    headers
}

/// Terms with one more extension: for what is new in every answer, and cannot be encoded beforehand.
pub(crate) fn with_extension(terms: &HeaderValue, key: &str, value: Value) -> Option<HeaderValue> {
    let text = STANDARD.decode(terms.as_bytes()).ok()?;
    let mut terms: Map<String, Value> = serde_json::from_slice(&text).ok()?;
    let extensions = terms
        .entry("extensions")
        .or_insert_with(|| Value::Object(Map::new()));
    extensions.as_object_mut()?.insert(key.to_owned(), value);
    let text = serde_json::to_vec(&terms).ok()?;
    HeaderValue::from_maybe_shared(Bytes::from(STANDARD.encode(text))).ok()
}

/// Terms that ask for a sign-in and for no payment.
pub(crate) fn sign_in(
    endpoint: &BoundEndpoint,
    path: &str,
    challenge: &Value,
) -> Option<HeaderValue> {
    let mut resource = whose(endpoint);
    let url = url(endpoint.origin(), path);
    let told = [
        ("url", &*url),
        ("description", ""),
        ("mimeType", "application/json"),
    ];
    resource.extend(told.map(|(member, text)| (member.to_owned(), text.into())));
    let terms = serde_json::json!({
        "x402Version": 2,
        "resource": resource,
        "accepts": [],
        "extensions": { siwx::KEY: challenge },
        "error": "Sign in",
    });
    HeaderValue::try_from(STANDARD.encode(terms.to_string())).ok()
}

/// The body of a refusal.
pub(crate) fn problem_json(problem: &Problem) -> Bytes {
    Bytes::from(problem.to_json().to_string())
}

/// JSON text of a value that always has one.
fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_value(value)
        .unwrap_or(Value::Null)
        .to_string()
}

/// The URL of a resource: the paywall's origin and the path of a request.
pub(crate) fn url(origin: &str, path: &str) -> String {
    let mut url = origin.as_bytes().to_vec();
    push_path(&mut url, path);
    String::from_utf8(url).unwrap_or_default()
}

/// Appends a request's path such that it is a path of RFC 3986 and needs no escape in JSON. Escapes that are there stay.
fn push_path(out: &mut Vec<u8>, path: &str) {
    let bytes = path.as_bytes();
    let bytes = bytes.get(..MAX_PATH).unwrap_or(bytes);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
    if bytes.iter().copied().all(plain) {
        out.extend_from_slice(bytes);
        return;
    }
    for (at, byte) in bytes.iter().copied().enumerate() {
        let kept = match byte {
            b'%' => {
                matches!(bytes.get(at + 1..at + 3), Some([a, b]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
            }
            _ => plain(byte),
        };
        if kept {
            out.push(byte);
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests;
