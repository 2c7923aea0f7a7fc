//! Answers that are handed over as they come: each part at once, what was paid at the end, and nothing lost on the way.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use x402_client::transport::CutReason;
use x402_client::{Budget, Charged, Error, Opened, ResponseStream};
use x402_model::wire::headers::encode;

use crate::seller::{Act, Seller, builder, client, problem, served, settled};

const HEAD: &str = "HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// What a seller sends when it is told to.
fn told() -> (UnboundedSender<String>, Act) {
    let (sender, parts) = unbounded_channel();
    (sender, Act::Parts(Arc::new(Mutex::new(parts))))
}

fn settlement() -> String {
    let hash = format!("0x{}", "ab".repeat(32));
    let report = json!({"success": true, "transaction": hash, "network": "eip155:84532"});
    format!(
        "event: x402-payment-response\ndata: {}\n\n",
        encode(&report).unwrap()
    )
}

fn stream(opened: Opened) -> ResponseStream {
    match opened {
        Opened::Stream(stream) => stream,
        other => panic!("{other:?}"),
    }
}

/// A seller of one stream, the call that opened it, and the way to tell the seller what comes next.
async fn selling(
    head: &str,
) -> (
    Seller,
    x402_client::Client,
    ResponseStream,
    UnboundedSender<String>,
) {
    let (sender, act) = told();
    let seller = Seller::selling(move |_| act.clone()).await;
    sender.send(head.to_owned()).unwrap();
    let client = client();
    let opened = client.get(&seller.url()).open().await.unwrap();
    (seller, client, stream(opened), sender)
}

async fn text(stream: &mut ResponseStream, length: usize) -> String {
    let mut all = Vec::new();
    while all.len() < length {
        all.extend_from_slice(&stream.part().await.unwrap().unwrap());
    }
    String::from_utf8(all).unwrap()
}

#[tokio::test]
async fn events_come_while_the_answer_runs_and_the_receipt_at_its_end() {
    let (seller, client, mut stream, sender) = selling(HEAD).await;
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        sender.send(event.to_owned()).unwrap();
        assert_eq!(text(&mut stream, event.len()).await, event);
    }
    assert!(!stream.receipt().unwrap().is_settled());
    assert_eq!(
        client.open_payments().len(),
        1,
        "it is not known yet what became of it"
    );
    sender.send(settlement()).unwrap();
    drop(sender);
    assert!(stream.part().await.is_none());
    assert!(stream.part().await.is_none());
    assert!(stream.receipt().unwrap().is_settled());
    assert!(client.open_payments().is_empty());
    assert_eq!(seller.payments(), (1, 1));
}

#[tokio::test]
async fn a_stream_that_is_cut_gives_its_payment_back_to_be_presented_again() {
    let head = HEAD.replace("connection", "content-length: 1000\r\nconnection");
    let (seller, client, mut stream, sender) = selling(&head).await;
    sender.send("data: 1\n\nevent: x402-".to_owned()).unwrap();
    drop(sender);
    assert_eq!(text(&mut stream, 9).await, "data: 1\n\n");
    assert_eq!(text(&mut stream, 12).await, "event: x402-");
    let Some(Err(Error::BodyCut(cut))) = stream.part().await else {
        panic!("a cut body")
    };
    assert_eq!(cut.reason, CutReason::Interrupted);
    assert!(stream.part().await.is_none());
    assert!(
        client.open_payments().is_empty(),
        "it belongs to the caller"
    );
    seller.now(|_| served());
    let answer = client.resume(cut.pending.unwrap()).await.unwrap();
    assert!(answer.receipt().unwrap().is_settled());
    assert_eq!(seller.payments(), (2, 1), "the same payment");
}

#[tokio::test]
async fn a_stream_that_the_seller_breaks_off_is_no_answer() {
    for (said, charged, code) in [
        (
            r#"{"code":"overloaded","charged":false}"#,
            Charged::No,
            "refused",
        ),
        (
            r#"{"code":"x","charged":"maybe"}"#,
            Charged::Maybe,
            "outcome_unknown",
        ),
        (
            r#"{"code":"settlement_pending"}"#,
            Charged::Maybe,
            "outcome_unknown",
        ),
    ] {
        let (seller, _, mut stream, sender) = selling(HEAD).await;
        sender
            .send(format!("data: 1\n\nevent: x402-problem\ndata: {said}\n\n"))
            .unwrap();
        drop(sender);
        assert_eq!(text(&mut stream, 9).await, "data: 1\n\n");
        let error = stream.part().await.unwrap().unwrap_err();
        assert_eq!((error.code(), error.charged()), (code, charged), "{said}");
        assert!(error.pending().is_some());
        assert!(stream.part().await.is_none());
        assert_eq!(
            seller.payments(),
            (1, 1),
            "nothing is presented again unasked"
        );
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_leaves_its_payment_open() {
    let (_seller, client, stream, sender) = selling(HEAD).await;
    sender.send("data: 1\n\n".to_owned()).unwrap();
    drop(stream);
    assert_eq!(client.open_payments().len(), 1);
    let (name, value) = settled();
    let head = HEAD.replace("connection", &format!("{name}: {value}\r\nconnection"));
    let (_seller, client, mut stream, sender) = selling(&head).await;
    assert!(stream.receipt().unwrap().is_settled());
    assert!(client.open_payments().is_empty(), "its headers told it all");
    sender.send(settlement()).unwrap();
    drop(sender);
    assert_eq!(text(&mut stream, settlement().len()).await, settlement());
    assert!(stream.part().await.is_none());
}

#[tokio::test]
async fn what_is_no_success_comes_whole_and_is_judged_as_ever() {
    let seller = Seller::selling(|paid| match paid {
        0 => problem(503, r#"{"code":"settlement_pending","charged":"maybe"}"#),
        _ => problem(404, r#"{"code":"no_city"}"#),
    })
    .await;
    let opened = client().get(&seller.url()).open().await.unwrap();
    let Opened::Whole(answer) = opened else {
        panic!("{opened:?}")
    };
    assert_eq!(
        (answer.status().as_u16(), answer.text()),
        (404, Ok(r#"{"code":"no_city"}"#))
    );
    assert_eq!(seller.payments(), (2, 1));
    let seller =
        Seller::selling(|_| problem(402, r#"{"code":"payment_invalid","charged":false}"#)).await;
    let error = client().get(&seller.url()).open().await.unwrap_err();
    assert_eq!((error.code(), error.charged()), ("refused", Charged::No));
    let free = format!("{HEAD}{}", settlement());
    let seller = Seller::start(move |_| Act::Raw(free.clone())).await;
    let mut answer = stream(client().get(&seller.url()).open().await.unwrap());
    assert_eq!(text(&mut answer, settlement().len()).await, settlement());
    assert_eq!(
        (answer.part().await.is_none(), answer.receipt()),
        (true, None)
    );
}

#[tokio::test]
async fn a_stream_that_says_nothing_for_too_long_is_cut() {
    let (sender, act) = told();
    let seller = Seller::selling(move |_| act.clone()).await;
    sender.send(format!("{HEAD}data: 1\n\n")).unwrap();
    let client = builder(Budget::new("1.00 USD", "1.00 USD").unwrap())
        .timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    let mut stream = stream(client.get(&seller.url()).open().await.unwrap());
    assert_eq!(
        stream.part().await.unwrap().unwrap(),
        Bytes::from_static(b"data: 1\n\n")
    );
    let Some(Err(Error::BodyCut(cut))) = stream.part().await else {
        panic!("a cut body")
    };
    assert_eq!(cut.reason, CutReason::TimedOut);
    drop(sender);
}
