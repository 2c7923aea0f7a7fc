//! Accepted tokens at the start: what the settings say of them is compared with the chain, and what they leave out is read there.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;
#[path = "evm_support/support.rs"]
mod support;

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::{SolCall, sol};
use common::{Double, NOW, PAY_TO, Shop};
use serde_json::json;
use support::artifact;
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::asset::{Asset, Eip712Name, TransferMethod};
use x402_runtime::model::evm::EvmKind;
use x402_runtime::model::evm::permit2::{EXACT_PERMIT2_PROXY, UPTO_PERMIT2_PROXY};
use x402_runtime::model::network::Network;
use x402_runtime::paid;
use x402_runtime::paywall::{
    BuildError, Mistake, Paywall, PaywallBuilder, Rail, TokenMistake, Warning,
};
use x402_runtime::sandbox::{PERMIT_TOKEN, SECOND_TOKEN, Sandbox, USDC};

sol! {
    function initialize(string name, string symbol, string version, uint8 decimals) external;
}

const TOKEN: Address = Address::repeat_byte(0xda);

/// A song.
#[paid(GET "/song", price = "0.01 USD")]
async fn song() -> &'static str {
    "la"
}

/// A song for euros.
#[paid(GET "/lied", price = "0.01 EURC", rails = ["base-sepolia:EURC"])]
async fn lied() -> &'static str {
    "la"
}

/// A song for a token of another kind.
#[paid(GET "/odd", price = "0.01 ODD", rails = ["base-sepolia:ODD"])]
async fn odd() -> &'static str {
    "la"
}

fn builder(sandbox: &Sandbox) -> PaywallBuilder<Shop> {
    Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .facilitator_arc(sandbox.facilitator())
        .ledger(MemoryLedger::default())
        .clock_arc(sandbox.clock())
}

fn codes(warnings: &[Warning]) -> Vec<&'static str> {
    warnings.iter().map(Warning::code).collect()
}

/// A chain with one more token, made from an artifact.
fn chain_with(contract: &str, name: &str, symbol: &str, decimals: u8) -> Sandbox {
    let sandbox = Sandbox::new().unwrap();
    sandbox.set_code(TOKEN, artifact(contract).runtime).unwrap();
    let call = initializeCall {
        name: name.to_owned(),
        symbol: symbol.to_owned(),
        version: "2".to_owned(),
        decimals,
    };
    sandbox
        .transact_as(Address::repeat_byte(1), TOKEN, call.abi_encode())
        .unwrap();
    sandbox
}

fn here() -> Rail {
    Rail::at(Network::BASE_SEPOLIA, TOKEN)
}

/// The one mistake of a paywall that sells for a token as it is described here.
async fn mistake(sandbox: &Sandbox, asset: Asset) -> Mistake {
    let error = builder(sandbox)
        .accept(Rail::custom(asset))
        .mount(song)
        .build()
        .await;
    only(&error.expect_err("it must not start"))
}

fn only(error: &BuildError) -> Mistake {
    let [mistake] = error.mistakes() else {
        panic!("{error}");
    };
    mistake.clone()
}

