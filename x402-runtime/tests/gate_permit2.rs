//! Payments through Permit2 at the gate: what is offered, which signatures are taken, and in which order they are refused.
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

use alloy_primitives::{Address, B256, U256, address};
use common::shop::{Shared, builder, weather};
use common::{Change, Double, NOW, PAY_TO, Stand};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use serde_json::{Value, json};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::asset::{Asset, Eip712Name, TransferMethod, parse_address};
use x402_runtime::model::evm::permit2::{self, EXACT_PERMIT2_PROXY, TokenPermissions, Witness};
use x402_runtime::model::evm::{Permit2Authorization, Permit2Payload, Signature};
use x402_runtime::model::network::Network;
use x402_runtime::model::wire::{PaymentRequired, headers};
use x402_runtime::paid;
use x402_runtime::paywall::{Paywall, Rail};

const TOKEN: Address = address!("6B175474E89094C44Da98b954EedeAC495271d0F");
/// 0.01 of a token with 18 decimals.
const PRICE: u128 = 10_000_000_000_000_000;

/// A haiku.
#[paid(GET "/haiku", price = "0.01 USD")]
async fn haiku() -> &'static str {
    "frog"
}

fn dollars(eip2612: bool) -> Asset {
    Asset {
        network: Network::BASE_SEPOLIA,
        address: TOKEN,
        symbol: Cow::Borrowed("TUSD"),
        decimals: 18,
        eip712: eip2612.then_some(Eip712Name {
            name: Cow::Borrowed("Test dollar"),
            version: Cow::Borrowed("1"),
        }),
        transfer: TransferMethod::Permit2,
        eip2612,
        usd_pegged: true,
    }
}

async fn stand(token: Asset, extensions: &[&str]) -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let known = extensions.iter().map(|key| (*key).to_owned()).collect();
    double
        .supported
        .lock()
        .unwrap()
        .as_mut()
        .unwrap()
        .extensions = known;
    let builder = builder(&double, &clock, Arc::new(MemoryLedger::default()))
        .accept(Rail::custom(token))
        .mount(weather)
        .mount(haiku);
    Stand::of(builder, double, clock).await
}

fn offer(terms: &PaymentRequired) -> Value {
    let permit2 = |offer: &&Value| offer["extra"]["assetTransferMethod"] == "permit2";
    let offers: Vec<Value> = terms.accepts.iter().map(|o| o.value().clone()).collect();
    offers
        .iter()
        .find(permit2)
        .expect("an offer through Permit2")
        .clone()
}

fn authorization(from: Address) -> Permit2Authorization {
    Permit2Authorization {
        from,
        permitted: TokenPermissions {
            token: TOKEN,
            amount: U256::from(PRICE),
        },
        spender: EXACT_PERMIT2_PROXY,
        nonce: U256::from(7),
        deadline: U256::from(NOW + 300),
        witness: Witness::Exact {
            to: PAY_TO.parse().unwrap(),
            valid_after: U256::ZERO,
        },
    }
}

fn payer(key: &SecretKey) -> Address {
    let point = key.public_key().serialize_uncompressed();
    Address::from_word(alloy_primitives::keccak256(&point[1..]))
}

fn pay(terms: &PaymentRequired, authorization: Permit2Authorization, key: &SecretKey) -> String {
    let digest = authorization.digest(&permit2::separator(84_532));
    let signed = RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest.0), key);
    let (id, compact) = signed.serialize_compact();
    let mut bytes = compact.to_vec();
    bytes.push(27 + id.to_u8());
    let payload = Permit2Payload {
        signature: Signature::new(bytes).unwrap(),
        authorization,
    };
    headers::encode(&json!({
        "x402Version": 2,
        "resource": terms.resource,
        "accepted": offer(terms),
        "payload": payload.to_json(),
    }))
    .unwrap()
}

