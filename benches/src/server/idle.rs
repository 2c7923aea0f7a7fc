//! Paywalls with one and with 2,001 endpoints, to weigh what an endpoint costs that nobody asks for.

use std::error::Error;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use x402_model::endpoint::{EndpointSpec, Lifecycle, Method, RouteSpec, rules};
use x402_model::money::Decimal;
use x402_model::price::{Price, PriceModel, PriceUnit};
use x402_runtime::facilitator::BoxFuture;
use x402_runtime::handler::{Endpoint, PaidHandler};
use x402_runtime::{MemoryLedger, PaywallBuilder};

use super::ours;

/// One of the endpoints, known by two numbers below 100.
#[derive(Clone)]
struct Idle<const HIGH: usize, const LOW: usize>;

impl<const HIGH: usize, const LOW: usize> Idle<HIGH, LOW> {
    const PATH: [u8; 10] = {
        let mut text = *b"/idle_0000";
        text[6] += (HIGH / 10) as u8;
        text[7] += (HIGH % 10) as u8;
        text[8] += (LOW / 10) as u8;
        text[9] += (LOW % 10) as u8;
        text
    };
    const ROUTE: &str = match std::str::from_utf8(&Self::PATH) {
        Ok(text) => text,
        Err(_) => panic!("digits are text"),
    };
    const ID: &str = Self::ROUTE.split_at(1).1;
}

impl<const HIGH: usize, const LOW: usize> Endpoint for Idle<HIGH, LOW> {
    const SPEC: EndpointSpec = EndpointSpec {
        id: Self::ID,
        route: Some(RouteSpec {
            method: Method::Get,
            path: Self::ROUTE,
        }),
        price: PriceModel::Flat {
            amount: Price {
                amount: Decimal::new(1, 2),
                unit: PriceUnit::Usd,
            },
        },
        probe: None,
        allowances: &[],
        plans: &[],
        summary: "An endpoint that waits for buyers",
        description: "It answers with two letters, and it has as many words about itself as sellers commonly write.",
        tags: &["idle", "sample"],
        mime_type: rules::DEFAULT_MIME_TYPE,
        timeout_seconds: rules::DEFAULT_TIMEOUT_SECONDS,
        pay_to: None,
        payment_ids: None,
        lifecycle: Lifecycle::NONE,
        rails: &[],
    };
}

/// Tells this implementation from those for functions.
struct ByHand;

impl<const HIGH: usize, const LOW: usize> PaidHandler<ByHand, ()> for Idle<HIGH, LOW> {
    type Endpoint = Self;

    fn call(self, _: Request, (): ()) -> BoxFuture<'static, Response> {
        Box::pin(std::future::ready("ok".into_response()))
    }
}

macro_rules! mount {
    ($builder:ident, $high:ident: $($low:literal)+) => {
        $(let $builder = $builder.mount(Idle::<$high, $low>);)+
    };
}

#[rustfmt::skip]
fn hundred<const HIGH: usize>(builder: PaywallBuilder) -> PaywallBuilder {
    mount!(builder, HIGH:
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
        20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
        40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59
        60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79
        80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99
    );
    builder
}

macro_rules! hundreds {
    ($builder:ident: $($high:literal)+) => {
        $(let $builder = hundred::<$high>($builder);)+
    };
}

/// A paywall with one endpoint.
pub(super) async fn one() -> Result<Router, Box<dyn Error>> {
    finish(ours::builder()).await
}

/// A paywall with 2,000 endpoints more.
pub(super) async fn many() -> Result<Router, Box<dyn Error>> {
    let builder = ours::builder();
    hundreds!(builder: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
    finish(builder).await
}

async fn finish(builder: PaywallBuilder) -> Result<Router, Box<dyn Error>> {
    let paywall = builder
        .ledger(MemoryLedger::new())
        .mount(Idle::<99, 99>)
        .build()
        .await?;
    Ok(paywall.router())
}