async fn started(builder: PaywallBuilder<Shop>) -> Paywall<Shop> {
    builder
        .build()
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
async fn tokens_that_are_what_the_settings_say_start_without_a_word() {
    let sandbox = Sandbox::new().unwrap();
    let all = builder(&sandbox)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .accept(Rail::custom(sandbox.second_asset()))
        .accept(Rail::custom(sandbox.permit_asset()))
        .mount(song);
    let paywall = started(all).await;
    assert_eq!(paywall.warnings(), []);
    assert_eq!(paywall.endpoints()[0].terms().len(), 3);
}

#[tokio::test]
async fn a_wrong_description_is_a_mistake_that_says_what_is_right() {
    let sandbox = Sandbox::new().unwrap();
    let right = sandbox.second_asset();
    let found = mistake(
        &sandbox,
        Asset {
            decimals: 18,
            ..right.clone()
        },
    )
    .await;
    assert_eq!(found.code(), "token_decimals");
    assert!(found.to_string().contains("write `decimals: 6`"), "{found}");

    for (name, version) in [("TestUSD", "1"), ("Test USD", "2")] {
        let eip712 = Some(Eip712Name {
            name: name.into(),
            version: version.into(),
        });
        let wrong = Asset {
            eip712,
            ..right.clone()
        };
        for asset in [
            wrong.clone(),
            Asset {
                transfer: TransferMethod::Permit2,
                ..wrong
            },
        ] {
            let found = mistake(&sandbox, asset).await;
            assert_eq!(found.code(), "token_domain");
            assert!(
                found
                    .to_string()
                    .contains("write name \"Test USD\", version \"1\""),
                "{found}"
            );
        }
    }
}

#[tokio::test]
async fn a_way_to_pay_that_the_token_does_not_have_is_a_mistake() {
    let sandbox = Sandbox::new().unwrap();
    let found = mistake(
        &sandbox,
        Asset {
            transfer: TransferMethod::Eip3009,
            ..sandbox.permit_asset()
        },
    )
    .await;
    assert_eq!(found.code(), "token_no_eip3009");
    assert!(found.to_string().contains(".permit2()"), "{found}");

    let found = mistake(
        &sandbox,
        Asset {
            address: TOKEN,
            ..sandbox.second_asset()
        },
    )
    .await;
    assert!(
        matches!(found, Mistake::Token(TokenMistake::Absent { .. })),
        "{found}"
    );

    sandbox.set_code(EXACT_PERMIT2_PROXY, Bytes::new()).unwrap();
    let found = mistake(&sandbox, sandbox.permit_asset()).await;
    assert_eq!(found.code(), "token_no_permit2");
}

#[tokio::test]
async fn a_table_that_does_not_fit_the_chain_is_found_out_too() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.set_code(USDC, Bytes::new()).unwrap();
    let usdc = || Rail::new(Network::BASE_SEPOLIA, "USDC");
    let error = builder(&sandbox).accept(usdc()).mount(song).build().await;
    assert_eq!(error.unwrap_err().codes(), ["token_absent"]);
    // A contract that is no token.
    sandbox
        .set_code(USDC, artifact("PlainToken").runtime)
        .unwrap();
    for (rail, code) in [
        (usdc(), "token_no_eip3009"),
        (usdc().permit2(), "token_no_permit2"),
    ] {
        let error = builder(&sandbox).accept(rail).mount(song).build().await;
        assert_eq!(error.unwrap_err().codes(), [code]);
    }
}

#[tokio::test]
async fn a_node_that_does_not_answer_stops_no_start_that_can_do_without_it() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.set_unreachable(true);
    let known = builder(&sandbox)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .accept(Rail::parse("base-sepolia:USDC/permit2").unwrap())
        .mount(song);
    let paywall = started(known).await;
    let seen: Vec<_> = paywall
        .warnings()
        .iter()
        .map(|warning| (warning.code(), warning.rail()))
        .collect();
    assert_eq!(
        seen,
        [
            ("token_unchecked", "base-sepolia:USDC"),
            ("token_unchecked", "base-sepolia:USDC/permit2")
        ]
    );
    let rail = Rail::at(Network::BASE_SEPOLIA, SECOND_TOKEN).usd_pegged();
    let error = builder(&sandbox).accept(rail).mount(song).build().await;
    let found = only(&error.unwrap_err());
    assert_eq!(found.code(), "token_facts_missing");
    assert!(found.to_string().contains("Rail::custom"), "{found}");
}

