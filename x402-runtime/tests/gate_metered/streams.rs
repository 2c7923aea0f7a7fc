//! Answers that leave while they are made.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use axum::response::Response;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use x402_runtime::ledger::{Ledger, MemoryLedger, State as Stage};
use x402_runtime::model::wire::{SettleResponse, headers};

use crate::common::double::refusal;
use crate::common::shop::request;
use crate::common::{NOW, Script, Stand};
use crate::shop::{authorization, ledgers, pay, settled, sign, stage, stand, stand_on};

/// The chunks of a stream, as they come.
async fn chunks(response: Response) -> Vec<String> {
    let body = response.into_body().into_data_stream();
    let texts = body.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap());
    texts.collect().await
}

async fn open(stand: &Stand, path: &str, payment: &str) -> Response {
    let request = request("GET", path, Some(payment), "");
    stand.app.clone().oneshot(request).await.unwrap()
}

fn told(event: &str) -> SettleResponse {
    let data = event.strip_prefix("event: x402-payment-response\ndata: ");
    let data = data
        .and_then(|data| data.strip_suffix("\n\n"))
        .expect(event);
    headers::decode(data.as_bytes(), usize::MAX).unwrap()
}

#[tokio::test]
async fn a_stream_is_settled_at_its_end_and_its_last_event_says_so() {
    for ledger in ledgers() {
        let stand = stand_on(Arc::clone(&ledger)).await;
        let payment = pay(&stand, "GET", "/words?n=3", "", 1).await;
        let response = open(&stand, "/words?n=3", &payment).await;
        assert_eq!(response.status(), 200);
        assert!(
            response.headers()["cache-control"]
                .to_str()
                .unwrap()
                .contains("no-store")
        );
        let events = chunks(response).await;
        assert_eq!(events[..3], ["data: 0\n\n", "data: 1\n\n", "data: 2\n\n"]);
        let told = told(&events[3]);
        assert_eq!((told.success, told.amount.as_deref()), (true, Some("7000")));
        assert_eq!(settled(&stand), [7_000]);
        // Whoever lost it gets all of it again, and is not charged again.
        let again = stand.get("/words?n=3", Some(&payment)).await;
        assert_eq!(again.body, events[..3].concat());
        assert_eq!(again.settlement().unwrap(), told);
        assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
    }
}

#[tokio::test]
async fn what_is_due_is_recorded_before_the_first_byte_leaves() {
    for ledger in ledgers() {
        let stand = stand_on(Arc::clone(&ledger)).await;
        let payment = pay(&stand, "GET", "/words?n=2&how=hang", "", 1).await;
        let response = open(&stand, "/words?n=2&how=hang", &payment).await;
        // Nothing of the body was read yet.
        let (state, due) = stage(&stand, &*ledger, "/words", 1).await.unwrap();
        assert_eq!(state, Stage::Served);
        assert!(due == "1000" || due == "3000" || due == "5000", "{due}");
        // Meanwhile nobody else gets it, nor settles it.
        let other = stand.get("/words?n=2&how=hang", Some(&payment)).await;
        assert_eq!(other.brief(), (409, "payment_in_progress".to_owned()));
        assert_eq!(stand.double.settles(), 0);
        drop(response);
        settle_count(&stand, 1).await;
    }
}

async fn settle_count(stand: &Stand, count: usize) {
    for _ in 0..1_000 {
        if stand.double.settles() == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} of {count} settlements", stand.double.settles());
}

#[tokio::test]
async fn whoever_goes_away_pays_for_what_was_counted_and_can_fetch_it() {
    let stand = stand().await;
    let path = "/words?n=2&how=hang";
    let payment = pay(&stand, "GET", path, "", 1).await;
    let mut body = open(&stand, path, &payment).await.into_body();
    for _ in 0..2 {
        body.frame().await.unwrap().unwrap();
    }
    drop(body);
    settle_count(&stand, 1).await;
    assert_eq!(settled(&stand), [5_000]);
    let mut fetched = stand.get(path, Some(&payment)).await;
    while fetched.status == 409 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        fetched = stand.get(path, Some(&payment)).await;
    }
    assert_eq!(
        (fetched.status, &*fetched.body),
        (200, b"data: 0\n\ndata: 1\n\n".as_slice())
    );
    assert_eq!(
        fetched.settlement().unwrap().amount.as_deref(),
        Some("5000")
    );
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test]
async fn a_stream_that_fails_is_not_charged() {
    for how in ["break", "panic"] {
        let stand = stand().await;
        let path = format!("/words?n=2&how={how}");
        let payment = pay(&stand, "GET", &path, "", 1).await;
        let events = chunks(open(&stand, &path, &payment).await).await;
        let last = events.last().unwrap();
        let problem = last
            .strip_prefix("event: x402-problem\ndata: ")
            .expect(last);
        let problem: Value = serde_json::from_str(problem).unwrap();
        assert_eq!(problem["code"], "handler_panicked");
        assert_eq!(problem["charged"], false);
        assert!(!events.concat().contains("CANARY"), "{events:?}");
        assert_eq!(stand.double.settles(), 0);
        // The payment is free again, as the problem says.
        chunks(open(&stand, &path, &payment).await).await;
        assert_eq!((stand.runs(), stand.double.settles()), (2, 0));
    }
}

