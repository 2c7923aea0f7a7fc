//! The reference's own selections. Where we differ on purpose, the difference is a reason of ours, not a case's name.

use alloy_primitives::U256;
use serde::Deserialize;
use serde_json::json;
use x402_model::evm::{Authorization, ExactEvmPayload, Signature};
use x402_model::wire::PaymentPayload;

use super::*;
use crate::payment::encode_payment;

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
const STRICTER: [Refusal; 8] = [
    // Its controls can be switched off, and then it pays any token by the seller's own decimals and domain.
    Refusal::AssetUnknown,
    Refusal::Domain,
    // It pays flows in which money moves before the work, by transfer methods that need standing approvals.
    Refusal::PaymentFlow,
    Refusal::TransferMethod,
    // It signs for as long as the seller likes, for any resource and to any payee.
    Refusal::ValidityTooLong,
    Refusal::OtherResource,
    Refusal::PayeeZero,
    // Tokens that it lists without a cap are not counted in dollars; ours are.
    Refusal::Budget(BudgetRefusal::OverCall),
];

/// What the reference says when it refuses, and our reasons for the same.
const SAME_REASON: [(&str, &[Refusal]); 6] = [
    (
        "No network/scheme registered",
        &[Refusal::Scheme, Refusal::Network],
    ),
    (
        "spendControls.maxAmountPerPayment",
        &[Refusal::Budget(BudgetRefusal::OverCall)],
    ),
    ("only default assets", &[Refusal::AssetUnknown]),
    (
        "spendControls.allowedAssets maxAmountPerPayment",
        &[Refusal::OverAssetCap],
    ),
    ("recognized paymentFlow", &[Refusal::PaymentFlow]),
    ("EIP-712 domain parameters", &[Refusal::Domain]),
];

/// The reference's spend controls in our words: a dollar per payment unless said otherwise, extra tokens by name.
fn setup_for(case: &Case) -> Setup {
    let controls = &case.input.spend_controls;
    let listed = controls["allowedAssets"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let capped = |entry: &Value| entry["maxAmountPerPayment"].is_string();
    let ceiling = match &controls["maxAmountPerPayment"] {
        Value::String(amount) => Some(format!("{} USD", amount.trim_start_matches('$'))),
        _ if controls == &json!(false) || controls["maxAmountPerPayment"] == json!(false) => None,
        _ if listed.iter().any(capped) => None,
        _ => Some("1 USD".to_owned()),
    };
    let mut setup = Setup::new();
    setup.budget = Budget::new("1000000 USD").unwrap();
    if let Some(ceiling) = ceiling {
        setup.budget = setup.budget.per_call(&ceiling).unwrap();
    }
    for (number, entry) in listed.iter().enumerate() {
        let network: Network = entry["network"].as_str().unwrap().parse().unwrap();
        let address = parse_address(entry["asset"].as_str().unwrap()).unwrap();
        if setup.policy.assets.get(&network, address).is_none() {
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
            setup.policy = setup.policy.allow_asset(asset).unwrap();
        }
        if let Some(cap) = entry["maxAmountPerPayment"].as_str() {
            setup.policy = setup
                .policy
                .cap_asset(network, address, cap.parse().unwrap());
        }
    }
    setup
}

fn single(required: &Value, option: &Value) -> Terms {
    let mut required = required.clone();
    required["accepts"] = json!([option]);
    terms(&required)
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
    let payload = ExactEvmPayload {
        signature: Signature::new(vec![1; 65]).unwrap(),
        authorization,
    };
    let (name, bearer) = encode_payment(terms, choice, &payload).unwrap();
    assert_eq!(name, "PAYMENT-SIGNATURE");
    let text = serde_json::to_value(&bearer).unwrap();
    PaymentPayload::from_header(text.as_str().unwrap().as_bytes(), 65_536).unwrap()
}

#[test]
fn reference_selections_hold_by_rule() {
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../../tests/data/client_selection.json")).unwrap();
    assert!(vectors.cases.len() >= 12);
    for case in &vectors.cases {
        let setup = setup_for(case);
        let required = &case.input.payment_required;
        let offered = terms(required);
        let ours = setup.select(&offered);
        if case.expected["ok"] == json!(true) {
            let wanted = &case.expected["accepted"];
            let reason = setup
                .select(&single(required, wanted))
                .err()
                .map(|refusals| refusals.0[0]);
            if let Some(reason) = reason {
                assert!(
                    STRICTER.contains(&reason),
                    "{}: refused for {reason}",
                    case.name
                );
                continue;
            }
            let choice = ours.unwrap_or_else(|refusals| panic!("{}: {refusals}", case.name));
            let payment = paid(&offered, &choice);
            assert_eq!(&payment.accepted_value(), wanted, "{}", case.name);
            let given = |name: &str| case.expected.get(name).cloned();
            assert_eq!(payment.resource, given("resource"), "{}", case.name);
            assert_eq!(
                payment.extensions.map(Value::Object),
                given("extensions"),
                "{}",
                case.name
            );
        } else {
            let refusals = ours.map(|choice| choice.index()).expect_err(&case.name).0;
            let said = case.expected["error"].as_str().unwrap();
            let (_, reasons) = SAME_REASON
                .iter()
                .find(|(text, _)| said.contains(text))
                .unwrap_or_else(|| panic!("{}: no rule for {said:?}", case.name));
            let known = |refusal: &Refusal| reasons.contains(refusal) || STRICTER.contains(refusal);
            assert!(refusals.iter().all(known), "{}: {refusals:?}", case.name);
            assert!(
                refusals.iter().any(|refusal| reasons.contains(refusal)),
                "{}: {refusals:?}",
                case.name
            );
        }
    }
}