#[tokio::test]
async fn a_token_without_eip3009_is_offered_and_paid_through_permit2() {
    let stand = stand(dollars(false), &[]).await;
    let terms = stand.terms("GET", "/haiku").await;
    // Both tokens pay a price in dollars.
    assert_eq!(terms.accepts.len(), 2);
    let offered = offer(&terms);
    assert_eq!(offered["amount"], PRICE.to_string());
    assert_eq!(offered["extra"], json!({"assetTransferMethod": "permit2"}));
    let body = stand.get("/haiku", None).await.json();
    assert_eq!(
        body["accepts"].as_array().unwrap().len(),
        1,
        "version 1 buyers would sign something else"
    );
    let key = SecretKey::from_secret_bytes([9; 32]).unwrap();
    let payment = pay(&terms, authorization(payer(&key)), &key);
    let answer = stand.get("/haiku", Some(&payment)).await;
    assert_eq!((answer.status, &*answer.body), (200, b"frog".as_slice()));
    assert_eq!(stand.get("/haiku", Some(&payment)).await, answer);
    assert_eq!(stand.double.settles(), 1);
    let asked = stand.double.requests.lock().unwrap()[0].clone();
    assert_eq!(asked.requirements.to_value(), offered);
}

#[tokio::test]
async fn what_the_facilitator_sponsors_is_advertised_for_the_tokens_that_have_it() {
    let both = [
        "eip2612GasSponsoring",
        "erc20ApprovalGasSponsoring",
        "other",
    ];
    for (eip2612, known, advertised) in [
        (true, both.as_slice(), Some("eip2612GasSponsoring")),
        (false, both.as_slice(), Some("erc20ApprovalGasSponsoring")),
        (true, &both[1..], None),
        (false, &[], None),
    ] {
        let stand = stand(dollars(eip2612), known).await;
        let terms = stand.terms("GET", "/haiku").await;
        let extensions = terms.extensions.unwrap_or_default();
        let found: Vec<&String> = extensions
            .keys()
            .filter(|key| key.ends_with("Sponsoring"))
            .collect();
        assert_eq!(found, advertised.iter().collect::<Vec<_>>());
        let extra = &offer(&stand.terms("GET", "/haiku").await)["extra"];
        assert_eq!(extra.get("name").is_some(), eip2612);
        // A token with EIP-3009 needs no approval.
        let terms = stand.terms("GET", "/weather/oslo").await;
        let extensions = terms.extensions.unwrap_or_default();
        assert!(!extensions.keys().any(|key| key.ends_with("Sponsoring")));
    }
}

#[tokio::test]
async fn each_wrong_member_is_refused_by_its_own_code() {
    let stand = stand(dollars(false), &[]).await;
    let terms = stand.terms("GET", "/haiku").await;
    let key = SecretKey::from_secret_bytes([9; 32]).unwrap();
    let exact = |to: Address, valid_after: u64| Witness::Exact {
        to,
        valid_after: U256::from(valid_after),
    };
    let mine: Address = PAY_TO.parse().unwrap();
    type Spoil = Box<dyn Fn(&mut Permit2Authorization)>;
    let table: Vec<(&str, &str, Spoil)> = vec![
        (
            "payload_malformed",
            "invalid_permit2_spender",
            Box::new(|a| a.spender = TOKEN),
        ),
        (
            "recipient_mismatch",
            "invalid_permit2_recipient_mismatch",
            Box::new(move |a| a.witness = exact(TOKEN, 0)),
        ),
        (
            "value_mismatch",
            "permit2_amount_mismatch",
            Box::new(|a| a.permitted.amount = U256::from(1)),
        ),
        (
            "payload_malformed",
            "permit2_token_mismatch",
            Box::new(|a| a.permitted.token = Address::ZERO),
        ),
        (
            "authorization_expired",
            "permit2_deadline_expired",
            Box::new(|a| a.deadline = U256::from(NOW)),
        ),
        (
            "authorization_not_yet_valid",
            "permit2_not_yet_valid",
            Box::new(move |a| a.witness = exact(mine, NOW + 60)),
        ),
        (
            "validity_too_long",
            "permit2_deadline_expired",
            Box::new(|a| a.deadline = U256::MAX),
        ),
        (
            "invalid_signature",
            "invalid_exact_evm_signature",
            Box::new(|a| a.from = TOKEN),
        ),
    ];
    for (code, reason, spoil) in table {
        let mut wrong = authorization(payer(&key));
        spoil(&mut wrong);
        let answer = stand.get("/haiku", Some(&pay(&terms, wrong, &key))).await;
        assert_eq!(answer.brief(), (402, code.to_owned()), "{reason}");
        assert_eq!(answer.json()["reason"], reason, "{code}");
        assert_eq!(answer.terms().accepts.len(), 2);
    }
    stand.assert_untouched("refused payments");
}

