//! Kept connections to a provider: when one is used again, and that nothing on it is taken for what it is not.
#![cfg(feature = "http")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

#[path = "http_support/kept.rs"]
mod kept;

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use kept::{Kept, Then, answer, settled, soon};
use serde_json::json;
use x402_runtime::facilitator::http::HttpFacilitator;
use x402_runtime::facilitator::{Facilitator, FacilitatorRequest, SettleOutcome};

/// Long enough for a loaded machine, short enough to wait for.
const DEADLINE: Duration = Duration::from_millis(800);

fn request() -> FacilitatorRequest {
    FacilitatorRequest {
        x402_version: 2,
        payload: json!({ "x402Version": 2 }).into(),
        requirements: json!({ "scheme": "exact", "network": "eip155:84532" }).into(),
    }
}

fn quick(provider: &Kept) -> HttpFacilitator {
    let builder = HttpFacilitator::builder(&provider.url);
    builder.settle_deadline(DEADLINE).build().unwrap()
}

/// The transaction of a settlement, or why there is none.
async fn settle(facilitator: &HttpFacilitator) -> Result<String, String> {
    match soon(facilitator.settle(&request())).await {
        SettleOutcome::Settled(response) => Ok(response.transaction),
        SettleOutcome::Unknown { reason, .. } => Err(reason),
        SettleOutcome::Refused(response) => panic!("{response:?}"),
    }
}

/// Every request gets the number of its connection as its transaction.
fn own(connection: usize) -> Vec<u8> {
    answer("", &connection.to_string())
}

fn keep(connection: usize) -> Then {
    Then::Keep(own(connection))
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let provider = Kept::start(|connection, _| keep(connection)).await;
    let facilitator = quick(&provider);
    for _ in 0..5 {
        assert_eq!(settle(&facilitator).await.unwrap(), "0");
    }
    assert_eq!(provider.seen(), [0; 5]);
}

#[tokio::test]
async fn s01_a_connection_that_was_closed_in_between_costs_nothing_but_a_new_one() {
    let provider = Kept::start(|connection, request| match (connection, request) {
        (0, 1) => Then::Close(own(0)),
        _ => keep(connection),
    })
    .await;
    let facilitator = quick(&provider);
    for _ in 0..2 {
        assert_eq!(settle(&facilitator).await.unwrap(), "0");
    }
    soon(provider.done()).await;
    assert_eq!(settle(&facilitator).await.unwrap(), "1");
    assert_eq!(provider.seen(), [0, 0, 1], "each request is read once");
}