#[tokio::test]
async fn a_stream_that_never_begins_is_any_failed_answer() {
    let stand = stand().await;
    let path = "/words?n=2&how=refuse";
    let payment = pay(&stand, "GET", path, "", 1).await;
    assert_eq!(stand.get(path, Some(&payment)).await.status, 502);
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn a_stream_that_nobody_counts_never_leaves() {
    let stand = stand().await;
    let payment = pay(&stand, "GET", "/uncounted", "", 1).await;
    let answer = stand.get("/uncounted", Some(&payment)).await;
    assert_eq!(answer.brief(), (500, "usage_unmetered".to_owned()));
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn a_refused_settlement_is_told_at_the_end_and_can_be_tried_again() {
    let stand = stand().await;
    stand
        .double
        .script([Script::Say(refusal("permit2_insufficient_balance"))]);
    let payment = pay(&stand, "GET", "/words?n=1", "", 1).await;
    let events = chunks(open(&stand, "/words?n=1", &payment).await).await;
    let told = told(events.last().unwrap());
    assert!(!told.success);
    assert_eq!(
        told.error_reason.as_deref(),
        Some("permit2_insufficient_balance")
    );
    let again = stand.get("/words?n=1", Some(&payment)).await;
    assert_eq!(
        (again.status, &*again.body),
        (200, b"data: 0\n\n".as_slice())
    );
    assert_eq!(settled(&stand), [3_000, 3_000]);
}

#[tokio::test]
async fn a_stream_longer_than_what_is_kept_leaves_whole_and_is_gone() {
    let stand = stand().await;
    // More than 200 bytes, and more than is signed.
    let payment = pay(&stand, "GET", "/words?n=40", "", 1).await;
    let events = chunks(open(&stand, "/words?n=40", &payment).await).await;
    assert_eq!(events.len(), 41);
    assert_eq!(told(&events[40]).amount.as_deref(), Some("20000"));
    let again = stand.get("/words?n=40", Some(&payment)).await;
    assert_eq!(again.brief(), (410, "answer_gone".to_owned()));
    assert_eq!(again.json()["charged"], true);
    assert_eq!(stand.double.settles(), 1);
}

#[tokio::test]
async fn a_stream_ends_before_its_payment_expires() {
    let stand = stand().await;
    let path = "/words?n=1&how=hang";
    let terms = stand.terms("GET", path).await;
    let mut signed = authorization(&terms, 1);
    // As short as it may be on arrival: two seconds, and what settling takes.
    signed.deadline = U256::from(NOW + 8);
    let payment = sign(&terms, signed);
    let started = std::time::Instant::now();
    let events = chunks(open(&stand, path, &payment).await).await;
    assert!(started.elapsed() < Duration::from_secs(9));
    assert_eq!(told(events.last().unwrap()).amount.as_deref(), Some("3000"));
    assert_eq!(settled(&stand), [3_000]);
}

#[tokio::test]
async fn c3_a_stream_whose_process_died_settles_what_was_recorded() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::default());
    let stand = stand_on(Arc::clone(&ledger)).await;
    let path = "/words?n=1&how=hang";
    let payment = pay(&stand, "GET", path, "", 1).await;
    let mut body = open(&stand, path, &payment).await.into_body();
    body.frame().await.unwrap().unwrap();
    // As long as it lives it renews its lease; a second process sees none of it.
    let (_, due) = stage(&stand, &*ledger, "/words", 1).await.unwrap();
    let second = stand_on(Arc::clone(&ledger)).await;
    second.clock.advance_ms(60_000);
    let answer = second.get(path, Some(&payment)).await;
    // The answer is not there in full, and what left of it is paid for.
    assert_eq!(answer.brief(), (410, "answer_gone".to_owned()));
    assert_eq!(settled(&second), [due.parse::<u128>().unwrap()]);
    // The first one comes too late to charge anything else.
    drop(body);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn shutting_down_ends_streams_and_settles_them() {
    let stand = stand().await;
    let path = "/words?n=1&how=hang";
    let payment = pay(&stand, "GET", path, "", 1).await;
    let response = open(&stand, path, &payment).await;
    let reading = tokio::spawn(chunks(response));
    stand.paywall.shutdown().await;
    let events = reading.await.unwrap();
    assert!(told(events.last().unwrap()).success);
    assert_eq!(stand.double.settles(), 1);
}

#[tokio::test]
async fn g01_of_many_copies_of_a_payment_one_streams() {
    let stand = stand().await;
    let payment = pay(&stand, "GET", "/words?n=3", "", 1).await;
    let copies = (0..64).map(|_| async { stand.get("/words?n=3", Some(&payment)).await.status });
    let statuses = futures_util::future::join_all(copies).await;
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 409)),
        "{statuses:?}"
    );
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test]
async fn a_stream_that_fails_after_somebody_took_it_for_dead_does_not_say_that_it_cost_nothing() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::default());
    let stand = stand_on(Arc::clone(&ledger)).await;
    // It waits at the door, and then breaks.
    let path = "/words?n=1&how=wait-break";
    let payment = pay(&stand, "GET", path, "", 1).await;
    let response = open(&stand, path, &payment).await;
    let reading = tokio::spawn(chunks(response));
    let second = stand_on(Arc::clone(&ledger)).await;
    second.clock.advance_ms(60_000);
    let answer = second.get(path, Some(&payment)).await;
    assert_eq!(answer.brief(), (410, "answer_gone".to_owned()));
    stand.shop.door.add_permits(1);
    let events = reading.await.unwrap();
    let last = events.last().unwrap();
    assert!(
        last.contains("settlement_pending") && last.contains("\"maybe\""),
        "{last}"
    );
    assert_eq!((stand.double.settles(), second.double.settles()), (0, 1));
}
