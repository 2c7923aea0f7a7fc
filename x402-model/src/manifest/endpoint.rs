//! The typed view of one endpoint of a manifest.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Deprecation;
use super::parts::{AllowanceEntry, ChargeEntry, Idempotency};
use super::price::PriceEntry;

/// One thing that is sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointEntry {
    /// Its id, which names the method of a client.
    pub id: String,
    /// `http` or `mcp`.
    pub kind: String,
    /// HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path with `{captures}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What it does, in a line.
    pub summary: String,
    /// What it does, at most 480 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Version of the service in which it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Words to be found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether it changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe: Option<bool>,
    /// Whether doing it twice is as doing it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// What it takes.
    #[serde(default)]
    pub input: InputEntry,
    /// What it gives.
    pub output: OutputEntry,
    /// Keys of the rails; the default ones if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rails: Option<Vec<String>>,
    /// What it costs.
    pub price: PriceEntry,
    /// When money moves, if otherwise than by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<ChargeEntry>,
    /// Free calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowances: Vec<AllowanceEntry>,
    /// Ids of the plans that are good for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<String>,
    /// How long it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Latency>,
    /// Codes of refusals; the default ones if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<String>>,
    /// What sending again means, if otherwise than by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Idempotency>,
    /// Calls with their prices and answers. A bare request is offered the price of the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<ExampleEntry>,
    /// Changes that are announced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scheduled: Vec<ScheduledEntry>,
    /// That it will go away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
}

/// What an endpoint takes: object schemas of its parameters, and a body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InputEntry {
    /// Captures of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Value>,
    /// Query parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Value>,
    /// Headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Value>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyEntry>,
}

/// A request body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BodyEntry {
    /// Its type.
    #[serde(default = "json")]
    pub content_type: String,
    /// The longest that is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Its schema, if it is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

fn json() -> String {
    crate::endpoint::rules::DEFAULT_MIME_TYPE.to_owned()
}

/// What an endpoint answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputEntry {
    /// Status of success.
    pub status: u16,
    /// Type of the body.
    pub content_type: String,
    /// Schema of the body or, of a stream, of one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// How a stream is cut into events: `sse` or `ndjson`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// How to ask for more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<PaginationEntry>,
}

/// How to ask for the next page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaginationEntry {
    /// Where the items are in an answer, a JSON pointer.
    pub items: String,
    /// Where the answer names the next page, a JSON pointer; absent or null on the last page.
    pub next: String,
    /// The query parameter that takes that name.
    pub parameter: String,
}

/// How long calls take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of them at most so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<u64>,
    /// 95 of 100 at most so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95: Option<u64>,
}

/// A call with its price and answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExampleEntry {
    /// Its name.
    pub name: String,
    /// The parts of the request: `path`, `query`, `header`, `body`.
    pub input: Value,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<super::Amount>,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}

/// A change that is announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledEntry {
    /// From when it holds, RFC 3339.
    pub effective_from: String,
    /// When it was announced, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_at: Option<String>,
    /// What kind of change, such as `price-increase`.
    pub class: String,
    /// Why, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The price from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceEntry>,
}
