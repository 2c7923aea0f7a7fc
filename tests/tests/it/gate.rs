//! What reaches a paid handler without paying: nothing, whatever the path, the headers or the payment look like.

use alloy_primitives::U256;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use x402_tests::accounts::{OTHER, PAYER};
use x402_tests::buyer::{Payment, encode};
use x402_tests::seller::{PRICE, Seller, Setup};
use x402_tests::world::World;

/// Every run of every handler so far.
fn runs(seller: &Seller) -> usize {
    ["weather", "news", "report", "echo", "nothing"]
        .map(|what| seller.desk.runs(what))
        .iter()
        .sum()
}

/// Sends bytes as they are, because HTTP libraries tidy paths up, and returns the status.
async fn raw(seller: &Seller, request: &[u8]) -> u16 {
    let mut stream = tokio::net::TcpStream::connect(seller.address())
        .await
        .unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    text.split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_default()
}

#[tokio::test]
async fn g04_path_corpus_never_200() {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let places = ["report", "weather/oslo"];
    let shapes = [
        "//{}",
        "/{}/",
        "/{}//",
        "/./{}",
        "/x/../{}",
        "/%2e/{}",
        "/%2F{}",
        "/%252F{}",
        "/%5C{}",
        "\\{}",
        "/\\{}",
        "/{}%00",
        "/{}%20",
        "/{}?",
        "/{}#x",
        "/{}%3F",
        "/{};a=b",
        "/{}.json",
        "/{}/..",
        "/{}%2F",
        "/{}/%2e%2e/{}",
        "/{}?x=%zz",
        "/{}%",
        "/{}%0d%0a",
        "/free/../{}",
        "/free/%2e%2e/{}",
        "//free/../{}",
        "http://127.0.0.1/{}",
        "http://other.example//{}",
        "/{}",
    ];
    for place in places {
        for shape in shapes {
            for changed in [
                place.to_owned(),
                place.to_uppercase(),
                place.replace('r', "%72"),
                place.replace('/', "%2f"),
            ] {
                let path = shape.replace("{}", &changed);
                let request = format!(
                    "GET {path} HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n"
                );
                let status = raw(&seller, request.as_bytes()).await;
                assert_ne!(status, 200, "{path} is served unpaid");
                assert!(status < 500, "{path}: {status}");
            }
        }
    }
    assert_eq!(runs(&seller), 0);
}

#[tokio::test]
async fn g20_no_method_gets_around_the_gate() {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let head = buyer.send(Method::HEAD, "/report", &[], Vec::new()).await;
    assert_eq!(
        (head.status, head.body.len()),
        (402, 0),
        "HEAD is a GET without a body, so it is gated like one"
    );
    assert!(head.required().is_some());
    for method in [
        "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PAY", "get",
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let overrides = [
            ("x-http-method-override", "GET"),
            ("x-method-override", "GET"),
        ];
        let answer = buyer
            .send(method.clone(), "/report", &overrides, Vec::new())
            .await;
        assert_ne!(answer.status, 200, "{method}");
    }
    assert_eq!(runs(&seller), 0);
}

#[tokio::test]
async fn g12_neither_terms_nor_goods_may_be_cached() {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let unpaid = buyer.get("/behave?do=cache").await;
    let header = Payment::new(PAYER, &unpaid.required().unwrap(), world.now()).header();
    let paid = buyer.pay("/behave?do=cache", &header).await;
    assert_eq!(paid.status, 200, "{paid:?}");
    for answer in [unpaid, paid] {
        let cache = answer
            .header("cache-control")
            .unwrap_or_default()
            .to_ascii_lowercase();
        assert!(
            cache.contains("private") && cache.contains("no-store"),
            "{}: {cache}",
            answer.status
        );
        let vary = answer
            .headers
            .get_all("vary")
            .iter()
            .map(|v| v.to_str().unwrap().to_ascii_lowercase());
        let vary = vary.collect::<Vec<_>>().join(",");
        assert!(
            vary.contains("payment-signature") && vary.contains("x-payment"),
            "{}: {vary}",
            answer.status
        );
    }
}

