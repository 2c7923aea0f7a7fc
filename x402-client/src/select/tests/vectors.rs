//! The reference's own selections. Where we differ on purpose, the difference is a reason of ours, not a case's name.

use alloy_primitives::U256;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use x402_model::evm::{Authorization, EvmPayload, ExactEvmPayload, Signature};
use x402_model::price::Price;
use x402_model::wire::PaymentPayload;

use super::*;
use crate::payment::encode_payment;

mod more;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    input: Input,
    expected: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    payment_required: Value,
    #[serde(default)]
    spend_controls: Value,
}

/// Reasons for which we refuse what the reference pays.
const STRICTER: [Refusal; 17] = [
    // Its controls can be switched off, and then it pays any token by the seller's own decimals and domain.
    Refusal::AssetUnknown,
    Refusal::AssetUnreadable,
    Refusal::Domain,
    // It pays flows in which money moves before the work, and signs unknown transfer methods as EIP-3009.
    Refusal::PaymentFlow,
    Refusal::TransferMethod,
    // It finds out when signing that nobody may settle.
    Refusal::Facilitator,
    // It signs for as long as the seller likes, for any resource, to any payee, and nothing at all.
    Refusal::ValidityZero,
    Refusal::ValidityTooLong,
    Refusal::OtherResource,
    Refusal::PayeeZero,
    Refusal::PayeeIsAsset,
    Refusal::PayeeUnreadable,
    Refusal::AmountZero,
    Refusal::AmountUnreadable,
    // Tokens that it lists without a cap are not counted in dollars; ours are.
    Refusal::Budget(BudgetRefusal::OverCall),
    // Schemes and chains can be registered with it that we do not sign for.
    Refusal::Scheme,
    Refusal::Network,
];

/// What the reference says when it refuses, and our reasons for the same, in the order of its filters: what an earlier
/// filter took away is not named any more.
const SAME_REASON: [(&str, &[Refusal]); 6] = [
    (
        "No network/scheme registered",
        &[Refusal::Scheme, Refusal::Network, Refusal::Unreadable],
    ),
    ("recognized paymentFlow", &[Refusal::PaymentFlow]),
    ("only default assets", &[Refusal::AssetUnknown]),
    ("spendControls.maxAmountPerPayment", &OVER_CAP),
    ("spendControls.allowedAssets maxAmountPerPayment", &OVER_CAP),
    (SIGNING, &[Refusal::Domain]),
];

const OVER_CAP: [Refusal; 2] = [
    Refusal::Budget(BudgetRefusal::OverCall),
    Refusal::OverAssetCap,
];

/// Said after the choice: the reference chooses first and finds out when signing, we look before choosing.
const SIGNING: &str = "EIP-712 domain parameters";

/// The reference's cap for one payment in dollars; `None` is no cap.
fn dollar_cap(controls: &Value) -> Option<String> {
    match &controls["maxAmountPerPayment"] {
        Value::String(amount) => Some(amount.trim_matches(['$', ' ']).to_owned()),
        Value::Number(amount) => Some(amount.to_string()),
        Value::Bool(false) => None,
        _ if controls == &json!(false) => None,
        _ => Some("1".to_owned()),
    }
    .map(|amount| format!("{} USD", amount.trim_end_matches(" USD")))
}

