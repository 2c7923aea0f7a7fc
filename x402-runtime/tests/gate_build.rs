//! What a paywall refuses to start with: every mistake, all at once, each with what to do.
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

use std::borrow::Cow;
use std::sync::Arc;

use alloy_primitives::Address;
use common::shop::{self, builder};
use common::{Double, NOW, Shop};
use x402_runtime::clock::ManualClock;
use x402_runtime::config::PaywallSettings;
use x402_runtime::facilitator::FacilitatorError;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::asset::{Asset, Eip712Name, TransferMethod};
use x402_runtime::model::network::Network;
use x402_runtime::model::wire::{SupportedKind, SupportedResponse};
use x402_runtime::paid;
use x402_runtime::paywall::{Method, Paywall, PaywallBuilder, Rail};

const REAL: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

fn sound() -> PaywallBuilder<Shop> {
    let clock = Arc::new(ManualClock::at_seconds(NOW));
    builder(
        &Arc::new(Double::default()),
        &clock,
        Arc::new(MemoryLedger::default()),
    )
    .mount(shop::news)
}

async fn codes(builder: PaywallBuilder<Shop>) -> Vec<&'static str> {
    match builder.build().await {
        Ok(_) => Vec::new(),
        Err(error) => error.codes(),
    }
}

fn token(network: Network, symbol: &'static str, transfer: TransferMethod) -> Asset {
    Asset {
        network,
        address: Address::repeat_byte(0x42),
        symbol: Cow::Borrowed(symbol),
        decimals: 6,
        eip712: Some(Eip712Name {
            name: Cow::Borrowed("T"),
            version: Cow::Borrowed("1"),
        }),
        transfer,
        eip2612: false,
        usd_pegged: false,
    }
}

#[paid(GET "/dollar", price = "0.01 USD")]
async fn dollar() {}

#[paid(GET "/fine", price = "0.0000001 TOK", rails = ["base-sepolia:TOK"])]
async fn fine() {}

#[paid(GET "/tok", price = "1 TOK")]
async fn tok() {}

#[paid(price = "0.01 USDC")]
async fn homeless() {}

#[paid(GET "/weather/{town}", price = "0.01 USDC")]
async fn rival(axum::extract::Path(_town): axum::extract::Path<String>) {}

#[paid(GET "/other", price = "0.01 USDC", id = "news")]
async fn namesake() {}

#[paid(GET "/picky", price = "0.01 USDC", rails = ["base:USDC"])]
async fn picky() {}

#[paid(GET "/hasty", price = "0.01 USDC", timeout = 12)]
async fn hasty() {}

#[paid(GET "/own", price = "0.01 USDC", pay_to = "0x52908400098527886E0F7030069857D2E4169EE7")]
async fn own() {}

#[tokio::test]
async fn a_sound_paywall_starts() {
    assert_eq!(codes(sound()).await, [""; 0]);
    let own = sound().mount(own).build().await.unwrap();
    let endpoint = own.endpoints().last().unwrap();
    assert_eq!(
        endpoint.terms()[0].pay_to().to_string().to_lowercase(),
        REAL.to_lowercase()
    );
}

#[tokio::test]
async fn g06_nothing_starts_without_a_verifier() {
    let paywall = Paywall::<Shop>::builder()
        .origin("https://api.example.com")
        .pay_to(common::PAY_TO)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .ledger(MemoryLedger::default())
        .mount(shop::news);
    assert_eq!(codes(paywall).await, ["facilitator_missing"]);
    let supports = |answer: Result<SupportedResponse, FacilitatorError>| {
        let double = Double::default();
        *double.supported.lock().unwrap() = answer;
        sound().facilitator(double)
    };
    let kind = |version, scheme: &str, network: &str| SupportedResponse {
        kinds: vec![SupportedKind {
            x402_version: version,
            scheme: scheme.into(),
            network: network.into(),
            extra: None,
        }],
        ..SupportedResponse::default()
    };
    assert_eq!(
        codes(supports(Err(FacilitatorError::Timeout))).await,
        ["facilitator_unreachable"]
    );
    for unfit in [
        SupportedResponse::default(),
        kind(2, "exact", "eip155:8453"),
        kind(2, "upto", "eip155:84532"),
        kind(1, "exact", "eip155:84532"),
        kind(1, "exact", "base-sepolia"),
    ] {
        assert_eq!(
            codes(supports(Ok(unfit))).await,
            ["facilitator_kind_missing"]
        );
    }
    for fit in ["eip155:84532", "eip155:*", "*"] {
        assert_eq!(
            codes(supports(Ok(kind(2, "exact", fit)))).await,
            [""; 0],
            "{fit}"
        );
    }
}