#[tokio::test]
async fn a_payment_of_one_kind_does_not_pay_terms_of_another() {
    let stand = stand(dollars(false), &[]).await;
    let terms = stand.terms("GET", "/haiku").await;
    let key = SecretKey::from_secret_bytes([9; 32]).unwrap();
    // The payload of one offer under the name of the other, both ways, and a witness of `upto`.
    let through = pay(&terms, authorization(payer(&key)), &key);
    let mut through: Value = headers::decode(through.as_bytes(), usize::MAX).unwrap();
    let mut by_token = common::Buyer::new(9).payment(&terms, NOW, &Change::default());
    let swap = through["accepted"].take();
    through["accepted"] = by_token["accepted"].take();
    by_token["accepted"] = swap;
    let mut upto = authorization(payer(&key));
    upto.witness = Witness::Upto {
        to: PAY_TO.parse().unwrap(),
        facilitator: TOKEN,
        valid_after: U256::ZERO,
    };
    upto.spender = upto.witness.proxy();
    for payment in [
        headers::encode(&through).unwrap(),
        headers::encode(&by_token).unwrap(),
        pay(&terms, upto, &key),
    ] {
        let answer = stand.get("/haiku", Some(&payment)).await;
        assert_eq!(answer.brief(), (402, "payload_malformed".to_owned()));
    }
    stand.assert_untouched("payments of the wrong kind");
}

#[tokio::test]
async fn a_missing_allowance_that_the_facilitator_finds_is_answered_with_412_and_the_terms() {
    let stand = stand(dollars(false), &[]).await;
    stand.double.refuse_check("permit2_allowance_required");
    let terms = stand.terms("GET", "/haiku").await;
    let key = SecretKey::from_secret_bytes([9; 32]).unwrap();
    let payment = pay(&terms, authorization(payer(&key)), &key);
    let answer = stand.get("/haiku", Some(&payment)).await;
    assert_eq!(
        answer.brief(),
        (412, "permit2_allowance_required".to_owned())
    );
    assert_eq!(answer.terms().accepts.len(), 2);
    answer.assert_no_canary();
    stand.assert_untouched("without an allowance");
}

/// The token of the built-in table, both ways, in this order.
async fn both_ways(rails: [&str; 2]) -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let builder = Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .facilitator(Arc::clone(&double))
        .ledger(MemoryLedger::default())
        .clock(Shared(Arc::clone(&clock)))
        .accept(rails[0].parse().unwrap())
        .accept(rails[1].parse().unwrap())
        .mount(weather)
        .mount(haiku)
        .mount(limerick);
    Stand::of(builder, double, clock).await
}

/// A limerick, for one of the ways only.
#[paid(GET "/limerick", price = "0.01 USDC", rails = ["base-sepolia:USDC/permit2"])]
async fn limerick() -> &'static str {
    "there was an old man"
}

#[tokio::test]
async fn an_endpoint_may_take_one_of_the_ways_only() {
    let stand = both_ways(BOTH).await;
    let terms = stand.terms("GET", "/limerick").await;
    assert_eq!(terms.accepts.len(), 1);
    assert_eq!(
        terms.accepts[0].value()["extra"]["assetTransferMethod"],
        "permit2"
    );
    assert_eq!(stand.terms("GET", "/weather/oslo").await.accepts.len(), 2);
}

const BOTH: [&str; 2] = ["base-sepolia:USDC", "base-sepolia:USDC/permit2"];

/// What somebody signs who pays the price of USDC through Permit2.
fn usdc(from: Address, nonce: u64) -> Permit2Authorization {
    Permit2Authorization {
        permitted: TokenPermissions {
            token: parse_address("0x036CbD53842c5426634e7929541eC2318f3dCF7e").unwrap(),
            amount: U256::from(10_000),
        },
        nonce: U256::from(nonce),
        ..authorization(from)
    }
}

#[tokio::test]
async fn one_token_is_offered_both_ways_in_the_order_of_the_seller() {
    for rails in [BOTH, [BOTH[1], BOTH[0]]] {
        let stand = both_ways(rails).await;
        let terms = stand.terms("GET", "/haiku").await;
        let methods: Vec<Value> = terms
            .accepts
            .iter()
            .map(|offer| offer.value()["extra"].clone())
            .collect();
        let plain = json!({"name": "USDC", "version": "2"});
        let through = json!({"name": "USDC", "version": "2", "assetTransferMethod": "permit2"});
        let expected = if rails == BOTH {
            [plain, through]
        } else {
            [through, plain]
        };
        assert_eq!(methods, expected);
        assert!(
            terms
                .accepts
                .iter()
                .all(|offer| offer.value()["amount"] == "10000")
        );
        let body = stand.get("/haiku", None).await.json();
        assert_eq!(
            body["accepts"].as_array().unwrap().len(),
            1,
            "version 1 knows one way"
        );
    }
}