/// The reference's spend controls in our words: a dollar per payment unless said otherwise, extra tokens by name.
fn setup_for(case: &Case) -> Setup {
    let controls = &case.input.spend_controls;
    let listed = controls["allowedAssets"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let mut setup = Setup::new();
    setup.budget = Budget::new("1000000 USD", "1000000 USD").unwrap();
    let cap = dollar_cap(controls);
    if listed.is_empty() {
        if let Some(cap) = cap {
            setup.budget = setup.budget.per_call(&cap).unwrap();
        }
        return setup;
    }
    // A listed token's own cap stands in place of the one in dollars, so here each token gets its own.
    if let Some(cap) = cap {
        let cap: Price = cap.parse().unwrap();
        for asset in AssetTable::builtin().iter() {
            let cap = cap.amount.to_atomic(asset.decimals).unwrap();
            let network = asset.network.clone();
            setup.policy = setup.policy.cap_asset(network, asset.address, cap);
        }
    }
    for (number, entry) in listed.iter().enumerate() {
        for network in listed_networks(case, entry) {
            allow(&mut setup, network, entry, number);
        }
    }
    setup
}

/// The networks of the terms that a listed token's network, a name or a pattern, stands for.
fn listed_networks(case: &Case, entry: &Value) -> BTreeSet<Network> {
    let pattern = entry["network"].as_str().unwrap_or("*");
    let options = case.input.payment_required["accepts"].as_array();
    options
        .into_iter()
        .flatten()
        .filter_map(|option| option["network"].as_str()?.parse::<Network>().ok())
        .filter(|network| network.matches(pattern) && network.chain_id().is_some())
        .collect()
}

fn allow(setup: &mut Setup, network: Network, entry: &Value, number: usize) {
    let Ok(address) = entry["asset"].as_str().unwrap().parse::<Address>() else {
        return;
    };
    let mut policy = setup.policy.clone();
    if policy.assets.get(&network, address).is_none() {
        let asset = Asset {
            network: network.clone(),
            address,
            symbol: format!("LISTED{number}").into(),
            eip712: Some(Eip712Name {
                name: "USDC".into(),
                version: "2".into(),
            }),
            ..custom(true)
        };
        policy = policy.allow_asset(asset).unwrap();
    }
    if let Some(cap) = entry["maxAmountPerPayment"].as_str() {
        policy = policy.cap_asset(network, address, cap.parse().unwrap());
    }
    setup.policy = policy;
}

fn read_terms(required: &Value) -> Terms {
    if required["x402Version"] == json!(1) {
        let text = required.to_string();
        Terms::from_required(Required402::V1(serde_json::from_str(&text).unwrap()))
    } else {
        terms(required)
    }
}

fn single(required: &Value, option: &Value) -> Terms {
    let mut required = required.clone();
    required["accepts"] = json!([option]);
    read_terms(&required)
}

fn paid(terms: &Terms, choice: &Choice) -> PaymentPayload {
    let authorization = Authorization {
        from: Address::repeat_byte(0xaa),
        to: choice.pay_to(),
        value: choice.amount().get(),
        valid_after: U256::ZERO,
        valid_before: U256::from(1),
        nonce: alloy_primitives::B256::ZERO,
    };
    let payload = EvmPayload::Eip3009(ExactEvmPayload {
        signature: Signature::new(vec![1; 65]).unwrap(),
        authorization,
    });
    let extensions = terms.extensions.clone();
    let (name, bearer) = encode_payment(terms, choice, &payload, extensions).unwrap();
    assert_eq!(name, "PAYMENT-SIGNATURE");
    let text = serde_json::to_value(&bearer).unwrap();
    PaymentPayload::from_header(text.as_str().unwrap().as_bytes(), 65_536).unwrap()
}

fn check(case: &Case) {
    let setup = setup_for(case);
    let offered = read_terms(&case.input.payment_required);
    let ours = setup.select(&offered);
    if case.expected["ok"] == json!(true) {
        check_paid(case, &setup, &offered, ours);
    } else {
        check_refused(case, &offered, ours);
    }
}

fn check_paid(case: &Case, setup: &Setup, offered: &Terms, ours: Result<Choice, Refusals>) {
    let wanted = &case.expected["accepted"];
    let alone = single(&case.input.payment_required, wanted);
    if let Err(refusals) = setup.select(&alone) {
        let reason = refusals.0[0];
        assert!(
            STRICTER.contains(&reason),
            "{}: refused for {reason}",
            case.name
        );
        return;
    }
    let choice = ours.unwrap_or_else(|refusals| panic!("{}: {refusals}", case.name));
    let accepted: Value = serde_json::from_str(choice.accepted().get()).unwrap();
    assert_eq!(&accepted, wanted, "{}", case.name);
    if offered.version() == Version::V1 {
        return;
    }
    let payment = paid(offered, &choice);
    assert_eq!(&payment.accepted_value(), wanted, "{}", case.name);
    let given = |name: &str| case.expected.get(name).cloned();
    assert_eq!(payment.resource, given("resource"), "{}", case.name);
    assert_eq!(
        payment.extensions.map(Value::Object),
        given("extensions"),
        "{}",
        case.name
    );
}

fn check_refused(case: &Case, offered: &Terms, ours: Result<Choice, Refusals>) {
    let said = case.expected["error"].as_str().unwrap_or_default();
    let filter = SAME_REASON.iter().position(|(text, _)| said.contains(text));
    let chosen_first = filter.is_none_or(|at| SAME_REASON[at].0 == SIGNING);
    let refusals = match ours {
        // Another option than the one that the reference chose and then could not sign.
        Ok(_) if chosen_first && offered.len() > 1 => return,
        Ok(choice) => panic!("{}: option {} is paid", case.name, choice.index()),
        Err(refusals) => refusals.0,
    };
    // Of an error met after the choice only that it is one is known, unless it is listed.
    let Some(at) = filter else { return };
    let by_then = |refusal: &Refusal| {
        let mut filters = SAME_REASON[..=at].iter();
        filters.any(|(_, reasons)| reasons.contains(refusal)) || STRICTER.contains(refusal)
    };
    let decisive = |refusal: &Refusal| {
        SAME_REASON[at].1.contains(refusal)
            || STRICTER.contains(refusal) && !SAME_REASON[0].1.contains(refusal)
    };
    assert!(refusals.iter().all(by_then), "{}: {refusals:?}", case.name);
    assert!(refusals.iter().any(decisive), "{}: {refusals:?}", case.name);
}

#[test]
fn reference_selections_hold_by_rule() {
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../../tests/data/client_selection.json")).unwrap();
    assert!(vectors.cases.len() >= 12);
    vectors.cases.iter().for_each(check);
}