#[tokio::test]
async fn all_mistakes_at_once() {
    let error = Paywall::<Shop>::builder()
        .origin("http://api.example.com")
        .pay_to("0x52908400098527886e0F7030069857D2E4169EE7")
        .accept(Rail::new(Network::BASE_SEPOLIA, "EURC"))
        .body_timeout(std::time::Duration::ZERO)
        .mount(shop::news)
        .mount(shop::news)
        .mount(homeless)
        .build()
        .await
        .unwrap_err();
    assert_eq!(
        error.codes(),
        [
            "limit_invalid",
            "origin_invalid",
            "rail_unknown",
            "pay_to_invalid",
            "id_taken",
            "route_taken",
            "route_missing",
            "facilitator_missing",
            "ledger_missing"
        ]
    );
    let text = error.to_string();
    for part in [
        "use https",
        "built in is base-sepolia:USDC",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "mount_at",
        ".ledger(",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn an_empty_builder_says_what_is_needed() {
    let error = Paywall::<Shop>::builder().build().await.unwrap_err();
    assert_eq!(
        error.codes(),
        [
            "origin_missing",
            "no_rails",
            "nothing_mounted",
            "facilitator_missing",
            "ledger_missing"
        ]
    );
}

#[tokio::test]
async fn receivers_and_settlers() {
    assert_eq!(
        codes(sound().pay_to("0x0000000000000000000000000000000000000000")).await,
        ["pay_to_zero"]
    );
    assert_eq!(
        codes(sound().pay_to("api.example.com")).await,
        ["pay_to_invalid"]
    );
    let no_pay_to = Paywall::<Shop>::builder()
        .origin("https://api.example.com")
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator(Double::default())
        .ledger(MemoryLedger::default());
    assert_eq!(
        codes(no_pay_to.mount(shop::news).mount(own)).await,
        ["pay_to_missing"]
    );
    // Real money.
    let main = || sound().accept(Rail::new(Network::BASE, "USDC"));
    assert_eq!(
        codes(main()).await,
        ["pay_to_development_account", "ledger_volatile"]
    );
    assert_eq!(codes(main().pay_to(REAL)).await, ["ledger_volatile"]);
    assert_eq!(
        codes(main().pay_to(REAL).allow_volatile_ledger()).await,
        [""; 0]
    );
    let double = Double::default();
    double.supported.lock().unwrap().as_mut().unwrap().signers = [(
        "eip155:*".to_owned(),
        vec![common::PAY_TO.to_owned(), REAL.to_owned()],
    )]
    .into();
    let settler = codes(
        main()
            .pay_to(REAL)
            .allow_volatile_ledger()
            .facilitator(double),
    )
    .await;
    assert_eq!(settler, ["settler_development_account"]);
}

#[tokio::test]
async fn rails_and_prices() {
    let sepolia = Network::BASE_SEPOLIA;
    let usdc = || Rail::new(sepolia.clone(), "USDC");
    let custom = |symbol, transfer| Rail::custom(token(sepolia.clone(), symbol, transfer));
    assert_eq!(codes(sound().accept(usdc())).await, ["rail_twice"]);
    assert_eq!(
        codes(sound().accept(Rail::new(Network::evm(4326), "MegaUSD")))
            .await
            .len(),
        1
    );
    let permit2 = custom("TOK", TransferMethod::Permit2);
    assert_eq!(codes(sound().accept(permit2)).await, [""; 0]);
    let mut nameless = token(sepolia.clone(), "TOK", TransferMethod::Eip3009);
    nameless.eip712 = None;
    assert_eq!(
        codes(sound().accept(Rail::custom(nameless))).await,
        ["rail_invalid"]
    );
    let tok_rail = || custom("TOK", TransferMethod::Eip3009);
    assert_eq!(codes(sound().mount(tok)).await, ["no_rail_for_price"]);
    assert_eq!(codes(sound().accept(tok_rail()).mount(tok)).await, [""; 0]);
    assert_eq!(
        codes(sound().accept(tok_rail()).mount(fine)).await,
        ["price_inexact"]
    );
    assert_eq!(codes(sound().mount(picky)).await, ["rail_not_accepted"]);
    assert_eq!(codes(sound().mount(hasty)).await, ["timeout_out_of_range"]);
    // A price in USD is paid by dollar tokens only.
    let only_tok = PaywallSettings::default();
    let paywall = sound()
        .settings(only_tok)
        .accept(tok_rail())
        .mount(dollar)
        .build()
        .await
        .unwrap();
    let terms = paywall.endpoints().last().unwrap().terms();
    assert_eq!(
        terms
            .iter()
            .map(|terms| terms.asset().symbol.to_string())
            .collect::<Vec<_>>(),
        ["USDC"]
    );
}

#[tokio::test]
async fn routes() {
    assert_eq!(codes(sound().mount(homeless)).await, ["route_missing"]);
    assert_eq!(
        codes(sound().mount_at(Method::Get, "/home", homeless)).await,
        [""; 0]
    );
    assert_eq!(
        codes(sound().mount_at(Method::Get, "home", homeless)).await,
        ["route_invalid"]
    );
    assert_eq!(
        codes(sound().mount_at(Method::Get, "/news", homeless)).await,
        ["route_taken"]
    );
    assert_eq!(
        codes(sound().mount_at(Method::Post, "/news", homeless)).await,
        [""; 0]
    );
    assert_eq!(
        codes(sound().mount(shop::weather).mount(rival)).await,
        ["route_conflict"]
    );
    assert_eq!(codes(sound().mount(namesake)).await, ["id_taken"]);
    // What the check lets through, the router takes: no panic.
    for (first, second) in [
        ("/a/{x}", "/a/b"),
        ("/a/{x}/c", "/a/{x}/d"),
        ("/a/{x}/c", "/a/b/{y}"),
        ("/{*rest}", "/a"),
        ("/a/{x}/c", "/a/{y}/d"),
        ("/a/{*rest}", "/a/{x}/c"),
        ("/a/{x}", "/a/{*rest}"),
        ("/{x}", "/{y}/b"),
        ("/{x}/{y}", "/{x}/{*rest}"),
    ] {
        let built = sound()
            .mount_at(Method::Get, first, homeless)
            .mount_at(Method::Get, second, own)
            .build()
            .await;
        if let Err(error) = built {
            assert_eq!(error.codes(), ["route_conflict"], "{first} {second}");
        }
    }
}

#[tokio::test]
async fn operators_settings_override_code() {
    let settings = PaywallSettings::from_toml(&format!(
        "origin = \"https://shop.example\"\npay_to = \"{REAL}\"\nrails = [\"celo-sepolia:USDC\"]\n[limits]\nheader_cap = 4096"
    ))
    .unwrap();
    let paywall = sound().settings(settings).build().await.unwrap();
    let endpoint = &paywall.endpoints()[0];
    assert_eq!(endpoint.origin(), "https://shop.example");
    assert_eq!(endpoint.terms()[0].network().to_string(), "eip155:11142220");
    let small = PaywallSettings::from_toml("[limits]\nheader_cap = 100").unwrap();
    assert_eq!(codes(sound().settings(small)).await, ["limit_invalid"]);
}
