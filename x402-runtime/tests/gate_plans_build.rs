//! Plans that cannot be sold are found at the start, each by name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::borrow::Cow;
use std::sync::Arc;

use common::{Double, PAY_TO};
use x402_runtime::handler::{Endpoint, MountWithPaywall};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::endpoint::{EndpointSpec, Lifecycle, Method, RouteSpec, rules};
use x402_runtime::model::money::Decimal;
use x402_runtime::model::network::Network;
use x402_runtime::model::price::{Plan, PlanKind, Price, PriceModel, PriceUnit};
use x402_runtime::paid;
use x402_runtime::paywall::{BuildError, Paywall, PaywallBuilder, Rail};

const fn usdc(mantissa: u128, scale: u8) -> Price {
    Price {
        amount: Decimal::new(mantissa, scale),
        unit: PriceUnit::Symbol(Cow::Borrowed("USDC")),
    }
}

const fn plan(id: &'static str, kind: PlanKind, method: Method, header: &'static str) -> Plan {
    Plan {
        id: Cow::Borrowed(id),
        kind,
        purchase: RouteSpec {
            method,
            path: "/x402/credits",
        },
        present_header: Cow::Borrowed(header),
    }
}

const fn prepaid(units: u128) -> PlanKind {
    PlanKind::Prepaid {
        amount: usdc(units, 0),
        credit: usdc(units, 0),
        expires_seconds: None,
    }
}

const MONTHLY: PlanKind = PlanKind::Subscription {
    amount: usdc(1, 0),
    period_seconds: 86_400,
    includes_calls: None,
};

const SIGN_IN: &str = "SIGN-IN-WITH-X";

const fn spec(id: &'static str, path: &'static str, plans: &'static [Plan]) -> EndpointSpec {
    EndpointSpec {
        id,
        route: Some(RouteSpec {
            method: Method::Get,
            path,
        }),
        price: PriceModel::Flat { amount: usdc(1, 2) },
        summary: "",
        description: "",
        tags: &[],
        mime_type: rules::DEFAULT_MIME_TYPE,
        timeout_seconds: rules::DEFAULT_TIMEOUT_SECONDS,
        pay_to: None,
        rails: &[],
        probe: None,
        payment_ids: None,
        lifecycle: Lifecycle::NONE,
        allowances: &[],
        plans,
    }
}

/// Makes an endpoint with one plan.
macro_rules! endpoints {
    ($($handler:ident $kind:ident $path:literal $plan:expr;)+) => {$(
        struct $kind;

        impl Endpoint for $kind {
            const SPEC: EndpointSpec = {
                const PLANS: &[Plan] = &[$plan];
                spec(stringify!($handler), $path, PLANS)
            };
        }

        fn $handler() -> MountWithPaywall<$kind, impl Future<Output = &'static str> + Send> {
            MountWithPaywall::new(std::future::ready("x"))
        }
    )+};
}

endpoints! {
    good Good "/good" plan("good-plan", prepaid(1), Method::Post, SIGN_IN);
    same Same "/same" plan("good-plan", prepaid(1), Method::Post, SIGN_IN);
    dearer Dearer "/dearer" plan("good-plan", prepaid(2), Method::Post, SIGN_IN);
    subscribed Subscribed "/subscribed" plan("monthly", MONTHLY, Method::Post, SIGN_IN);
    got Got "/got" plan("by-get", prepaid(1), Method::Get, SIGN_IN);
    key Key "/key" plan("by-key", prepaid(1), Method::Post, "X-API-KEY");
    taker Taker "/x402/credits" plan("other", prepaid(1), Method::Post, SIGN_IN);
    named Named "/named" plan("named", prepaid(1), Method::Post, SIGN_IN);
}

/// An endpoint at the very path at which plans are sold.
#[paid(POST "/x402/credits", price = "0.01 USDC")]
async fn seller() {}

/// A plan that costs less than a token can pay.
#[paid(GET "/small", price = "0.01 USDC", plans = [prepaid("0.0000001 USDC")])]
async fn small() {}

async fn build(
    mount: impl FnOnce(PaywallBuilder) -> PaywallBuilder,
) -> Result<Paywall, BuildError> {
    let builder = Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator(Arc::new(Double::default()))
        .ledger(MemoryLedger::new());
    mount(builder).build().await
}

#[tokio::test]
async fn endpoints_may_share_a_plan() {
    let paywall = build(|paywall| paywall.mount(good).mount(same))
        .await
        .unwrap();
    let ids: Vec<&str> = paywall.endpoints().iter().map(|one| one.id()).collect();
    assert_eq!(ids, ["good", "same", "good-plan"]);
}

#[tokio::test]
async fn plans_that_cannot_be_sold_are_refused_by_name() {
    type Mount = fn(PaywallBuilder) -> PaywallBuilder;
    let cases: [(Mount, &str, &str); 8] = [
        (
            |p| p.mount(subscribed),
            "subscription_unsupported",
            "`monthly`",
        ),
        (
            |p| p.mount(good).mount(dearer),
            "plan_invalid",
            "`good` offers another plan",
        ),
        (|p| p.mount(got), "plan_invalid", "`by-get`"),
        (|p| p.mount(key), "plan_invalid", "SIGN-IN-WITH-X"),
        (|p| p.mount(taker), "route_taken", "GET /x402/credits"),
        (
            |p| p.mount(good).mount(seller),
            "route_taken",
            "POST /x402/credits",
        ),
        (|p| p.mount(named), "id_taken", "`named`"),
        (|p| p.mount(small), "price_inexact", "prepaid"),
    ];
    for (mount, code, text) in cases {
        let error = build(mount).await.unwrap_err();
        assert_eq!(error.codes(), [code], "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}
