//! Options that go through Permit2: `exact` and `upto`.

use super::*;
use crate::select::Preference;

const FACILITATOR: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

fn exact() -> Value {
    changed("/extra/assetTransferMethod", json!("permit2"))
}

fn upto() -> Value {
    let mut option = exact();
    option["scheme"] = json!("upto");
    option["extra"]["facilitatorAddress"] = json!(FACILITATOR);
    option
}

fn with(option: Value, pointer: &str, value: Value) -> Value {
    let mut option = option;
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    option.pointer_mut(parent).unwrap()[name] = value;
    option
}

fn kind_of(option: &Value) -> Result<EvmKind, Refusal> {
    let chosen = Setup::new().select(&offer(std::slice::from_ref(option)));
    chosen
        .map(|choice| choice.kind())
        .map_err(|refusals| refusals.0[0])
}

#[test]
fn both_schemes_are_paid_and_never_taken_for_eip3009() {
    assert_eq!(kind_of(&option()), Ok(EvmKind::Eip3009Exact));
    assert_eq!(kind_of(&exact()), Ok(EvmKind::Permit2Exact));
    assert_eq!(kind_of(&upto()), Ok(EvmKind::Permit2Upto));
    let choice = Setup::new().select(&offer(&[upto()])).unwrap();
    assert_eq!(choice.facilitator(), FACILITATOR.parse().ok());
    let mut without = upto();
    without["extra"]
        .as_object_mut()
        .unwrap()
        .remove("assetTransferMethod");
    assert_eq!(kind_of(&without), Ok(EvmKind::Permit2Upto));
}

#[test]
fn one_changed_field_one_reason() {
    for (option, reason) in [
        (
            with(upto(), "/extra/facilitatorAddress", json!(null)),
            Refusal::Facilitator,
        ),
        (
            with(upto(), "/extra/facilitatorAddress", json!("0x12")),
            Refusal::Facilitator,
        ),
        (
            with(upto(), "/extra/facilitatorAddress", json!(Address::ZERO)),
            Refusal::Facilitator,
        ),
        (
            with(upto(), "/extra/assetTransferMethod", json!("eip3009")),
            Refusal::TransferMethod,
        ),
        (
            with(upto(), "/extra/assetTransferMethod", json!("erc7710")),
            Refusal::TransferMethod,
        ),
        (
            with(exact(), "/extra/paymentFlow", json!("upfront")),
            Refusal::PaymentFlow,
        ),
        (
            with(exact(), "/extra/name", json!("Other")),
            Refusal::Domain,
        ),
        (
            with(exact(), "/extra/version", json!(null)),
            Refusal::Domain,
        ),
        (with(upto(), "/amount", json!("0")), Refusal::AmountZero),
        (
            with(upto(), "/amount", json!("1000001")),
            Refusal::Budget(BudgetRefusal::OverCall),
        ),
        (with(upto(), "/payTo", json!(TOKEN)), Refusal::PayeeIsAsset),
        (
            with(
                upto(),
                "/network",
                json!("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"),
            ),
            Refusal::Network,
        ),
        (
            with(exact(), "/maxTimeoutSeconds", json!(301)),
            Refusal::ValidityTooLong,
        ),
    ] {
        assert_eq!(kind_of(&option), Err(reason), "{option}");
    }
}

#[test]
fn a_domain_is_not_needed_where_nothing_is_signed_in_it() {
    let mut nameless = exact();
    let extra = nameless["extra"].as_object_mut().unwrap();
    extra.remove("name");
    extra.remove("version");
    assert_eq!(kind_of(&nameless), Ok(EvmKind::Permit2Exact));
}

#[test]
fn a_token_without_signed_transfers_is_paid_through_permit2_only() {
    let mega = json!({
        "scheme": "exact", "network": "eip155:4326", "amount": "500000000000000000", "payTo": PAYEE,
        "asset": "0xFAfDdbb3FC7688494971a79cc65DCa3EF82079E7", "maxTimeoutSeconds": 300,
        "extra": {"name": "MegaUSD", "version": "1", "assetTransferMethod": "permit2"},
    });
    assert_eq!(kind_of(&mega), Ok(EvmKind::Permit2Exact));
    let default = with(mega, "/extra/assetTransferMethod", json!(null));
    assert_eq!(kind_of(&default), Err(Refusal::TransferMethod));
    let dai = json!({
        "scheme": "exact", "network": "eip155:1", "amount": "10000000000000000", "payTo": PAYEE,
        "asset": "0x6B175474E89094C44Da98b954EedeAC495271d0F", "maxTimeoutSeconds": 300,
        "extra": {"name": "Dai Stablecoin", "version": "1", "assetTransferMethod": "permit2"},
    });
    assert_eq!(kind_of(&dai), Ok(EvmKind::Permit2Exact));
    let weth = with(
        dai,
        "/asset",
        json!("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"),
    );
    assert_eq!(
        kind_of(&weth),
        Err(Refusal::NetworkNotAllowed),
        "what is no dollar is paid on listed networks only"
    );
}

#[test]
fn version_1_knows_eip3009_only() {
    let v1 = |scheme: &str, extra: Value| {
        let entry = json!({
            "scheme": scheme, "network": "base-sepolia", "maxAmountRequired": "10000", "resource": CALLED,
            "description": "", "mimeType": "", "payTo": PAYEE, "asset": TOKEN, "maxTimeoutSeconds": 60, "extra": extra,
        });
        let text = json!({"x402Version": 1, "accepts": [entry]}).to_string();
        let terms = Terms::from_required(Required402::V1(serde_json::from_str(&text).unwrap()));
        Setup::new()
            .select(&terms)
            .map(|_| ())
            .map_err(|refusals| refusals.0[0])
    };
    let domain =
        |method: &str| json!({"name": "USDC", "version": "2", "assetTransferMethod": method});
    assert_eq!(v1("exact", domain("eip3009")), Ok(()));
    assert_eq!(v1("exact", domain("permit2")), Err(Refusal::TransferMethod));
    assert_eq!(v1("upto", upto()["extra"].clone()), Err(Refusal::Scheme));
}

#[test]
fn the_buyer_limits_and_prefers_ways_to_pay() {
    let mut setup = Setup::new();
    let all = [option(), exact(), upto()];
    let chosen = |setup: &Setup| setup.select(&offer(&all)).map(|choice| choice.kind());
    assert_eq!(chosen(&setup), Ok(EvmKind::Eip3009Exact));
    setup.policy = setup
        .policy
        .prefer([Preference::Kind(EvmKind::Permit2Upto)]);
    assert_eq!(chosen(&setup), Ok(EvmKind::Permit2Upto));
    setup.policy = setup
        .policy
        .kinds([EvmKind::Eip3009Exact, EvmKind::Permit2Exact]);
    assert_eq!(chosen(&setup), Ok(EvmKind::Eip3009Exact));
    assert_eq!(setup.reason(&upto()), Some(Refusal::KindNotAllowed));
    assert_eq!(setup.reason(&exact()), None);
}