#[tokio::test]
async fn a_facilitator_that_reads_no_chain_needs_the_facts_from_the_seller() {
    let clock = Arc::new(ManualClock::at_seconds(NOW));
    let with = |rail| {
        let ledger = Arc::new(MemoryLedger::default());
        common::shop::builder(&Arc::new(Double::default()), &clock, ledger)
            .accept(rail)
            .mount(song)
    };
    let error = with(here()).build().await.unwrap_err();
    let found = only(&error);
    assert_eq!(found.code(), "token_facts_missing");
    assert!(found.to_string().contains("cannot read"), "{found}");
    let nameless = Asset {
        address: TOKEN,
        eip712: None,
        ..Sandbox::new().unwrap().second_asset()
    };
    let error = with(Rail::custom(nameless)).build().await.unwrap_err();
    let found = only(&error);
    assert_eq!(found.code(), "rail_invalid");
    assert!(found.to_string().contains("name and version"), "{found}");
    // Nothing is said where nobody could look.
    assert_eq!(
        started(with(Rail::custom(Sandbox::new().unwrap().second_asset())))
            .await
            .warnings(),
        []
    );
}

#[tokio::test]
async fn a_token_given_by_address_is_sold_under_the_name_that_its_contract_signs_with() {
    let sandbox = chain_with("TestUsd", "Euro Coin", "EURC", 6);
    let by_address = started(builder(&sandbox).accept(here()).mount(lied)).await;
    // The same, with everything said but the domain.
    let nameless = Asset {
        address: TOKEN,
        symbol: "EURC".into(),
        eip712: None,
        usd_pegged: false,
        ..sandbox.second_asset()
    };
    let custom = started(builder(&sandbox).accept(Rail::custom(nameless)).mount(lied)).await;
    for paywall in [by_address, custom] {
        let terms = &paywall.endpoints()[0].terms()[0];
        assert_eq!(terms.kind(), EvmKind::Eip3009Exact);
        assert_eq!(terms.amount().to_string(), "10000");
        let view = terms.offered().view().unwrap();
        assert_eq!(
            serde_json::Value::from(view.extra.clone()),
            json!({"name": "Euro Coin", "version": "2"})
        );
        assert_eq!(codes(paywall.warnings()), ["price_no_dollar"]);
    }
    let error = builder(&sandbox).accept(here()).mount(song).build().await;
    assert_eq!(
        error.unwrap_err().codes(),
        ["no_rail_for_price"],
        "a euro is no dollar"
    );
}

#[tokio::test]
async fn a_symbol_that_no_price_can_name_needs_another_one() {
    let sandbox = chain_with("TestUsd", "US Dollar", "US Dollar", 6);
    let error = builder(&sandbox)
        .accept(here().usd_pegged())
        .mount(song)
        .build()
        .await;
    assert_eq!(error.unwrap_err().codes(), ["rail_invalid"]);
    let named = builder(&sandbox)
        .accept(here().called("USDX").usd_pegged())
        .mount(song);
    let paywall = started(named).await;
    assert_eq!(paywall.endpoints()[0].terms()[0].asset().symbol, "USDX");
    // A contract without any.
    sandbox
        .set_code(TOKEN, artifact("PlainToken").runtime)
        .unwrap();
    let error = builder(&sandbox).accept(here()).mount(odd).build().await;
    let found = error.unwrap_err().mistakes()[0].clone();
    assert_eq!(found.code(), "token_indescribable");
}

/// No signed transfers and a permit of its own: sold through Permit2, and nothing is signed against the token.
#[tokio::test]
async fn a_token_like_dai_starts_through_permit2_only() {
    let sandbox = chain_with("DaiLikeToken", "Odd", "ODD", 18);
    let paywall = started(builder(&sandbox).accept(here()).mount(odd)).await;
    let terms = &paywall.endpoints()[0].terms()[0];
    assert_eq!(terms.kind(), EvmKind::Permit2Exact);
    let view = terms.offered().view().unwrap();
    assert_eq!(
        serde_json::Value::from(view.extra.clone()),
        json!({"assetTransferMethod": "permit2"})
    );
    assert!(!terms.asset().eip2612);
    let error = builder(&sandbox)
        .accept(here().eip3009())
        .mount(odd)
        .build()
        .await;
    assert_eq!(error.unwrap_err().codes(), ["token_no_eip3009"]);
    // Who says that it takes the usual permits is told that nothing shows it.
    let said = Asset {
        eip2612: true,
        ..terms.asset().clone()
    };
    let said = Asset {
        eip712: Some(Eip712Name {
            name: "Odd".into(),
            version: "2".into(),
        }),
        ..said
    };
    let paywall = started(builder(&sandbox).accept(Rail::custom(said)).mount(odd)).await;
    assert_eq!(
        codes(paywall.warnings()),
        ["token_unproven", "price_no_dollar"]
    );
}

