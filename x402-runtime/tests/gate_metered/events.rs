//! Answers of `Events`, whose type says what each of them is.

use std::io;

use axum::extract::Query;
use futures_util::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::wire::{SettleResponse, headers};
use x402_runtime::{Events, Meter, paid};

use crate::common::{Buyer, Stand};
use crate::shop::{Job, pay, settled, stand_with};

/// A step of the way.
#[derive(Serialize, JsonSchema)]
struct Step {
    /// Which one.
    n: u64,
    /// What is there.
    sign: &'static str,
}

fn all(job: &Job) -> impl Iterator<Item = Result<Step, io::Error>> + use<> {
    let fails = job.how == "break";
    let end = job.n;
    (0..=end).filter_map(move |n| match (n == end, fails) {
        (true, true) => Some(Err(io::Error::other("CANARY"))),
        (true, false) => None,
        // Nothing in an event may look like the end of it.
        _ => Some(Ok(Step {
            n,
            sign: "a\n\n\rb\u{2028}: c",
        })),
    })
}

/// Goes a way, step by step.
#[paid(GET "/steps", price = upto("0.02 USDC", base = "0.001 USDC", units(steps = "0.002 USDC")))]
async fn steps(meter: Meter, Query(job): Query<Job>) -> Result<Events<Step>, String> {
    let steps = stream::iter(all(&job));
    Ok(Events::fallible(
        steps.inspect(move |_| meter.add("steps", 1)),
    ))
}

/// A way at one price.
#[paid(GET "/way", price = "0.01 USDC")]
async fn way(Query(job): Query<Job>) -> Events<Step> {
    Events::fallible(stream::iter(all(&job)))
}

async fn events_stand() -> Stand {
    let ledger = Arc::new(MemoryLedger::default());
    stand_with(ledger, |builder| builder.mount(steps).mount(way)).await
}

fn event(n: u64) -> String {
    format!("data: {{\"n\":{n},\"sign\":\"a\\n\\n\\rb\u{2028}: c\"}}\n\n")
}

#[tokio::test]
async fn events_leave_as_they_come_and_the_last_one_is_the_settlement() {
    let stand = events_stand().await;
    let payment = pay(&stand, "GET", "/steps?n=2", "", 1).await;
    let answer = stand.get("/steps?n=2", Some(&payment)).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let told = text.strip_prefix(&(event(0) + &event(1))).expect(&text);
    let told = told.strip_prefix("event: x402-payment-response\ndata: ");
    let told: SettleResponse =
        headers::decode(told.unwrap().trim_end().as_bytes(), usize::MAX).unwrap();
    assert_eq!((told.success, told.amount.as_deref()), (true, Some("5000")));
    assert_eq!(settled(&stand), [5_000]);
}

#[tokio::test]
async fn an_error_breaks_the_answer_off_and_nobody_pays() {
    let stand = events_stand().await;
    let payment = pay(&stand, "GET", "/steps?n=2&how=break", "", 1).await;
    let answer = stand.get("/steps?n=2&how=break", Some(&payment)).await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(text.contains("event: x402-problem"), "{text}");
    assert!(!text.contains("CANARY"), "{text}");
    let terms = stand.terms("GET", "/way?n=1&how=break").await;
    let payment = Buyer::new(1).pay(&terms, stand.now());
    let answer = stand.get("/way?n=1&how=break", Some(&payment)).await;
    assert_eq!(answer.status, 500);
    assert_eq!(settled(&stand), []);
}

#[tokio::test]
async fn events_at_one_price_are_held_until_they_are_paid() {
    let stand = events_stand().await;
    let terms = stand.terms("GET", "/way?n=2").await;
    let payment = Buyer::new(1).pay(&terms, stand.now());
    let answer = stand.get("/way?n=2", Some(&payment)).await;
    assert_eq!(answer.settlement().map(|told| told.success), Some(true));
    assert_eq!(answer.body, event(0) + &event(1));
}

#[tokio::test]
async fn the_terms_and_the_manifest_say_what_is_sent() {
    let stand = events_stand().await;
    let manifest = stand.paywall.manifest().manifest();
    for path in ["/steps", "/way"] {
        let resource = stand.terms("GET", &format!("{path}?n=1")).await.resource;
        assert_eq!(resource.mime_type.as_deref(), Some("text/event-stream"));
        let mut all = manifest.endpoints.iter();
        let entry = all.find(|entry| entry.path.as_deref() == Some(path));
        let output = &entry.unwrap().output;
        assert_eq!(output.content_type, "text/event-stream");
        assert_eq!(output.stream.as_deref(), Some("sse"));
        assert_eq!(output.schema, Some(json!({"$ref": "#/schemas/Step"})));
    }
    assert_eq!(manifest.schemas["Step"]["required"], json!(["n", "sign"]));
}