#[tokio::test]
async fn s01_what_was_sent_on_a_kept_connection_is_not_sent_again() {
    let provider = Kept::start(|connection, request| match (connection, request) {
        (0, 1) => Then::Close(Vec::new()),
        _ => keep(connection),
    })
    .await;
    let facilitator = quick(&provider);
    assert_eq!(settle(&facilitator).await.unwrap(), "0");
    let reason = settle(&facilitator).await.unwrap_err();
    assert!(reason.contains("the connection broke"), "{reason}");
    assert_eq!(provider.seen(), [0, 0]);
    assert_eq!(settle(&facilitator).await.unwrap(), "1");
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_none_and_ends_its_connection() {
    let half = |lines: &str, cut: usize| {
        let mut whole = answer(lines, "half");
        whole.truncate(whole.len() - cut);
        whole
    };
    let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n".to_vec();
    let table = [
        (half("", 1), "within the answer"),
        (half("", settled("half").to_string().len()), "within"),
        (b"HTTP/1.1 200 OK\r\ncontent-le".to_vec(), "broke"),
        (chunk, "within the answer"),
    ];
    for (bytes, why) in table {
        let provider = Kept::start(move |connection, request| match (connection, request) {
            (0, 1) => Then::Close(bytes.clone()),
            _ => keep(connection),
        })
        .await;
        let facilitator = quick(&provider);
        assert_eq!(settle(&facilitator).await.unwrap(), "0");
        let reason = settle(&facilitator).await.unwrap_err();
        assert!(reason.contains(why), "{reason}");
        assert_eq!(settle(&facilitator).await.unwrap(), "1");
        assert_eq!(provider.seen(), [0, 0, 1]);
    }
}

#[tokio::test]
async fn a_connection_that_the_provider_does_not_keep_is_not_used_again() {
    let body = settled("0").to_string();
    let length = body.len();
    for bytes in [
        answer("connection: close\r\n", "0"),
        answer("Connection: Keep-Alive, Close\r\n", "0"),
        format!("HTTP/1.0 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes(),
    ] {
        // The provider itself does not close it.
        let provider = Kept::start(move |connection, _| match connection {
            0 => Then::Keep(bytes.clone()),
            _ => keep(connection),
        })
        .await;
        let facilitator = quick(&provider);
        for expected in ["0", "1", "1"] {
            assert_eq!(settle(&facilitator).await.unwrap(), expected);
        }
    }
    // The end of the connection is the end of the answer.
    for version in ["1.0", "1.1"] {
        let bytes = format!("HTTP/{version} 200 OK\r\n\r\n{body}").into_bytes();
        let provider = Kept::start(move |connection, _| match connection {
            0 => Then::Close(bytes.clone()),
            _ => keep(connection),
        })
        .await;
        let facilitator = quick(&provider);
        for expected in ["0", "1", "1"] {
            assert_eq!(settle(&facilitator).await.unwrap(), expected);
        }
    }
}

#[tokio::test]
async fn g05_what_nobody_asked_for_is_no_answer_to_the_next_call() {
    for more in [
        answer("", "stolen"),
        b"\r\n".to_vec(),
        b"x".to_vec(),
        b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(),
    ] {
        let text = String::from_utf8_lossy(&more).into_owned();
        // With the answer.
        let after = more.clone();
        let provider = Kept::start(move |connection, _| match connection {
            0 => Then::Keep([own(0), after.clone()].concat()),
            _ => keep(connection),
        })
        .await;
        let facilitator = quick(&provider);
        for expected in ["0", "1", "1"] {
            assert_eq!(settle(&facilitator).await.unwrap(), expected, "{text}");
        }
        // And some time after it.
        let provider = Kept::start(move |connection, _| match connection {
            0 => Then::Later(own(0), more.clone()),
            _ => keep(connection),
        })
        .await;
        let facilitator = quick(&provider);
        assert_eq!(settle(&facilitator).await.unwrap(), "0", "{text}");
        provider.now.notify_one();
        soon(provider.done()).await;
        for expected in ["1", "1"] {
            assert_eq!(settle(&facilitator).await.unwrap(), expected, "{text}");
        }
    }
}

#[tokio::test]
async fn whatever_comes_before_an_answer_is_not_the_answer() {
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    let provider =
        Kept::start(move |connection, _| Then::Keep([early.as_bytes(), &own(connection)].concat()))
            .await;
    let facilitator = quick(&provider);
    for _ in 0..2 {
        assert_eq!(settle(&facilitator).await.unwrap(), "0");
    }
    let provider = Kept::start(|connection, _| match connection {
        0 => {
            let switch = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade";
            Then::Keep([format!("{switch}\r\n\r\n").as_bytes(), &own(0)].concat())
        }
        _ => keep(connection),
    })
    .await;
    let facilitator = quick(&provider);
    assert!(settle(&facilitator).await.is_err());
    assert_eq!(settle(&facilitator).await.unwrap(), "1");
}

#[tokio::test]
async fn an_answer_in_chunks_is_read_to_its_end() {
    let provider = Kept::start(|connection, _| {
        let body = settled(&connection.to_string()).to_string();
        let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for byte in body.bytes() {
            bytes.extend([b"1;x=y\r\n", &[byte][..], b"\r\n"].concat());
        }
        bytes.extend(b"0\r\nx-checksum: none\r\n\r\n");
        Then::Keep(bytes)
    })
    .await;
    let facilitator = quick(&provider);
    for _ in 0..3 {
        assert_eq!(settle(&facilitator).await.unwrap(), "0");
    }
    assert_eq!(provider.seen(), [0; 3]);
}

#[tokio::test]
async fn an_endless_answer_ends_the_call() {
    let head = b"HTTP/1.1 200 OK\r\n".to_vec();
    let chunked = [&head[..], b"transfer-encoding: chunked\r\n\r\n"].concat();
    let line = b"x-more: and more\r\n".to_vec();
    let table = [
        ("header lines", head.clone(), line.clone(), "broke"),
        ("one header line", head, b"x".repeat(1000), "broke"),
        ("chunks", chunked.clone(), b"1\r\nx\r\n".to_vec(), "longer"),
        ("a chunk's size", chunked.clone(), b"f".to_vec(), "within"),
        (
            "a chunk's nought",
            chunked.clone(),
            b"0".to_vec(),
            "in time",
        ),
        (
            "trailers",
            [&chunked[..], b"0\r\n"].concat(),
            line,
            "within the answer",
        ),
        (
            "interim answers",
            Vec::new(),
            b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(),
            "in time",
        ),
    ];
    for (what, first, more, why) in table {
        let provider = Kept::start(move |connection, _| match connection {
            0 => Then::Forever(first.clone(), more.clone()),
            _ => keep(connection),
        })
        .await;
        let facilitator = quick(&provider);
        let reason = settle(&facilitator).await.unwrap_err();
        assert!(reason.contains(why), "{what}: {reason}");
        soon(provider.done()).await;
        assert_eq!(settle(&facilitator).await.unwrap(), "1", "{what}");
    }
}

#[tokio::test]
async fn an_answer_that_drips_is_late() {
    let provider = Kept::start(|connection, _| match connection {
        0 => Then::Hang(own(0)[..30].to_vec()),
        1 => Then::Hang(own(1)[..80].to_vec()),
        _ => keep(connection),
    })
    .await;
    let facilitator = quick(&provider);
    for _ in 0..2 {
        let started = Instant::now();
        let reason = settle(&facilitator).await.unwrap_err();
        assert!(reason.contains("in time"), "{reason}");
        assert!(started.elapsed() >= DEADLINE);
        soon(provider.done()).await;
    }
    assert_eq!(settle(&facilitator).await.unwrap(), "2");
}

#[tokio::test]
async fn a_provider_that_does_not_finish_its_handshake_is_late() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let builder = HttpFacilitator::builder(&url).settle_deadline(DEADLINE);
    let reason = settle(&builder.build().unwrap()).await.unwrap_err();
    assert!(reason.contains("in time"), "{reason}");
}

#[tokio::test]
async fn a_call_that_is_given_up_takes_its_connection_with_it() {
    let provider = Kept::start(|connection, request| match (connection, request) {
        (0, 1) => Then::Later(own(0)[..60].to_vec(), own(0)[60..].to_vec()),
        _ => keep(connection),
    })
    .await;
    let facilitator = quick(&provider);
    assert_eq!(settle(&facilitator).await.unwrap(), "0");
    let asked = request();
    let mut call = Box::pin(facilitator.settle(&asked));
    while provider.seen().len() < 2 {
        assert!(call.as_mut().now_or_never().is_none());
        soon(provider.look()).await;
    }
    drop(call);
    provider.now.notify_one();
    assert_eq!(settle(&facilitator).await.unwrap(), "1");
    assert_eq!(provider.seen(), [0, 0, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_once_have_a_connection_each_and_leave_them_to_the_next() {
    let provider = Kept::start(|connection, _| keep(connection)).await;
    let facilitator = HttpFacilitator::new(&provider.url).unwrap();
    for _ in 0..8 {
        let outcomes = join_all((0..64).map(|_| settle(&facilitator))).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }
    let seen = provider.seen();
    assert_eq!(seen.len(), 8 * 64);
    assert!(seen.iter().all(|connection| *connection < 64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_caller_gets_the_answer_to_its_own_call() {
    // Connections end at every third request, some between two calls and some under a call.
    let provider = Kept::start(|connection, request| match (request, connection % 2) {
        (2, 0) => Then::Close(own(connection)),
        (2, _) => Then::Keep(answer("connection: close\r\n", &connection.to_string())),
        _ => keep(connection),
    })
    .await;
    let facilitator = HttpFacilitator::new(&provider.url).unwrap();
    let mut settled = 0;
    for _ in 0..20 {
        let outcomes = join_all((0..32).map(|_| settle(&facilitator))).await;
        settled += outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    }
    let seen = provider.seen();
    assert!(seen.len() <= 20 * 32, "nothing is sent twice");
    assert!(settled <= seen.len());
    assert!(settled * 10 > 20 * 32 * 9, "{settled}");
}
