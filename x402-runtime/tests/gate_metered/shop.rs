//! A shop with metered prices, and a buyer that signs for them.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use alloy_primitives::{Address, U256, address};
use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::{Ledger, MemoryLedger, SqliteLedger, State as Stage};
use x402_runtime::model::evm::permit2::{self, TokenPermissions, UPTO_PERMIT2_PROXY, Witness};
use x402_runtime::model::evm::{Permit2Authorization, Permit2Payload, Signature};
use x402_runtime::model::wire::{PaymentRequired, SupportedKind, headers};
use x402_runtime::{Meter, PaywallBuilder, paid};

use crate::common::shop::{Shop, builder, weather};
use crate::common::{Double, NOW, PAY_TO, Stand};

pub(crate) const FACILITATOR: Address = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
/// 0.02 of a token with 6 decimals.
pub(crate) const CEILING: u128 = 20_000;

#[derive(Deserialize)]
pub(crate) struct Job {
    pub(crate) n: u64,
    #[serde(default)]
    pub(crate) how: String,
}

/// Counts what it is asked to.
#[paid(POST "/count", price = upto("0.02 USDC", base = "0.001 USDC", units(tokens = "0.000002 USDC")))]
pub(crate) async fn count(
    State(shop): State<Shop>,
    meter: Meter,
    Query(job): Query<Job>,
) -> Response {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    meter.add("tokens", job.n);
    match job.how.as_str() {
        "fail" => StatusCode::BAD_GATEWAY.into_response(),
        "other" => {
            meter.add("words", 1);
            "other".into_response()
        }
        "spent" => meter.is_spent().to_string().into_response(),
        _ => "counted".into_response(),
    }
}

#[derive(Serialize)]
pub(crate) struct Told {
    usage: Usage,
}

#[derive(Serialize)]
pub(crate) struct Usage {
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<u64>,
}

/// Says what it used in its answer.
#[paid(GET "/tell", price = upto("0.02 USDC", units(tokens = "0.000002 USDC")))]
pub(crate) async fn tell(Query(job): Query<Job>) -> Json<Told> {
    let tokens = (job.how != "forget").then_some(job.n);
    Json(Told {
        usage: Usage { tokens },
    })
}

#[derive(Deserialize)]
pub(crate) struct Prompt {
    text: String,
}

/// Its ceiling and its price follow the length of the text.
#[paid(
    POST "/shout",
    price = upto("0.02 USDC", units(chars = unit("0.001 USDC", per = 10, meter = chars(body("/text")), estimate = chars(body("/text"))))),
)]
pub(crate) async fn shout(body: Bytes) -> String {
    let prompt: Prompt = serde_json::from_slice(&body).unwrap();
    prompt.text.to_uppercase()
}

/// Tells words one by one.
#[paid(GET "/words", price = upto("0.02 USDC", base = "0.001 USDC", units(words = "0.002 USDC")))]
pub(crate) async fn words(
    State(shop): State<Shop>,
    meter: Meter,
    Query(job): Query<Job>,
) -> Response {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    if job.how == "refuse" {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let end = job.n;
    let chunks = stream::unfold(0, move |n| {
        let (meter, shop, how) = (meter.clone(), shop.clone(), job.how.clone());
        async move {
            if n == end {
                return match how.as_str() {
                    "break" => Some((Err(std::io::Error::other("CANARY")), n + 1)),
                    "panic" => panic!("CANARY panic text"),
                    "hang" => std::future::pending().await,
                    "wait-break" => {
                        shop.door.acquire().await.unwrap().forget();
                        Some((Err(std::io::Error::other("CANARY")), n + 1))
                    }
                    "wait" => {
                        shop.door.acquire().await.unwrap().forget();
                        None
                    }
                    _ => None,
                };
            }
            meter.add("words", 1);
            Some((Ok(Bytes::from(format!("data: {n}\n\n"))), n + 1))
        }
    });
    let kind = [(CONTENT_TYPE, "text/event-stream")];
    // An error ends the stream for good.
    let chunks = chunks.scan(false, |over, chunk| {
        let last = std::mem::replace(over, chunk.is_err());
        std::future::ready((!last).then_some(chunk))
    });
    (kind, Body::from_stream(chunks)).into_response()
}

/// Tells words and counts nothing.
#[paid(GET "/uncounted", price = upto("0.02 USDC", units(words = "0.002 USDC")))]
pub(crate) async fn uncounted() -> Response {
    let chunks = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"data: 1\n\n"))]);
    let kind = [(CONTENT_TYPE, "text/event-stream")];
    (kind, Body::from_stream(chunks)).into_response()
}