/// A fee on transfers shows in no read of the contract: the start cannot know, and every payment is checked by what arrives.
#[tokio::test]
async fn a_token_that_keeps_a_fee_or_reverts_on_nothing_looks_like_any_other_at_the_start() {
    for contract in ["FeeOnTransferToken", "SilentNonceToken"] {
        let sandbox = chain_with(contract, "Odd", "ODD", 6);
        let paywall = started(builder(&sandbox).accept(here()).mount(odd)).await;
        let terms = &paywall.endpoints()[0].terms()[0];
        assert_eq!(terms.kind(), EvmKind::Eip3009Exact, "{contract}");
        let warnings = codes(paywall.warnings());
        assert_eq!(warnings, ["price_no_dollar"], "{contract}");
    }
}

#[tokio::test]
async fn a_token_with_18_decimals_is_priced_in_its_own_units() {
    let sandbox = Sandbox::new().unwrap();
    let rail = Rail::at(Network::BASE_SEPOLIA, PERMIT_TOKEN).usd_pegged();
    let paywall = started(builder(&sandbox).accept(rail).mount(song)).await;
    let terms = &paywall.endpoints()[0].terms()[0];
    assert_eq!(terms.amount().to_string(), "10000000000000000");
    assert_eq!(terms.asset(), &sandbox.permit_asset());
    let found = mistake(
        &sandbox,
        Asset {
            decimals: 6,
            ..sandbox.permit_asset()
        },
    )
    .await;
    assert_eq!(found.code(), "token_decimals");
}

/// A job that is metered.
#[paid(GET "/job", price = upto("0.02 USD", units(tokens = "0.000002 USD")))]
async fn job() -> axum::Json<serde_json::Value> {
    axum::Json(json!({"usage": {"tokens": 1}}))
}

#[tokio::test]
async fn what_is_metered_is_offered_once_and_needs_the_proxy_of_its_scheme_only() {
    let sandbox = Sandbox::new().unwrap();
    let usdc = || Rail::new(Network::BASE_SEPOLIA, "USDC");
    let both = || {
        builder(&sandbox)
            .accept(usdc())
            .accept(usdc().permit2())
            .mount(job)
    };
    sandbox.set_code(EXACT_PERMIT2_PROXY, Bytes::new()).unwrap();
    let error = both().mount(song).build().await;
    assert_eq!(error.unwrap_err().codes(), ["token_no_permit2"]);
    let paywall = started(builder(&sandbox).accept(usdc()).mount(job)).await;
    let [terms] = paywall.endpoints()[0].terms() else {
        panic!("{:?}", paywall.endpoints()[0].terms());
    };
    assert_eq!(terms.kind(), EvmKind::Permit2Upto);

    let sandbox = Sandbox::new().unwrap();
    sandbox.set_code(UPTO_PERMIT2_PROXY, Bytes::new()).unwrap();
    let error = builder(&sandbox).accept(usdc()).mount(job).build().await;
    let found = only(&error.unwrap_err());
    assert_eq!(found.code(), "token_no_permit2");
    assert!(
        found.to_string().contains(&UPTO_PERMIT2_PROXY.to_string()),
        "{found}"
    );
}

#[tokio::test]
async fn a_metered_endpoint_of_a_token_accepted_in_two_ways_has_one_offer() {
    let sandbox = Sandbox::new().unwrap();
    let usdc = Rail::new(Network::BASE_SEPOLIA, "USDC");
    let both = builder(&sandbox)
        .accept(usdc.clone())
        .accept(usdc.permit2())
        .mount(job)
        .mount(song);
    let paywall = started(both).await;
    let offers = paywall.endpoints().iter().map(|one| one.terms().len());
    assert_eq!(offers.collect::<Vec<_>>(), [1, 2]);
    assert_eq!(paywall.warnings(), []);
}
