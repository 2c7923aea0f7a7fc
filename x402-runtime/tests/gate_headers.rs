//! Requests that are hostile by their form: paths, payment headers, sizes and bodies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test fails by panicking, and a table is as long as it is"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use common::buyer::encode;
use common::shop::request;
use common::{Buyer, Change, NOW, Stand};
use serde_json::{Value, json};
use x402_runtime::ledger::MemoryLedger;

/// Sends a raw request line to a real server, because clients tidy paths up.
async fn raw(address: std::net::SocketAddr, path: &str) -> String {
    use std::io::{Read, Write};
    let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let exchange = move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

#[tokio::test]
async fn g04_no_spelling_of_a_path_is_served_unpaid() {
    let stand = Stand::open().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = stand.app.clone();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut corpus: Vec<String> = Vec::new();
    for slash in [
        "/", "//", "///", "/./", "/../", "/%2F", "/%2f", "/%252F", "/%5C", "/\\", "/.%2F", "/;/",
        "/%00/", "/%",
    ] {
        corpus.extend([
            format!("{slash}news"),
            format!("/news{slash}"),
            format!("/weather{slash}oslo"),
            format!("/weather/oslo{slash}"),
        ]);
    }
    corpus.extend(
        [
            "/NEWS",
            "/News",
            "/news?x=1",
            "/news#x",
            "/news;x",
            "/news%20",
            "/news%0a",
            "/%6eews",
            "/n%65ws",
            "/weather/%",
            "/weather/%zz",
            "/weather/..",
            "/weather/%2e%2e",
            "/weather/a%2Fb",
            "/weather/a%5Cb",
            "http://a/news",
            "http://a//news",
            "/weather/\u{e9}",
            "*",
            "/weather/oslo?PAYMENT-SIGNATURE=abc",
        ]
        .map(str::to_owned),
    );
    assert!(corpus.len() >= 60);
    for path in &corpus {
        let answer = raw(address, path).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{path}: {answer}");
    }
    stand.assert_untouched("the path corpus");
}

#[tokio::test]
async fn g13_exactly_one_payment_header() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    let with = |headers: &[(&'static str, String)]| {
        let mut request = request("GET", "/news", None, "");
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        request
    };
    let p = || payment.clone();
    let duplicate = (400, "duplicate_payment_header".to_owned());
    for headers in [
        vec![("payment-signature", p()), ("payment-signature", p())],
        vec![("payment-signature", format!("{},{}", p(), p()))],
        vec![("payment-signature", format!("{}, ", p()))],
        vec![("payment-signature", p()), ("x-payment", p())],
        vec![("x-payment", p()), ("x-payment", p())],
        vec![("x-payment", format!("{},{}", p(), p()))],
        vec![
            ("payment-signature", String::new()),
            ("payment-signature", p()),
        ],
    ] {
        let answer = stand.send(with(&headers)).await;
        assert_eq!(answer.brief(), duplicate);
        assert!(answer.headers.get("payment-required").is_none());
    }
    // Each header carries its own version.
    let misplaced = stand.send(with(&[("x-payment", p())])).await;
    assert_eq!(misplaced.brief(), (402, "unsupported_version".to_owned()));
    assert_eq!(
        misplaced.terms().error.as_deref(),
        Some("Unsupported x402 version: 2")
    );
    for name in ["x402-payment", "authorization", "payment", "cookie"] {
        assert_eq!(
            stand.send(with(&[(name, p())])).await.code(),
            "payment_required",
            "{name}"
        );
    }
    let in_url = format!("/news?PAYMENT-SIGNATURE={}", payment.replace('+', "%2B"));
    assert_eq!(stand.get(&in_url, None).await.code(), "payment_required");
    stand.assert_untouched("header combinations");
    assert_eq!(
        stand.send(with(&[("payment-signature", p())])).await.status,
        200
    );
}

#[tokio::test]
async fn undecodable_headers_are_answered_with_the_terms() {
    let stand = Stand::open().await;
    for text in [
        "",
        "not base64!!",
        "e30===",
        "====",
        "bnVsbA==",
        "W10=",
        "NQ==",
        "InRleHQi",
        "e30-",
        "_w==",
        "/w==",
        "e30=",
    ] {
        let answer = stand.get("/news", Some(text)).await;
        assert_eq!(answer.status, 402, "{text}");
        let expected = if text == "e30=" {
            "unsupported_version"
        } else {
            "payment_undecodable"
        };
        assert_eq!(answer.code(), expected, "{text}");
        let error = answer.terms().error.unwrap();
        let expected = if text == "e30=" {
            "Unsupported x402 version: undefined"
        } else {
            "Payment required"
        };
        assert_eq!(error, expected, "{text}");
    }
    for (version, error) in [
        (json!(3), "Unsupported x402 version: 3"),
        (json!("2"), "Unsupported x402 version: undefined"),
        (json!(-1), "Unsupported x402 version: undefined"),
        (json!(2.5), "Unsupported x402 version: undefined"),
        (json!(1), "No matching payment requirements"),
    ] {
        let answer = stand
            .get("/news", Some(&encode(&json!({ "x402Version": version }))))
            .await;
        assert_eq!(
            (answer.status, answer.terms().error.as_deref()),
            (402, Some(error))
        );
    }
    stand.assert_untouched("undecodable headers");
}

#[tokio::test]
async fn g14_huge_and_deep_input_is_refused_early() {
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.body_cap(64).answer_cap(1024)
    })
    .await;
    let terms = stand.terms("POST", "/echo").await;
    let buyer = Buyer::new(7);
    let long = stand.get("/news", Some(&"A".repeat(16 * 1024 + 1))).await;
    assert_eq!(long.brief(), (431, "payment_too_large".to_owned()));
    assert_eq!(long.json()["limit"], 16 * 1024);
    for depth in [200, 4_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let answer = stand
            .get("/news", Some(&encode(&Value::String(deep.clone()))))
            .await;
        assert_eq!(answer.code(), "payment_undecodable");
        let mut bytes = br#"{"x402Version":2,"accepted":"#.to_vec();
        bytes.extend(deep.bytes());
        bytes.push(b'}');
        use base64::Engine as _;
        let header = base64::engine::general_purpose::STANDARD.encode(&bytes);
        assert_eq!(
            stand.get("/news", Some(&header)).await.code(),
            "payment_undecodable",
            "{depth}"
        );
    }
    let mut padded = buyer.payment(&terms, NOW, &Change::default());
    padded["extensions"] = json!({ "x": "y".repeat(20_000) });
    assert_eq!(
        stand.get("/news", Some(&encode(&padded))).await.code(),
        "payment_too_large"
    );

    let payment = buyer.pay(&terms, NOW);
    let declared = stand
        .call("POST", "/echo", Some(&payment), &"x".repeat(65))
        .await;
    assert_eq!(declared.brief(), (413, "body_too_large".to_owned()));
    let chunks = futures_util::stream::repeat_with(|| {
        Ok::<_, std::io::Error>(bytes::Bytes::from_static(&[b'x'; 60]))
    });
    let endless = Request::post("/echo")
        .header("payment-signature", &payment)
        .body(Body::from_stream(chunks))
        .unwrap();
    assert_eq!(
        stand.send(endless).await.brief(),
        (413, "body_too_large".to_owned())
    );
    stand.assert_untouched("huge input");
    // The payment was not used up by any of it.
    assert_eq!(
        stand
            .call("POST", "/echo", Some(&payment), "short")
            .await
            .status,
        200
    );
    let answer = stand
        .get("/behave/huge", Some(&buyer.pay(&terms, NOW)))
        .await;
    assert_eq!(answer.brief(), (500, "answer_too_large".to_owned()));
    assert_eq!(stand.double.settles(), 1);
}

#[tokio::test]
async fn body_that_stalls_or_breaks_costs_nothing() {
    let quick = std::time::Duration::from_millis(50);
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.body_timeout(quick)
    })
    .await;
    let payment = Buyer::new(7).pay(&stand.terms("POST", "/echo").await, NOW);
    let send = |body: Body| {
        stand.send(
            Request::post("/echo")
                .header("payment-signature", &payment)
                .body(body)
                .unwrap(),
        )
    };
    let never = Body::from_stream(futures_util::stream::pending::<
        Result<bytes::Bytes, std::io::Error>,
    >());
    assert_eq!(send(never).await.brief(), (408, "body_timeout".to_owned()));
    let broken = Body::from_stream(futures_util::stream::iter([Err::<bytes::Bytes, _>(
        std::io::Error::other("cut"),
    )]));
    assert_eq!(
        send(broken).await.brief(),
        (400, "body_unreadable".to_owned())
    );
    stand.assert_untouched("bodies");
    assert_eq!(send(Body::from("now")).await.status, 200);
}