/// Lets a facilitator settle metered payments.
pub(crate) fn metering(double: &Double) {
    let named = Map::from_iter([(
        "facilitatorAddress".to_owned(),
        json!(FACILITATOR.to_string()),
    )]);
    let kind = SupportedKind {
        x402_version: 2,
        scheme: "upto".into(),
        network: "eip155:84532".into(),
        extra: Some(named),
    };
    let mut supported = double.supported.lock().unwrap().clone().unwrap();
    supported.kinds.push(kind);
    *double.supported.lock().unwrap() = Ok(supported);
}

pub(crate) async fn stand_on(ledger: Arc<dyn Ledger>) -> Stand {
    stand_with(ledger, |builder| builder).await
}

pub(crate) async fn stand_with(
    ledger: Arc<dyn Ledger>,
    change: impl FnOnce(PaywallBuilder<Shop>) -> PaywallBuilder<Shop>,
) -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    metering(&double);
    let builder = builder(&double, &clock, ledger)
        .answer_cap(200)
        .settle_budget(Duration::from_secs(2))
        .mount(weather)
        .mount(count)
        .mount(tell)
        .mount(shout)
        .mount(words)
        .mount(uncounted);
    Stand::of(change(builder), double, clock).await
}

pub(crate) async fn stand() -> Stand {
    stand_on(Arc::new(MemoryLedger::default())).await
}

pub(crate) fn authorization(terms: &PaymentRequired, nonce: u64) -> Permit2Authorization {
    let offer = terms.accepts[0].value();
    let text = |at: &str| offer.pointer(at).and_then(Value::as_str).unwrap();
    Permit2Authorization {
        from: payer(&key()),
        permitted: TokenPermissions {
            token: text("/asset").parse().unwrap(),
            amount: text("/amount").parse().unwrap(),
        },
        spender: UPTO_PERMIT2_PROXY,
        nonce: U256::from(nonce),
        deadline: U256::from(NOW + 300),
        witness: Witness::Upto {
            to: PAY_TO.parse().unwrap(),
            facilitator: FACILITATOR,
            valid_after: U256::ZERO,
        },
    }
}

pub(crate) fn key() -> SecretKey {
    SecretKey::from_secret_bytes([9; 32]).unwrap()
}

pub(crate) fn payer(key: &SecretKey) -> Address {
    let point = key.public_key().serialize_uncompressed();
    Address::from_word(alloy_primitives::keccak256(&point[1..]))
}

pub(crate) fn sign(terms: &PaymentRequired, authorization: Permit2Authorization) -> String {
    let digest = authorization.digest(&permit2::separator(84_532));
    let signed =
        RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest.0), &key());
    let (id, compact) = signed.serialize_compact();
    let mut bytes = compact.to_vec();
    bytes.push(27 + id.to_u8());
    let payload = Permit2Payload {
        signature: Signature::new(bytes).unwrap(),
        authorization,
    };
    headers::encode(&json!({
        "x402Version": 2,
        "resource": terms.resource,
        "accepted": terms.accepts[0].value(),
        "payload": payload.to_json(),
    }))
    .unwrap()
}

pub(crate) async fn pay(stand: &Stand, method: &str, path: &str, body: &str, nonce: u64) -> String {
    let terms = stand.call(method, path, None, body).await.terms();
    sign(&terms, authorization(&terms, nonce))
}

/// The amounts that were settled.
pub(crate) fn settled(stand: &Stand) -> Vec<u128> {
    let requests = stand.double.requests.lock().unwrap();
    let amounts = requests.iter().map(|request| request.amount().unwrap());
    amounts
        .map(|amount| amount.to_string().parse().unwrap())
        .collect()
}

pub(crate) async fn stage(
    stand: &Stand,
    ledger: &dyn Ledger,
    path: &str,
    nonce: u64,
) -> Option<(Stage, String)> {
    let terms = stand.terms("GET", path).await;
    let signed = authorization(&terms, nonce);
    let record = ledger
        .get(&x402_runtime::ledger::PaymentKey {
            network: x402_runtime::Network::BASE_SEPOLIA,
            asset: signed.permitted.token,
            payer: signed.from,
            nonce: U256::from(nonce).into(),
        })
        .await
        .unwrap()?;
    Some((record.state, record.amount.to_string()))
}

/// A new file, which the system removes with its folder of temporary files.
pub(crate) fn file() -> std::path::PathBuf {
    let folder = tempfile::tempdir().unwrap().keep();
    folder.join("ledger.sqlite")
}

pub(crate) fn ledgers() -> [Arc<dyn Ledger>; 2] {
    [
        Arc::new(MemoryLedger::default()),
        Arc::new(SqliteLedger::open(file()).unwrap()),
    ]
}
