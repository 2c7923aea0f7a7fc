//! What a paid function's types tell about it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use x402_runtime::handler::described::{Description, Shapes};
use x402_runtime::handler::{Endpoint, PaidHandler};
use x402_runtime::{Events, Meter, paid};

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its shape counts")]
struct Question {
    /// What is asked.
    text: String,
    #[serde(default)]
    words: u8,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape counts")]
struct Secretive {
    text: String,
}

#[derive(Serialize, JsonSchema)]
struct Reply {
    text: String,
}

/// All of it.
#[paid(POST "/ask/{city}", price = "0.01 USDC")]
async fn all(
    State(()): State<()>,
    Path(_city): Path<String>,
    Query(_q): Query<Question>,
    Json(question): Json<Question>,
) -> Result<Json<Reply>, StatusCode> {
    Ok(Json(Reply {
        text: question.text,
    }))
}

/// Says nothing about itself.
#[paid(POST "/hush", price = "0.01 USDC")]
async fn hush(_q: Query<Secretive>, Json(_): Json<Secretive>) -> impl IntoResponse {
    "hush"
}

/// Answers text.
#[paid(GET "/text", price = upto("0.01 USDC", units(n = "0.001 USDC")))]
async fn text(_m: Meter) -> (StatusCode, &'static str) {
    (StatusCode::OK, "text")
}

/// Answers one by one.
#[paid(GET "/replies", price = "0.01 USDC")]
async fn replies() -> Result<Events<Reply>, StatusCode> {
    Ok(Events::new(futures_util::stream::empty()))
}

/// Answers numbers that say nothing about themselves.
#[paid(GET "/hints", price = "0.01 USDC")]
async fn hints() -> Events<Secret> {
    Events::new(futures_util::stream::empty())
}

#[derive(Serialize)]
struct Secret;

/// Takes text and answers nothing.
#[paid(POST "/nothing", price = "0.01 USDC")]
async fn nothing(_text: String) {}

fn shapes<H: PaidHandler<T, ()>, T>(_: H) -> (Shapes, Value) {
    let mut input = SchemaSettings::draft2020_12().into_generator();
    let mut output = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let mut description = Description::new(&mut input, &mut output);
    H::Endpoint::describe(&mut description);
    let shapes = description.shapes();
    let named = |generator: &mut SchemaGenerator| {
        generator.definitions().keys().cloned().collect::<Vec<_>>()
    };
    (shapes, json!([named(&mut input), named(&mut output)]))
}

#[test]
fn what_the_types_say_is_collected_and_named_once() {
    let (shapes, named) = shapes(all);
    assert_eq!(shapes.path, Some(json!({"type": "string"})));
    let question = json!({"$ref": "#/$defs/Question"});
    assert_eq!(shapes.query, Some(question.clone()));
    assert_eq!(shapes.body, Some(("application/json", Some(question))));
    let reply = json!({"$ref": "#/$defs/Reply"});
    assert_eq!(shapes.answer, Some(("application/json", Some(reply))));
    assert_eq!(named, json!([["Question"], ["Reply"]]));
}

#[test]
fn types_that_say_nothing_stay_unknown() {
    let (found, named) = shapes(hush);
    let json_of_some_kind = Some(("application/json", None));
    assert_eq!(
        found,
        Shapes {
            body: json_of_some_kind,
            ..Shapes::default()
        }
    );
    assert_eq!(named, json!([[], []]));
}

#[test]
fn texts_are_no_json() {
    let (found, _) = shapes(text);
    let plain = "text/plain; charset=utf-8";
    assert_eq!(found.answer, Some((plain, Some(json!({"type": "string"})))));
    assert_eq!(found.body, None);
    let (found, _) = shapes(nothing);
    assert_eq!(found.body, Some((plain, Some(json!({"type": "string"})))));
    assert_eq!(found.answer, None);
}

#[test]
fn events_are_described_by_one_of_them() {
    let (found, named) = shapes(replies);
    let reply = json!({"$ref": "#/$defs/Reply"});
    assert_eq!(found.answer, Some(("text/event-stream", Some(reply))));
    assert_eq!(named, json!([[], ["Reply"]]));
    let (found, _) = shapes(hints);
    assert_eq!(found.answer, Some(("text/event-stream", None)));
}