/// Headers that are no payment at all.
fn junk(good: &Value) -> Vec<String> {
    let plain = [
        "",
        "not base64!!",
        "e30",
        "bnVsbA==",
        "W10=",
        "MQ==",
        "InRleHQi",
        "====",
    ];
    let deep = format!("{}{}", "[".repeat(4_000), "]".repeat(4_000));
    let made = [
        encode(good).replace('=', "").replace(['A', 'Q'], "-"),
        encode(&json!({"x402Version": 2})),
        "A".repeat(60_000),
        encode(&json!("x".repeat(40_000))),
        STANDARD.encode(deep),
    ];
    plain.map(str::to_owned).into_iter().chain(made).collect()
}

/// A good payment with one value replaced by another one of another kind, everywhere that counts.
fn misshapen(good: &Value) -> Vec<String> {
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!("x"),
        json!({}),
        json!([1]),
        json!("0x"),
    ];
    let mut headers = Vec::new();
    for pointer in every_pointer(good) {
        for odd in &odd {
            let mut bad = good.clone();
            // Nobody compares the resource or the schema of an extension, and extensions may be left out; see the matching
            // rules of the protocol.
            let counts = !pointer.starts_with("/resource") && !pointer.starts_with("/extensions");
            if counts && bad.pointer(&pointer) != Some(odd) {
                *bad.pointer_mut(&pointer).unwrap() = odd.clone();
                headers.push(encode(&bad));
            }
        }
    }
    headers
}

/// Each is answered with terms or a clear refusal, and never runs the handler.
#[tokio::test]
async fn no_malformed_payment_is_served_or_breaks_the_seller() {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let good = buyer
        .payment(PAYER, "/weather/oslo", world.now())
        .await
        .payload();
    let headers = [junk(&good), misshapen(&good)].concat();
    assert!(headers.len() > 100, "{} headers", headers.len());
    for header in &headers {
        let answer = buyer.pay("/weather/oslo", header).await;
        let shown = header.get(..200).unwrap_or(header);
        assert!((400..500).contains(&answer.status), "{shown}: {answer:?}");
        assert!(
            !answer.code().is_empty(),
            "every refusal has a code: {shown}: {answer:?}"
        );
    }
    assert_eq!(runs(&seller), 0);
}

/// JSON pointers to every value inside, containers included.
fn every_pointer(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('/', "~1"), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let deeper = |(key, child): &(String, &Value)| {
        let below = every_pointer(child)
            .into_iter()
            .map(|rest| format!("/{key}{rest}"))
            .collect::<Vec<_>>();
        [vec![format!("/{key}")], below].concat()
    };
    children.iter().flat_map(deeper).collect()
}

/// What is wrong with a payment, how it is made so (at this time), and what the buyer is told.
type Wrong = (&'static str, fn(&mut Payment, u64), &'static str);

/// Each is signed as it says, so that only the rule named stands between it and the handler.
const WRONG_AUTHORIZATIONS: &[Wrong] = &[
    ("a stranger's key", |p, _| p.signer = OTHER, "signature"),
    ("another payee", |p, _| p.to = p.from, "recipient_mismatch"),
    (
        "a smaller value",
        |p, _| p.value -= U256::ONE,
        "payload_authorization_value_mismatch",
    ),
    (
        "a larger value",
        |p, _| p.value += U256::ONE,
        "payload_authorization_value_mismatch",
    ),
    (
        "expired",
        |p, now| p.valid_before = now - 1,
        "payload_authorization_valid_before",
    ),
    (
        "expires at once",
        |p, now| p.valid_before = now + 2,
        "payload_authorization_valid_before",
    ),
    (
        "for tomorrow",
        |p, now| p.valid_after = now + 100,
        "payload_authorization_valid_after",
    ),
];

/// Each accepts something else than what was offered.
const WRONG_TERMS: &[Wrong] = &[
    (
        "a lowered price",
        |p, _| p.accepted["amount"] = json!("1"),
        "",
    ),
    (
        "a number for a text",
        |p, _| p.accepted["amount"] = json!(PRICE),
        "",
    ),
    (
        "another asset",
        |p, _| p.accepted["asset"] = json!(p.from.to_checksum(None)),
        "",
    ),
    (
        "another network",
        |p, _| p.accepted["network"] = json!("eip155:8453"),
        "",
    ),
    (
        "an unknown field",
        |p, _| p.accepted["discount"] = json!("all"),
        "",
    ),
    (
        "a lower-case payee",
        |p, _| p.accepted["payTo"] = json!(p.to.to_string().to_lowercase()),
        "",
    ),
];