/// Terms of the token's own transfer fit both payments, because a buyer may add to `extra`: the method decides.
#[tokio::test]
async fn each_payment_is_for_the_terms_of_its_own_way() {
    for rails in [BOTH, [BOTH[1], BOTH[0]]] {
        let stand = both_ways(rails).await;
        let terms = stand.terms("GET", "/haiku").await;
        let plain_first = PaymentRequired {
            accepts: terms
                .accepts
                .iter()
                .filter(|offer| offer.value()["extra"]["assetTransferMethod"].is_null())
                .cloned()
                .collect(),
            ..terms.clone()
        };
        let key = SecretKey::from_secret_bytes([9; 32]).unwrap();
        let by_token = common::Buyer::new(9).pay(&plain_first, NOW);
        let through = pay(&terms, usdc(payer(&key), 7), &key);
        for (payment, method) in [(by_token, Value::Null), (through, json!("permit2"))] {
            let answer = stand.get("/haiku", Some(&payment)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let asked = stand
                .double
                .requests
                .lock()
                .unwrap()
                .last()
                .unwrap()
                .clone();
            let requirements = asked.requirements.to_value();
            assert_eq!(requirements["extra"]["assetTransferMethod"], method);
        }
        assert_eq!(stand.double.settles(), 2);
    }
}

/// The nonces of a token and of Permit2 are separate on the chain. A buyer that takes the same one for both has one purchase:
/// the ledger knows a payment by its nonce, and nothing is settled for the second.
#[tokio::test]
async fn one_nonce_buys_once_whichever_way_it_is_signed() {
    let stand = both_ways([BOTH[0], BOTH[1]]).await;
    let terms = stand.terms("GET", "/haiku").await;
    let key = SecretKey::from_secret_bytes([9; 32]).unwrap();
    let change = Change {
        nonce: Some(B256::from(U256::from(7))),
        ..Change::default()
    };
    let by_token = common::Buyer::new(9).pay_with(&terms, NOW, &change);
    let first = stand.get("/haiku", Some(&by_token)).await;
    assert_eq!(first.status, 200);
    let through = pay(&terms, usdc(payer(&key), 7), &key);
    assert_eq!(stand.get("/haiku", Some(&through)).await, first);
    let other = stand.get("/weather/oslo", Some(&through)).await;
    assert_eq!(
        other.brief(),
        (409, "payment_reused_for_other_request".to_owned())
    );
    assert_eq!(stand.double.settles(), 1);
}

/// The description is for people, and `x402-reqwest` drops it. The version says what the other members mean.
#[tokio::test]
async fn a_permit_comes_with_or_without_the_description_of_its_extension() {
    let key = SecretKey::from_secret_bytes([9; 32]).unwrap();
    for (eip2612, extension) in [
        (true, "eip2612GasSponsoring"),
        (false, "erc20ApprovalGasSponsoring"),
    ] {
        let stand = stand(dollars(eip2612), &[extension]).await;
        let terms = stand.terms("GET", "/haiku").await;
        let declared = &terms.extensions.as_ref().unwrap()[extension]["info"];
        assert!(declared["description"].is_string());
        for (nonce, info, taken) in [
            (1, json!({"version": "1", "amount": "1"}), true),
            (2, json!({"version": "2", "amount": "1"}), false),
            (3, json!({"amount": "1"}), false),
        ] {
            let mut one = authorization(payer(&key));
            one.nonce = U256::from(nonce);
            let payment = pay(&terms, one, &key);
            let mut payment: Value = headers::decode(payment.as_bytes(), usize::MAX).unwrap();
            payment["extensions"] = json!({extension: {"info": info}});
            let payment = headers::encode(&payment).unwrap();
            let answer = stand.get("/haiku", Some(&payment)).await;
            if taken {
                assert_eq!(answer.status, 200);
            } else {
                let refused = (402, "extension_echo_mismatch".to_owned());
                assert_eq!(answer.brief(), refused, "{info}");
            }
        }
    }
}
