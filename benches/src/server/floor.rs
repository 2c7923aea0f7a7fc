//! The least a seller can do by hand: a constant 402, one whole check of an EIP-3009 authorization, a set of used nonces.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex};

use alloy_primitives::{Address, B256, FixedBytesSliceExt, U256, b256, hex, keccak256};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secp256k1::Message;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use serde::Deserialize;

use super::Weather;
use crate::payment::{self, AMOUNT, ASSET, NETWORK, PAY_TO, TIMEOUT_SECONDS};

const TRANSFER_TYPE: B256 =
    b256!("7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267");

static SEPARATOR: LazyLock<B256> = LazyLock::new(|| payment::separator().0);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload<'a> {
    x402_version: u8,
    #[serde(borrow)]
    accepted: Accepted<'a>,
    #[serde(borrow)]
    payload: Exact<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted<'a> {
    scheme: &'a str,
    network: &'a str,
    amount: &'a str,
    asset: &'a str,
    pay_to: &'a str,
    max_timeout_seconds: u64,
    #[serde(borrow)]
    extra: Extra<'a>,
}

#[derive(Deserialize)]
struct Extra<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Deserialize)]
struct Exact<'a> {
    signature: &'a str,
    #[serde(borrow)]
    authorization: Authorization<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authorization<'a> {
    from: &'a str,
    to: &'a str,
    value: &'a str,
    valid_after: &'a str,
    valid_before: &'a str,
    nonce: &'a str,
}

/// Who paid, and with which nonce, if the payment fits the terms and the signature is the payer's.
pub(super) fn check(payload: &Payload<'_>) -> Option<(Address, B256)> {
    let accepted = &payload.accepted;
    let fits = payload.x402_version == 2
        && accepted.scheme == "exact"
        && accepted.network == NETWORK
        && accepted.amount.parse() == Ok(AMOUNT)
        && accepted.asset.parse() == Ok(ASSET)
        && accepted.pay_to.parse() == Ok(PAY_TO)
        && accepted.max_timeout_seconds == TIMEOUT_SECONDS
        && accepted.extra.name == "USDC"
        && accepted.extra.version == "2";
    let authorization = &payload.payload.authorization;
    let from: Address = authorization.from.parse().ok()?;
    let to: Address = authorization.to.parse().ok()?;
    let value: U256 = authorization.value.parse().ok()?;
    let valid_after: u64 = authorization.valid_after.parse().ok()?;
    let valid_before: u64 = authorization.valid_before.parse().ok()?;
    let nonce: B256 = authorization.nonce.parse().ok()?;
    let now = payment::now();
    let good = fits
        && to == PAY_TO
        && value == U256::from(AMOUNT)
        && valid_after <= now
        && now + 10 <= valid_before
        && valid_before <= now + TIMEOUT_SECONDS + 60;
    if !good {
        return None;
    }
    let words = [
        TRANSFER_TYPE,
        from.into_word(),
        to.into_word(),
        B256::from(value),
        B256::from(U256::from(valid_after)),
        B256::from(U256::from(valid_before)),
        nonce,
    ];
    let mut signed = [0; 66];
    signed[..2].copy_from_slice(&[0x19, 0x01]);
    signed[2..34].copy_from_slice(SEPARATOR.as_slice());
    signed[34..].copy_from_slice(keccak256(words.as_flattened()).as_slice());
    (recover(keccak256(signed), payload.payload.signature)? == from).then_some((from, nonce))
}

fn recover(digest: B256, signature: &str) -> Option<Address> {
    let bytes: [u8; 65] = hex::decode_to_array(signature).ok()?;
    let id = match bytes[64] {
        27 => RecoveryId::Zero,
        28 => RecoveryId::One,
        _ => return None,
    };
    let key = RecoverableSignature::from_compact(bytes[..64].try_into().ok()?, id)
        .ok()?
        .recover(Message::from_digest(digest.0))
        .ok()?;
    Some(Address::from_word(keccak256(
        &key.serialize_uncompressed()[1..],
    )))
}

#[derive(Clone)]
struct Seller {
    terms: HeaderValue,
    used: Arc<Mutex<HashSet<(Address, B256)>>>,
}

impl Seller {
    /// The settlement header of a good payment.
    fn sell(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let (payer, nonce) = headers
            .get("payment-signature")
            .and_then(|header| STANDARD.decode(header).ok())
            .and_then(|json| check(&serde_json::from_slice(&json).ok()?))
            .filter(|paid| self.used.lock().is_ok_and(|mut used| used.insert(*paid)))?;
        let settled = format!(
            r#"{{"success":true,"transaction":"{nonce}","network":"{NETWORK}","payer":"{payer}"}}"#
        );
        HeaderValue::try_from(STANDARD.encode(settled)).ok()
    }

    fn answer(&self, headers: &HeaderMap, city: String) -> Response {
        let Some(settled) = self.sell(headers) else {
            return self.refusal();
        };
        let mut response = Json(Weather::of(city)).into_response();
        response.headers_mut().insert("payment-response", settled);
        response
    }

    fn refusal(&self) -> Response {
        let mut response = Response::new(axum::body::Body::from(r#"{"code":"payment_required"}"#));
        *response.status_mut() = StatusCode::PAYMENT_REQUIRED;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("payment-required", self.terms.clone());
        response
    }
}

async fn weather(State(seller): State<Seller>, headers: HeaderMap, city: Path<String>) -> Response {
    seller.answer(&headers, city.0)
}

async fn today(State(seller): State<Seller>, headers: HeaderMap) -> Response {
    seller.answer(&headers, "here".to_owned())
}

pub(super) fn app() -> Router {
    let terms = serde_json::json!({
        "x402Version": 2,
        "resource": {"url": "http://127.0.0.1/", "mimeType": "application/json"},
        "accepts": [payment::accepted()],
        "error": "Payment required",
    });
    let terms = HeaderValue::try_from(STANDARD.encode(terms.to_string()));
    Router::new()
        .route("/weather/{city}", get(weather))
        .route("/today", get(today))
        .with_state(Seller {
            terms: terms.unwrap_or_else(|_| HeaderValue::from_static("")),
            used: Arc::default(),
        })
}
