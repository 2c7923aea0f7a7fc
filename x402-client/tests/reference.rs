//! What the reference client sends, replayed from its recorded exchanges.
//!
//! The recordings hold requests and results but not the seller's script, so the script is rebuilt from them by rule:
//! a payment in a recorded request says what was offered, the recorded result says what was answered. Every version 2
//! offer here also carries a version 1 body, because sellers may serve both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::sync::{Arc, Mutex};

use alloy_primitives::B256;
use alloy_signer_local::PrivateKeySigner;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};
use x402_client::time::ManualClock;
use x402_client::transport::{Transport, TransportError, TransportReply};
use x402_client::wallet::{NonceSource, SigningError};
use x402_client::{Budget, Client, Error, Response, Wallet};
use x402_model::wire::headers::{DEFAULT_CAP, decode_value, encode};

const URL: &str = "http://127.0.0.1:18548/x";
const PAYMENT_HEADERS: [&str; 2] = ["payment-signature", "x-payment"];

/// A recorded exchange, turned into a seller.
#[derive(Clone)]
struct Recording {
    expected: Value,
    sent: Arc<Mutex<Vec<Value>>>,
}

impl Recording {
    /// The payment of the recording, if there was one.
    fn payment(&self) -> Option<(&'static str, &Value)> {
        let request = self.expected["requests"].get(1)?;
        let name = PAYMENT_HEADERS
            .into_iter()
            .find(|name| request["headers"][name].is_object())?;
        Some((name, &request["headers"][name]["decoded"]))
    }

    fn result(&self) -> TransportReply {
        let result = &self.expected["result"];
        let status = u16::try_from(result["status"].as_u64().unwrap_or(402)).unwrap();
        let body = result["body"].as_str().unwrap_or("{}").to_owned();
        TransportReply::new(
            StatusCode::from_u16(status).unwrap(),
            HeaderMap::new(),
            body,
        )
    }

    fn offer(&self) -> Option<TransportReply> {
        let (name, payment) = self.payment()?;
        let v1 = |accepted: &Value, network: &Value| {
            json!({
                "scheme": "exact", "network": network, "maxAmountRequired": accepted["amount"], "resource": URL,
                "description": "", "mimeType": "", "payTo": accepted["payTo"], "asset": accepted["asset"],
                "maxTimeoutSeconds": accepted["maxTimeoutSeconds"], "extra": accepted["extra"],
            })
        };
        let mut headers = HeaderMap::new();
        let entry = if name == "payment-signature" {
            let terms = json!({"x402Version": 2, "resource": payment["resource"], "accepts": [payment["accepted"]]});
            headers.insert(
                "payment-required",
                HeaderValue::from_str(&encode(&terms).unwrap()).unwrap(),
            );
            v1(&payment["accepted"], &json!("base-sepolia"))
        } else {
            let authorization = &payment["payload"]["authorization"];
            let number = |name: &str| {
                authorization[name]
                    .as_str()
                    .unwrap()
                    .parse::<u64>()
                    .unwrap()
            };
            let accepted = json!({
                "amount": authorization["value"], "payTo": authorization["to"],
                "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
                "maxTimeoutSeconds": number("validBefore") - 1_790_000_000, "extra": {"name": "USDC", "version": "2"},
            });
            v1(&accepted, &payment["network"])
        };
        let body =
            json!({"x402Version": 1, "error": "X-PAYMENT header is required", "accepts": [entry]})
                .to_string();
        Some(TransportReply::new(
            StatusCode::PAYMENT_REQUIRED,
            headers,
            body,
        ))
    }
}

impl Transport for Recording {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<TransportReply, TransportError>> {
        let mut headers = json!({});
        for name in PAYMENT_HEADERS {
            if let Some(value) = request.headers().get(name) {
                headers[name] =
                    json!({"decoded": decode_value(value.as_bytes(), DEFAULT_CAP).unwrap()});
            }
        }
        let is_paid = headers != json!({});
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        self.sent
            .lock()
            .unwrap()
            .push(json!({"method": request.method().as_str(), "headers": headers, "body": body}));
        let reply = if is_paid {
            self.result()
        } else {
            self.offer().unwrap_or_else(|| self.result())
        };
        Box::pin(async move { Ok(reply) })
    }
}

