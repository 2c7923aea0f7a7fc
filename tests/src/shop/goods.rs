//! What a call is answered with.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use serde_json::Value;
use x402_model::manifest::EndpointEntry;

use super::Visit;

/// Most bytes of a stream that come together.
const PIECE: usize = 23;

/// How long a stream rests before the next of them.
const PAUSE: Duration = Duration::from_millis(5);

/// What stands in the headers that meters are read from.
const METERED: &str = "17";

/// An answer before it is paid for.
pub(super) struct Goods {
    status: StatusCode,
    kind: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    streamed: bool,
}

impl Goods {
    /// The answer of an endpoint to this call.
    pub(super) fn new(endpoint: &EndpointEntry, visit: &Visit) -> Result<Self, String> {
        let (entry, output) = (&endpoint.output, &visit.output);
        let status = visit.status.unwrap_or(entry.status);
        let essence = entry
            .content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        let lines = entry.stream.as_deref() == Some("ndjson") || essence == "application/x-ndjson";
        let streamed = lines || entry.stream.is_some() || essence == "text/event-stream";
        let body = if streamed {
            events(output, lines)
        } else if status == 204 || essence.is_empty() {
            Vec::new()
        } else if is_json(essence) {
            output.to_string().into_bytes()
        } else if let Some(text) = output.as_str() {
            text.as_bytes().to_vec()
        } else {
            serde_json::from_value(output.clone()).map_err(|error| format!("no bytes: {error}"))?
        };
        Ok(Self {
            status: StatusCode::from_u16(status).map_err(|error| error.to_string())?,
            kind: entry.content_type.clone(),
            headers: meters(endpoint),
            body,
            streamed,
        })
    }

    /// No answer: something in between has no time, or the connection breaks, before the answer or amid of it.
    pub(super) fn broken(&self, way: usize) -> Response {
        let mut response = Response::new(Body::empty());
        if way == 0 || self.streamed || self.body.is_empty() {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return response;
        }
        let half = self.body.len() / 2;
        let sent = Bytes::copy_from_slice(&self.body[..half * (way - 1)]);
        let sent = stream::iter([sent])
            .filter(|sent| std::future::ready(!sent.is_empty()))
            .map(Ok);
        let end = stream::once(async {
            // Else what is sent would go down with the connection.
            tokio::time::sleep(PAUSE).await;
            Err(io::Error::other("the connection breaks"))
        });
        *response.body_mut() = Body::from_stream(sent.chain(end));
        response
    }

    /// The answer, with the report of a settlement.
    pub(super) fn response(self, receipt: Option<String>) -> Response {
        let mut response = Response::new(match self.streamed {
            true => Body::from_stream(pieces(&self.body)),
            false => Body::from(self.body),
        });
        *response.status_mut() = self.status;
        let mut headers = self.headers;
        headers.push(("content-type".to_owned(), self.kind));
        headers.extend(receipt.map(|receipt| ("payment-response".to_owned(), receipt)));
        for (name, value) in headers.into_iter().filter(|(_, value)| !value.is_empty()) {
            let name = axum::http::HeaderName::try_from(name).expect("the name of a header");
            let value = HeaderValue::try_from(value).expect("the value of a header");
            response.headers_mut().append(name, value);
        }
        response
    }
}

/// A body that comes in pieces, which end inside of characters, lines and events, and of ends of lines.
fn pieces(body: &[u8]) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let pieces: Vec<Bytes> = body
        .split_inclusive(|byte| *byte == b'\r')
        .flat_map(|line| line.chunks(PIECE))
        .map(Bytes::copy_from_slice)
        .collect();
    stream::iter(pieces).then(|piece| async move {
        // What comes at once is read at once, wherever it was cut.
        tokio::time::sleep(PAUSE).await;
        Ok(piece)
    })
}

/// Whether a media type is JSON.
pub(super) fn is_json(content_type: &str) -> bool {
    content_type.starts_with("application/json") || content_type.ends_with("+json")
}

/// Events as a stream has them: with comments, names, ends of lines of both kinds, and a last word that is no event.
fn events(output: &Value, lines: bool) -> Vec<u8> {
    let mut text = String::new();
    for (number, event) in output.as_array().into_iter().flatten().enumerate() {
        let end = if number % 2 == 0 { "\n" } else { "\r\n" };
        if lines {
            text += &format!("{event}{end}");
        } else {
            text += &format!(": {number}{end}event: part{end}data: {event}{end}{end}");
        }
    }
    if !lines {
        text += "data: [DONE]\n\n";
    }
    text.into_bytes()
}

/// The headers that a metered price is read from.
fn meters(endpoint: &EndpointEntry) -> Vec<(String, String)> {
    let units = endpoint.price.rule.get("units").and_then(Value::as_array);
    let meters = units.into_iter().flatten().map(|unit| &unit["meter"]);
    let named = meters.filter(|meter| meter["source"] == "response-header");
    named
        .filter_map(|meter| Some((meter["pointer"].as_str()?.to_owned(), METERED.to_owned())))
        .collect()
}