async fn refusals(wrong: &[Wrong], told: impl Fn(&str) -> String) {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let (buyer, books) = (seller.buyer(), world.books().await);
    for (what, change, reason) in wrong {
        let mut payment = buyer.payment(PAYER, "/weather/oslo", world.now()).await;
        change(&mut payment, world.now());
        let answer = buyer.pay("/weather/oslo", &payment.header()).await;
        assert_eq!(answer.status, 402, "{what}: {answer:?}");
        let terms = answer
            .required()
            .unwrap_or_else(|| panic!("{what}: no terms"));
        assert_eq!(terms["error"], told(reason), "{what}");
    }
    assert_eq!(runs(&seller), 0);
    books.moved(&world, 0, 0).await;
}

#[tokio::test]
async fn g07_an_authorization_that_is_not_the_one_asked_for_is_refused() {
    refusals(WRONG_AUTHORIZATIONS, |reason| {
        format!("invalid_exact_evm_{reason}")
    })
    .await;
}

#[tokio::test]
async fn g07_terms_that_were_not_offered_cannot_be_accepted() {
    refusals(WRONG_TERMS, |_| {
        "No matching payment requirements".to_owned()
    })
    .await;
}

#[tokio::test]
async fn g17_a_payment_that_never_expires_is_refused() {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let mut payment = buyer.payment(PAYER, "/weather/oslo", world.now()).await;
    payment.valid_before += 10_000_000;
    let answer = buyer.pay("/weather/oslo", &payment.header()).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (402, "validity_too_long"),
        "{answer:?}"
    );
    assert_eq!(runs(&seller), 0);
}

#[tokio::test]
async fn g13_there_is_exactly_one_payment_header() {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let books = world.books().await;
    let one = buyer
        .payment(PAYER, "/weather/oslo", world.now())
        .await
        .header();
    let two = buyer
        .payment(PAYER, "/weather/oslo", world.now())
        .await
        .header();
    let twice = [
        ("PAYMENT-SIGNATURE", one.as_str()),
        ("payment-signature", two.as_str()),
    ];
    let same = [
        ("PAYMENT-SIGNATURE", one.as_str()),
        ("PAYMENT-SIGNATURE", one.as_str()),
    ];
    let folded = format!("{one}, {two}");
    for headers in [
        &twice[..],
        &same[..],
        &[("PAYMENT-SIGNATURE", folded.as_str())],
    ] {
        let answer = buyer
            .send(Method::GET, "/weather/oslo", headers, Vec::new())
            .await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
    let in_url = buyer
        .get(&format!(
            "/weather/oslo?PAYMENT-SIGNATURE={one}&payment={one}"
        ))
        .await;
    assert_eq!(in_url.status, 402, "a payment in the URL is not one");
    assert_eq!(runs(&seller), 0);
    books.moved(&world, 0, 0).await;
}

#[tokio::test]
async fn g14_too_much_is_refused_before_it_costs_anything() {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let terms = buyer
        .send(Method::POST, "/echo", &[], b"hello".to_vec())
        .await
        .required()
        .unwrap();
    let header = Payment::new(PAYER, &terms, world.now()).header();
    let paid = [("PAYMENT-SIGNATURE", header.as_str())];
    let books = world.books().await;
    let answer = buyer
        .send(Method::POST, "/echo", &paid, vec![0; 64 << 20])
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "body_too_large"),
        "{:?}",
        answer.headers
    );
    assert_eq!(runs(&seller), 0);
    books.moved(&world, 0, 0).await;
    let answer = buyer
        .send(Method::POST, "/echo", &paid, b"hello".to_vec())
        .await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"hello"[..]));
    let other = buyer
        .send(Method::POST, "/echo", &paid, b"hullo".to_vec())
        .await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (409, "payment_reused_for_other_request"),
        "the body is bound"
    );
    books.moved(&world, PRICE, 1).await;
}
