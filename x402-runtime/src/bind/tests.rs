use proptest::prelude::*;
use x402_model::endpoint::{Lifecycle, RouteSpec};
use x402_model::evm::is_development_account;
use x402_model::money::Decimal;
use x402_model::network::Network;
use x402_model::price::{Price, PriceModel, PriceUnit};

use super::*;

fn spec(price: Price) -> EndpointSpec {
    EndpointSpec {
        id: "weather",
        route: Some(RouteSpec {
            method: Method::Get,
            path: "/weather",
        }),
        price: PriceModel::Flat { amount: price },
        probe: None,
        allowances: &[],
        plans: &[],
        summary: "Weather",
        description: "",
        tags: &[],
        mime_type: "application/json",
        timeout_seconds: 300,
        pay_to: None,
        payment_ids: None,
        lifecycle: Lifecycle::NONE,
        rails: &[],
    }
}

fn given() -> Given {
    Given {
        origin: Some("https://api.example.com".to_owned()),
        pay_to: Some("0x52908400098527886E0F7030069857D2E4169EE7".to_owned()),
        rails: vec![
            Rail::new(Network::BASE, "USDC"),
            Rail::new(Network::CELO, "USDT"),
            Rail::new(Network::CELO, "USDC"),
        ],
        min_remaining_seconds: 10,
        ..Given::default()
    }
}

fn bound(spec: EndpointSpec) -> (Bound, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let bound = bind(&[Mounted { spec, at: None }], &[], &given(), &mut mistakes);
    (bound, mistakes)
}

#[test]
fn dollars_bind_to_every_dollar_rail_in_order() {
    let (bound, mistakes) = bound(spec("0.01 USD".parse().unwrap()));
    assert_eq!(mistakes, []);
    let terms = bound.endpoints[0].terms();
    let rails: Vec<String> = terms
        .iter()
        .map(|terms| crate::paywall::rail_id(terms.asset()))
        .collect();
    assert_eq!(rails, ["base:USDC", "celo:USDT", "celo:USDC"]);
    let view = terms[0].offered().view().unwrap();
    assert_eq!(view.scheme, SCHEME);
    assert_eq!(view.asset, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
    assert_eq!(view.pay_to, "0x52908400098527886E0F7030069857D2E4169EE7");
    // The domain's name is the table's, not the symbol.
    assert_eq!(view.extra["name"], "USD Coin");
    assert!(terms[1].separator() != terms[2].separator());
}

#[test]
fn symbols_bind_to_their_own_rails() {
    let (bound, mistakes) = bound(spec("0.01 usdt".parse().unwrap()));
    assert_eq!(mistakes, []);
    assert_eq!(bound.endpoints[0].terms().len(), 1);
}

#[test]
fn earlier_terms_are_read_back_whole() {
    let (bound, _) = bound(spec("0.01 USD".parse().unwrap()));
    for terms in bound.endpoints[0].terms() {
        let earlier = Terms::of_earlier(terms.offered().clone(), &bound.assets).unwrap();
        assert_eq!(earlier.separator().0, terms.separator().0);
        assert_eq!(
            (earlier.amount(), earlier.pay_to()),
            (terms.amount(), terms.pay_to())
        );
        assert_eq!(earlier.offered().raw().get(), terms.offered().raw().get());
        assert!(Terms::of_earlier(terms.offered().clone(), &[]).is_none());
    }
}

#[test]
fn a_token_accepted_in_several_ways_is_bound_once_for_each() {
    let rail = |text: &str| Rail::parse(text).unwrap();
    let with = |rails: &[&str], wanted: &'static [&'static str]| {
        let given = Given {
            rails: rails.iter().map(|text| rail(text)).collect(),
            ..given()
        };
        let spec = EndpointSpec {
            rails: wanted,
            ..spec("0.01 USD".parse().unwrap())
        };
        let mut mistakes = Vec::new();
        let bound = bind(&[Mounted { spec, at: None }], &[], &given, &mut mistakes);
        let ids: Vec<String> = bound.endpoints[0]
            .terms()
            .iter()
            .map(|terms| crate::paywall::rail_id(terms.asset()))
            .collect();
        let codes: Vec<&str> = mistakes.iter().map(Mistake::code).collect();
        (bound, ids, codes)
    };
    let both = ["base:USDC/permit2", "celo:USDT", "base:USDC"];
    let (bound, ids, codes) = with(&both, &[]);
    assert_eq!((ids, codes), (both.map(str::to_owned).to_vec(), vec![]));
    // What was offered in each way is read back in that way.
    for terms in bound.endpoints[0].terms() {
        let earlier = Terms::of_earlier(terms.offered().clone(), &bound.assets).unwrap();
        assert_eq!(earlier.asset(), terms.asset());
        assert_eq!(earlier.kind(), terms.kind());
        assert_eq!(earlier.separator().0, terms.separator().0);
    }
    // An endpoint names the token, or one of its ways.
    let (_, ids, _) = with(&both, &["base:USDC"]);
    assert_eq!(ids, ["base:USDC/permit2", "base:USDC"]);
    let (_, ids, _) = with(&both, &["base:usdc/permit2"]);
    assert_eq!(ids, ["base:USDC/permit2"]);
    let (_, ids, _) = with(&both, &["base:usdc/permit2", "base:USDC"]);
    assert_eq!(ids, ["base:USDC/permit2", "base:USDC"]);
    let (_, ids, codes) = with(&["base:USDC"], &["base:USDC/permit2"]);
    assert_eq!((ids.len(), codes), (0, vec!["rail_not_accepted"]));
    // Twice in one way is once too often, however it is written.
    for twice in [
        ["base:USDC", "base:USDC"],
        ["base:USDC", "base:USDC/eip3009"],
        [
            "base:USDC/permit2",
            "eip155:8453:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913/permit2",
        ],
    ] {
        assert_eq!(with(&twice, &[]).2, ["rail_twice"], "{twice:?}");
    }
    assert!(Rail::parse("base:USDC/erc7710").is_err() && Rail::parse("base:USDC/").is_err());
}

#[test]
fn other_models_are_refused_by_name() {
    let free = EndpointSpec {
        price: PriceModel::Free,
        ..spec("0.01 USD".parse().unwrap())
    };
    let (_, mistakes) = bound(free);
    assert!(
        matches!(
            mistakes.as_slice(),
            [Mistake::PriceModel { model: "free", .. }]
        ),
        "{mistakes:?}"
    );
}

#[test]
fn development_accounts_are_the_published_ones() {
    let first: Address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
        .parse()
        .unwrap();
    assert!(is_development_account(first));
    assert!(!is_development_account(Address::ZERO));
    assert!(
        is_main(&Network::BASE)
            && !is_main(&Network::BASE_SEPOLIA)
            && !is_main(&Network::evm(31_337))
    );
}

proptest! {
    /// Binding never loses value: what is bound, printed with the token's decimals, is the price.
    #[test]
    fn g08_bound_amount_is_the_price_or_a_mistake(mantissa in 0u128..1_000_000_000_000, scale in 0u8..12) {
        let price = Price { amount: Decimal::new(mantissa, scale), unit: PriceUnit::Usd };
        let (bound, mistakes) = bound(spec(price.clone()));
        match bound.endpoints.first().map(|endpoint| endpoint.terms()) {
            Some([first, ..]) if mistakes.is_empty() => {
                let back: Decimal = first.amount().to_decimal(6).parse().unwrap();
                prop_assert_eq!(back, price.amount);
                prop_assert!(!first.amount().is_zero());
            }
            _ => prop_assert!(!mistakes.is_empty()),
        }
    }
}