/// The nonce of the recording.
struct Fixed(B256);

impl NonceSource for Fixed {
    fn nonce(&self) -> Result<B256, SigningError> {
        Ok(self.0)
    }
}

async fn replay(recording: &Recording) -> Result<Response, Error> {
    let key: PrivateKeySigner = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
        .parse()
        .unwrap();
    let nonce = recording.payment().map(|(_, payment)| {
        payment["payload"]["authorization"]["nonce"]
            .as_str()
            .unwrap()
    });
    let client = Client::builder()
        .wallet(Wallet::from_local_key(key))
        .budget(Budget::new("1 USD", "1 USD").unwrap())
        .clock(ManualClock::at_ms(1_790_000_000_000))
        .nonces(Fixed(
            nonce
                .map(|nonce| nonce.parse().unwrap())
                .unwrap_or_default(),
        ))
        .transport(recording.clone())
        .build()
        .unwrap();
    let first = &recording.expected["requests"][0];
    let method = Method::from_bytes(first["method"].as_str().unwrap().as_bytes()).unwrap();
    let mut call = client.request(method, URL);
    for name in PAYMENT_HEADERS {
        if let Some(value) = first["headers"][name].as_str() {
            call = call.header(name, value);
        }
    }
    if let Some(body) = recording.expected["result"]["body"]
        .as_str()
        .and_then(|body| body.strip_prefix("got "))
    {
        call = call.body(body.to_owned());
    }
    call.send().await
}

/// What the result must be, where the reference returns what comes and we tell refusals from answers.
fn check_result(name: &str, expected: &Value, outcome: Result<Response, Error>) {
    match outcome {
        Ok(answer) => {
            assert_eq!(
                json!(answer.status().as_u16()),
                expected["status"],
                "{name}"
            );
            assert_eq!(json!(answer.text().unwrap()), expected["body"], "{name}");
        }
        Err(error) => match error.code() {
            // A second 402 is an answer there and an error here: nothing was delivered for the signature.
            "refused" => assert_eq!(expected["status"], 402, "{name}"),
            "terms_unreadable" => assert!(
                expected["threw"]
                    .as_str()
                    .unwrap()
                    .contains("parse payment requirements"),
                "{name}"
            ),
            "reserved_header" => assert!(
                expected["threw"]
                    .as_str()
                    .unwrap()
                    .contains("already attempted"),
                "{name}"
            ),
            code => panic!("{name}: {code}"),
        },
    }
}

#[tokio::test]
async fn the_recorded_exchanges_hold() {
    let vectors: Value = serde_json::from_str(include_str!("data/http_client.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 9);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let recording = Recording {
            expected: case["expected"].clone(),
            sent: Arc::default(),
        };
        let outcome = replay(&recording).await;
        let caller_paid = outcome
            .as_ref()
            .is_err_and(|error| error.code() == "reserved_header");
        check_result(name, &case["expected"]["result"], outcome);
        let sent = recording.sent.lock().unwrap().clone();
        let expected = case["expected"]["requests"].as_array().unwrap();
        if caller_paid {
            // The reference notices after asking; we notice before anything is sent.
            assert!(sent.is_empty(), "{name}");
            continue;
        }
        assert_eq!(sent.len(), expected.len(), "{name}");
        for (ours, theirs) in sent.iter().zip(expected) {
            assert_eq!(ours["method"], theirs["method"], "{name}");
            assert_eq!(
                ours["body"], sent[0]["body"],
                "{name}: the body goes out again"
            );
            for header in PAYMENT_HEADERS {
                assert_eq!(
                    ours["headers"].get(header),
                    theirs["headers"].get(header),
                    "{name} {header}"
                );
            }
        }
    }
}
