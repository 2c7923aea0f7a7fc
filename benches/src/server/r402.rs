//! The r402 middleware, with a facilitator in the process and over HTTP.

use std::error::Error;
use std::future::{Future, ready};

use axum::Router;
use axum::routing::get;
use r402_evm::Eip155Exact;
use r402_http::server::{Facilitator, X402Middleware};
use r402_protocol::FacilitatorError;
use r402_protocol::network::ChainIdPattern;
use r402_protocol::payment::{
    Extensions, PriceTag, SettleRequest, SettleResponse, SupportedPaymentKind, SupportedResponse,
    VerifyRequest, VerifyResponse,
};

use super::bare;
use crate::payment::{self, NETWORK};

/// Says yes to everything.
struct Double;

impl Facilitator for Double {
    fn verify(
        &self,
        _: VerifyRequest,
    ) -> impl Future<Output = Result<VerifyResponse, FacilitatorError>> + Send {
        ready(Ok(VerifyResponse::valid(
            "0x0000000000000000000000000000000000000001",
        )))
    }

    fn settle(
        &self,
        _: SettleRequest,
    ) -> impl Future<Output = Result<SettleResponse, FacilitatorError>> + Send {
        ready(Ok(SettleResponse::Success {
            payer: None,
            transaction: "0x1111111111111111111111111111111111111111111111111111111111111111"
                .into(),
            network: NETWORK.into(),
            amount: None,
            extensions: Extensions::new(),
            extension_responses: Extensions::new(),
            extra: None,
        }))
    }

    fn supported(
        &self,
    ) -> impl Future<Output = Result<SupportedResponse, FacilitatorError>> + Send {
        let mut supported = SupportedResponse::new();
        supported
            .kinds
            .push(SupportedPaymentKind::new(2, "exact", NETWORK));
        ready(Ok(supported))
    }
}

pub(super) fn in_process() -> Result<Router, Box<dyn Error>> {
    sell(X402Middleware::from_facilitator(Double))
}

pub(super) fn over_http(url: &str) -> Result<Router, Box<dyn Error>> {
    sell(X402Middleware::try_new(url)?)
}

fn sell(x402: X402Middleware) -> Result<Router, Box<dyn Error>> {
    let layer = x402
        .with_base_url("http://127.0.0.1:4021".parse()?)
        .with_scheme(ChainIdPattern::wildcard("eip155"), Eip155Exact)
        .with_price_tag(PriceTag::new(serde_json::from_value(payment::accepted())?))?;
    Ok(Router::new()
        .route("/weather/{city}", get(bare::weather).layer(layer.clone()))
        .route("/today", get(bare::today).layer(layer)))
}
