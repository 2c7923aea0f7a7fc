//! Our paywall with a facilitator in the process that settles at once.

use std::error::Error;
use std::future::ready;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::Path;
use axum::{Json, Router};
use x402_model::network::Network;
use x402_model::wire::{SettleResponse, SupportedKind, SupportedResponse, VerifyResponse};
use x402_runtime::facilitator::http::HttpFacilitator;
use x402_runtime::facilitator::{
    BoxFuture, Evidence, Facilitator, FacilitatorError, FacilitatorRequest, PaymentRef,
    SettleOutcome,
};
use x402_runtime::ledger::Ledger;
use x402_runtime::{MemoryLedger, Paywall, PaywallBuilder, Rail, SqliteLedger, paid};

use super::Weather;
use crate::payment::{NETWORK, PAY_TO};

const TRANSACTION: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

/// Settles whatever it is given, at once, like a facilitator that needs no look before serving.
pub(super) struct Stub;

impl Facilitator for Stub {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        Box::pin(ready(Ok(SupportedResponse {
            kinds: vec![SupportedKind {
                x402_version: 2,
                scheme: "exact".to_owned(),
                network: NETWORK.to_owned(),
                extra: None,
            }],
            ..SupportedResponse::default()
        })))
    }

    fn verify<'a>(
        &'a self,
        _: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        Box::pin(ready(Ok(VerifyResponse {
            is_valid: true,
            ..VerifyResponse::default()
        })))
    }

    fn settle<'a>(&'a self, _: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        Box::pin(ready(SettleOutcome::Settled(SettleResponse {
            success: true,
            transaction: TRANSACTION.to_owned(),
            network: NETWORK.to_owned(),
            ..SettleResponse::default()
        })))
    }

    fn evidence<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        Box::pin(ready(Evidence::Paid {
            transaction: TRANSACTION.to_owned(),
            confirmations: 1_000,
        }))
    }

    fn check_before_serving(&self) -> bool {
        false
    }
}

/// Weather for a city.
#[paid(GET "/weather/{city}", price = "0.01 USDC")]
async fn weather(Path(city): Path<String>) -> Json<Weather> {
    Json(Weather::of(city))
}

/// The weather here.
#[paid(GET "/today", price = "0.01 USDC")]
async fn today() -> Json<Weather> {
    Json(Weather::of("here".to_owned()))
}

/// A paywall on which nothing is mounted yet.
pub(super) fn builder() -> PaywallBuilder {
    settling_with(Stub)
}

fn settling_with(facilitator: impl Facilitator) -> PaywallBuilder {
    Paywall::builder()
        .origin("http://127.0.0.1:4021")
        .pay_to(PAY_TO.to_checksum(None))
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator(facilitator)
}

async fn app(builder: PaywallBuilder, ledger: Arc<dyn Ledger>) -> Result<Router, Box<dyn Error>> {
    let paywall = builder
        .ledger_arc(ledger)
        .mount(weather)
        .mount(today)
        .build()
        .await?;
    Ok(paywall.router())
}

pub(super) async fn in_memory() -> Result<Router, Box<dyn Error>> {
    app(builder(), Arc::new(MemoryLedger::new())).await
}

pub(super) async fn over_http(url: &str) -> Result<Router, Box<dyn Error>> {
    let facilitator = HttpFacilitator::new(url)?;
    app(settling_with(facilitator), Arc::new(MemoryLedger::new())).await
}

pub(super) async fn in_sqlite(folder: &FilePath) -> Result<Router, Box<dyn Error>> {
    let ledger = SqliteLedger::open(folder.join("payments.sqlite"))?;
    app(builder(), Arc::new(ledger)).await
}
