//! The x402-axum middleware with a facilitator in the process.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use x402_axum::X402Middleware;
use x402_types::facilitator::Facilitator;
use x402_types::proto::{
    SettleRequest, SettleResponse, SupportedPaymentKind, SupportedResponse, VerifyRequest,
    VerifyResponse,
};

use super::{bare, floor};
use crate::payment::{self, NETWORK};

/// Settles whatever it is given. `check` makes it verify the signature as the floor does, which it does not do by itself.
#[derive(Clone)]
struct Double {
    check: bool,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    payment_payload: floor::Payload<'a>,
}

impl Facilitator for Double {
    type Error = Infallible;

    async fn verify(&self, request: &VerifyRequest) -> Result<VerifyResponse, Infallible> {
        let valid = !self.check
            || serde_json::from_str::<Wire<'_>>(request.as_str())
                .is_ok_and(|wire| floor::check(&wire.payment_payload).is_some());
        Ok(VerifyResponse(json!({
            "isValid": valid,
            "invalidReason": if valid { Value::Null } else { "invalid".into() },
            "payer": "0x0000000000000000000000000000000000000001",
        })))
    }

    async fn settle(&self, _: &SettleRequest) -> Result<SettleResponse, Infallible> {
        Ok(SettleResponse(json!({
            "success": true,
            "transaction": "0x1111111111111111111111111111111111111111111111111111111111111111",
            "network": NETWORK,
            "payer": "0x0000000000000000000000000000000000000001",
        })))
    }

    async fn supported(&self) -> Result<SupportedResponse, Infallible> {
        Ok(SupportedResponse {
            kinds: vec![SupportedPaymentKind {
                x402_version: 2,
                scheme: "exact".to_owned(),
                network: NETWORK.to_owned(),
                extra: None,
            }],
            ..SupportedResponse::default()
        })
    }
}

pub(super) fn app(check: bool) -> Router {
    sell(&X402Middleware::from_facilitator(Arc::new(Double {
        check,
    })))
}

pub(super) fn over_http(url: &str) -> Result<Router, Box<dyn Error>> {
    Ok(sell(&X402Middleware::try_new(url)?))
}

fn sell<F>(x402: &X402Middleware<F>) -> Router
where
    F: Facilitator + Clone + Send + Sync + 'static,
{
    let tag = x402_types::proto::v2::PriceTag {
        requirements: serde_json::from_value(payment::accepted()).expect("terms of its shape"),
        enricher: None,
    };
    let layer = x402.with_price_tag(tag);
    Router::new()
        .route("/weather/{city}", get(bare::weather).layer(layer.clone()))
        .route("/today", get(bare::today).layer(layer))
}
