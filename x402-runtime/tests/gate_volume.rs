//! Rebates at the gate: who is told the lower price, who may pay it, and for how long.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use common::double::refusal;
use common::shop::{builder, request};
use common::{Answer, Buyer, Change, Double, NOW, Script, Shop, Stand};
use serde_json::json;
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::{Ledger, MemoryLedger};
use x402_runtime::model::extension::siwx::Challenge;
use x402_runtime::model::price::{Due, Facts, Volume, evaluate};
use x402_runtime::model::wire::PaymentRequired;
use x402_runtime::paid;

const HOUR_MS: u64 = 3_600_000;
const RATES: &str = "/rates/today";

/// What currencies cost.
#[paid(GET "/rates/{how}", price = "0.001 USDC", rebate = volume("1h", 3 => "x0.5", 5 => "x0.25"))]
async fn rates(State(shop): State<Shop>, Path(how): Path<String>) -> Response {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    match how.as_str() {
        "bad" => (StatusCode::BAD_REQUEST, "the handler's own").into_response(),
        _ => "rates".into_response(),
    }
}

/// The same for something else.
#[paid(GET "/fees", price = "0.001 USDC", rebate = volume("1h", 1 => "x0.5"))]
async fn fees() -> &'static str {
    "fees"
}

/// Less for those who spent much.
#[paid(GET "/maps", price = "0.01 USDC", rebate = volume("1h", "0.025 USDC" => "x0.8"))]
async fn maps() -> &'static str {
    "a map"
}

/// The first call costs nothing.
#[paid(GET "/sample", price = "0.01 USDC", rebate = volume("1h", 1 => "x0.1"), free = "1/day per payer")]
async fn sample() -> &'static str {
    "a sample"
}

async fn stand_with(ledger: Arc<dyn Ledger>) -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let builder = builder(&double, &clock, ledger)
        .mount(rates)
        .mount(fees)
        .mount(maps)
        .mount(sample);
    Stand::of(builder, double, clock).await
}

async fn stand() -> Stand {
    stand_with(Arc::new(MemoryLedger::default())).await
}

fn amount(terms: &PaymentRequired) -> &str {
    &terms.accepts[0].view().unwrap().amount
}

async fn get_as(stand: &Stand, path: &str, sign_in: &str) -> Answer {
    let mut request = request("GET", path, None, "");
    let headers = request.headers_mut();
    headers.insert("sign-in-with-x", sign_in.parse().unwrap());
    stand.send(request).await
}

/// What somebody is told who signs in.
async fn terms_of(stand: &Stand, path: &str, buyer: &Buyer) -> PaymentRequired {
    let sign_in = buyer.sign_in(&stand.terms("GET", path).await);
    let answer = get_as(stand, path, &sign_in).await;
    assert_eq!(answer.brief(), (402, "payment_required".to_owned()));
    answer.terms()
}

/// Buys as somebody who signs in; what it cost.
async fn buy(stand: &Stand, path: &str, buyer: &Buyer) -> String {
    let terms = terms_of(stand, path, buyer).await;
    let payment = buyer.pay(&terms, stand.now());
    assert_eq!(stand.get(path, Some(&payment)).await.status, 200);
    let requests = stand.double.requests.lock().unwrap();
    let asked = requests.last().unwrap().requirements.to_value();
    assert_eq!(asked["amount"], amount(&terms));
    amount(&terms).to_owned()
}

/// Buys this often, and looks at no price.
async fn buy_often(stand: &Stand, path: &str, buyer: &Buyer, times: usize) {
    for _ in 0..times {
        buy(stand, path, buyer).await;
    }
}

/// The terms without the token that binds them.
fn without_token(terms: &PaymentRequired) -> PaymentRequired {
    with_token(terms, |_| None)
}

fn with_token(
    terms: &PaymentRequired,
    change: impl FnOnce(&str) -> Option<String>,
) -> PaymentRequired {
    let mut offer = terms.accepts[0].value().clone();
    let extra = offer["extra"].as_object_mut().unwrap();
    let token = extra.remove("x402Quote").unwrap();
    if let Some(token) = change(token.as_str().unwrap()) {
        extra.insert("x402Quote".to_owned(), json!(token));
    }
    let mut changed = terms.clone();
    changed.accepts = vec![serde_json::from_value(offer).unwrap()];
    changed
}

#[tokio::test]
async fn after_as_many_calls_as_a_step_says_the_next_one_costs_less() {
    let stand = stand().await;
    let buyer = Buyer::new(7);
    for price in ["1000", "1000", "1000", "500", "500", "250", "250"] {
        assert_eq!(buy(&stand, RATES, &buyer).await, price);
    }
    // Another payer, another endpoint, and somebody who does not say who he is.
    let other = Buyer::new(8);
    assert_eq!(amount(&terms_of(&stand, RATES, &other).await), "1000");
    assert_eq!(amount(&terms_of(&stand, "/fees", &buyer).await), "1000");
    assert_eq!(amount(&stand.terms("GET", RATES).await), "1000");
    // A price is an endpoint's, whatever its path captures.
    assert_eq!(amount(&terms_of(&stand, "/rates/old", &buyer).await), "250");
    assert_eq!((stand.runs(), stand.double.settles()), (7, 7));
}

/// What a buyer is told after each call is what a reader of the manifest works out from what was bought.
#[tokio::test]
async fn each_live_402_equals_its_manifest_entry_whatever_was_bought() {
    let stand = stand().await;
    let manifest = stand.paywall.manifest().manifest();
    let buyer = Buyer::new(7);
    for (path, price) in [(RATES, 1_000_u128), ("/fees", 1_000), ("/maps", 10_000)] {
        let id = path.split('/').nth(1).unwrap();
        let mut all = manifest.endpoints.iter();
        let entry = all.find(|entry| entry.id == id).unwrap();
        let model = manifest.model_of(entry, &entry.price).unwrap().unwrap();
        let (mut bought, mut told) = (Volume::default(), BTreeSet::new());
        for _ in 0..7 {
            let terms = terms_of(&stand, path, &buyer).await;
            let due = match evaluate(&model, &Facts::new(), &[bought]).unwrap() {
                Due::Exact(price) => price.amount,
                other => panic!("{other:?}"),
            };
            assert_eq!(
                amount(&terms),
                due.to_atomic(6).unwrap().to_string(),
                "{path}"
            );
            told.insert(buy(&stand, path, &buyer).await);
            bought.calls += 1;
            bought.spend = bought.spend.checked_add(due).unwrap();
        }
        assert!(
            told.contains(&price.to_string()) && told.len() > 1,
            "{path}: {told:?}"
        );
    }
}

#[tokio::test]
async fn terms_ask_for_a_sign_in_and_tell_the_bounds() {
    let stand = stand().await;
    for path in [RATES, "/rates/x?secret=1"] {
        let answer = stand.get(path, None).await;
        let challenge = Challenge::read(answer.terms().extensions.as_ref()).expect("a challenge");
        assert_eq!(challenge.info.domain, "api.example.com");
        assert!(!challenge.info.uri.contains("secret"), "G18");
        assert_eq!(answer.json()["price"], "0.001 USDC");
        assert_eq!(
            answer.json()["priceBounds"],
            json!({"min": "0.00025 USDC", "max": "0.001 USDC"})
        );
    }
    let terms = stand.terms("GET", RATES).await;
    let token = terms.accepts[0].view().unwrap().extra["x402Quote"].clone();
    assert!(!token.as_str().unwrap().contains('-'), "for everybody");
    let mine = terms_of(&stand, RATES, &Buyer::new(7)).await;
    assert!(!mine.accepts[0].raw().get().contains('-'), "no rebate yet");
}

#[tokio::test]
async fn whoever_does_not_sign_in_pays_the_full_price_and_is_counted() {
    let stand = stand().await;
    let buyer = Buyer::new(7);
    for _ in 0..4 {
        let terms = stand.terms("GET", RATES).await;
        assert_eq!(amount(&terms), "1000");
        let payment = buyer.pay(&terms, NOW);
        assert_eq!(stand.get(RATES, Some(&payment)).await.status, 200);
    }
    assert_eq!(amount(&terms_of(&stand, RATES, &buyer).await), "500");
}

/// Nobody pays the lower price but whom it was told to, whatever becomes of his message and of the terms.
#[tokio::test]
async fn only_who_bought_much_pays_less() {
    let stand = stand().await;
    let (buyer, other) = (Buyer::new(7), Buyer::new(8));
    buy_often(&stand, RATES, &buyer, 3).await;
    // Somebody gets hold of the message and uses it first.
    let message = buyer.sign_in(&stand.terms("GET", RATES).await);
    let stolen = get_as(&stand, RATES, &message).await.terms();
    assert_eq!(amount(&stolen), "500");
    let settles = stand.double.settles();
    let answer = stand.get(RATES, Some(&other.pay(&stolen, NOW))).await;
    assert_eq!(answer.brief(), (402, "quoted_to_another_payer".to_owned()));
    assert_eq!(answer.json()["charged"], false);
    assert_eq!(answer.json()["action"], "fix-payment");
    let told = answer.terms();
    assert_eq!(amount(&told), "1000", "what he may pay");
    assert!(Challenge::read(told.extensions.as_ref()).is_some());
    // Nor by signing for the other, or by writing himself or nobody into the token.
    let change = Change {
        from: Some(buyer.address),
        ..Change::default()
    };
    let forged = other.pay_with(&stolen, NOW, &change);
    assert_eq!(
        stand.get(RATES, Some(&forged)).await.brief(),
        (402, "invalid_signature".to_owned())
    );
    let own = alloy_primitives::hex::encode(other.address);
    let mine = |token: &str| Some(format!("{}-{own}", token.split_once('-').unwrap().0));
    let nobodys = |token: &str| Some(token.split_once('-').unwrap().0.to_owned());
    for terms in [
        with_token(&stolen, mine),
        with_token(&stolen, nobodys),
        with_token(&stolen, |token| Some(format!("{token}00"))),
        with_token(&stolen, |token| Some(token.replace('-', "--"))),
        without_token(&stolen),
    ] {
        let answer = stand.get(RATES, Some(&other.pay(&terms, NOW))).await;
        assert_eq!(answer.brief(), (402, "no_matching_requirements".to_owned()));
        assert_eq!(amount(&answer.terms()), "1000");
    }
    assert_eq!(stand.double.settles(), settles);
    // A message counts once.
    assert_eq!(
        amount(&get_as(&stand, RATES, &message).await.terms()),
        "1000"
    );
    // Its owner may pay what was told for it.
    let payment = buyer.pay(&stolen, NOW);
    assert_eq!(stand.get(RATES, Some(&payment)).await.status, 200);
    // And what the other was told instead, the other may.
    let payment = other.pay(&told, NOW);
    assert_eq!(stand.get(RATES, Some(&payment)).await.status, 200);
    assert_eq!(stand.double.settles(), settles + 2);
}

#[tokio::test]
async fn a_call_counts_for_the_window_to_the_millisecond() {
    let stand = stand().await;
    let buyer = Buyer::new(7);
    for _ in 0..3 {
        buy(&stand, RATES, &buyer).await;
        stand.clock.advance_ms(1_000);
    }
    stand.clock.advance_ms(HOUR_MS - 3_001);
    assert_eq!(amount(&terms_of(&stand, RATES, &buyer).await), "500");
    stand.clock.advance_ms(1);
    assert_eq!(amount(&terms_of(&stand, RATES, &buyer).await), "1000");
}

/// A price that was told is kept to for as long as the terms say, and no longer.
#[tokio::test]
async fn a_quote_is_good_for_its_time_though_the_count_goes_on() {
    let stand = stand().await;
    let buyer = Buyer::new(7);
    let dear = terms_of(&stand, RATES, &buyer).await;
    buy_often(&stand, RATES, &buyer, 3).await;
    let less = terms_of(&stand, RATES, &buyer).await;
    assert_eq!((amount(&dear), amount(&less)), ("1000", "500"));
    // The window slides on, and the rebate is over for new terms.
    stand.clock.advance_ms(HOUR_MS);
    let stand_at = stand.now();
    let late = buyer.pay(&less, stand_at);
    let answer = stand.get(RATES, Some(&late)).await;
    assert_eq!(answer.brief(), (402, "no_matching_requirements".to_owned()));
    assert_eq!(amount(&answer.terms()), "1000");

    buy_often(&stand, RATES, &buyer, 3).await;
    stand.clock.advance_ms(HOUR_MS - 60_000);
    let less = terms_of(&stand, RATES, &buyer).await;
    stand.clock.advance_ms(60_000);
    assert_eq!(amount(&terms_of(&stand, RATES, &buyer).await), "1000");
    let payment = buyer.pay(&less, stand.now());
    assert_eq!(stand.get(RATES, Some(&payment)).await.status, 200);
    assert_eq!(amount(&less), "500");
}

/// Terms taken before a step, and paid after it, cost what they said: never less than what the volume gives.
#[tokio::test]
async fn quotes_taken_side_by_side_before_a_step_cost_what_they_said() {
    let stand = stand().await;
    let buyer = Buyer::new(7);
    let mut quotes = Vec::new();
    for _ in 0..6 {
        quotes.push(terms_of(&stand, RATES, &buyer).await);
    }
    for terms in &quotes {
        assert_eq!(amount(terms), "1000");
        let payment = buyer.pay(terms, NOW);
        assert_eq!(stand.get(RATES, Some(&payment)).await.status, 200);
    }
    assert_eq!(amount(&terms_of(&stand, RATES, &buyer).await), "250");
}

#[tokio::test]
async fn only_what_was_charged_counts_and_it_counts_once() {
    let stand = stand().await;
    let buyer = Buyer::new(7);
    buy_often(&stand, RATES, &buyer, 2).await;
    // A handler that fails costs nothing.
    let payment = buyer.pay(&terms_of(&stand, "/rates/bad", &buyer).await, NOW);
    assert_eq!(stand.get("/rates/bad", Some(&payment)).await.status, 400);
    // Nor does a settlement that is refused.
    stand
        .double
        .script([Script::Say(refusal("insufficient_funds"))]);
    let payment = buyer.pay(&terms_of(&stand, RATES, &buyer).await, NOW);
    assert_eq!(stand.get(RATES, Some(&payment)).await.status, 402);
    assert_eq!(amount(&terms_of(&stand, RATES, &buyer).await), "1000");
    // The same payment again is the same call.
    for _ in 0..3 {
        assert_eq!(stand.get(RATES, Some(&payment)).await.status, 200);
    }
    assert_eq!(amount(&terms_of(&stand, RATES, &buyer).await), "500");
    buy(&stand, RATES, &buyer).await;
    assert_eq!(amount(&terms_of(&stand, RATES, &buyer).await), "500");
}

#[tokio::test]
async fn money_counts_in_the_unit_of_the_price() {
    let stand = stand().await;
    let buyer = Buyer::new(7);
    for price in ["10000", "10000", "10000", "8000", "8000"] {
        assert_eq!(buy(&stand, "/maps", &buyer).await, price);
    }
    stand.clock.advance_ms(HOUR_MS);
    assert_eq!(buy(&stand, "/maps", &buyer).await, "10000");
}

/// A payment that repeats no terms of its payer's own says by its signature who pays.
#[tokio::test]
async fn payments_without_a_token_are_taken_at_the_price_of_their_signer() {
    let stand = stand().await;
    let (buyer, other) = (Buyer::new(7), Buyer::new(8));
    buy_often(&stand, RATES, &buyer, 3).await;
    let version_1 = |buyer: &Buyer, terms: &PaymentRequired| {
        let payment = buyer.payment(terms, NOW, &Change::default());
        common::buyer::encode(&json!({
            "x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": payment["payload"],
        }))
    };
    let send = async |header: &'static str, payment: &str| {
        let mut request = request("GET", RATES, None, "");
        let headers = request.headers_mut();
        headers.insert(header, payment.parse().unwrap());
        stand.send(request).await
    };
    let less = without_token(&terms_of(&stand, RATES, &buyer).await);
    let full = stand.terms("GET", RATES).await;
    let settles = stand.double.settles();
    for (buyer, terms, status) in [
        (&other, &less, 402),
        (&buyer, &less, 200),
        (&other, &full, 200),
        (&buyer, &full, 200),
    ] {
        for (header, payment) in [
            ("payment-signature", buyer.pay(terms, NOW)),
            ("x-payment", version_1(buyer, terms)),
        ] {
            let answer = send(header, &payment).await;
            assert_eq!(answer.status, status, "{header} {}", amount(terms));
        }
    }
    assert_eq!(stand.double.settles(), settles + 6);
}

/// One message is enough for both questions: whether the call is free, and what it costs.
#[tokio::test]
async fn free_calls_and_rebates_go_together() {
    let stand = stand().await;
    let buyer = Buyer::new(7);
    let sign_in = buyer.sign_in(&stand.terms("GET", "/sample").await);
    assert_eq!(get_as(&stand, "/sample", &sign_in).await.status, 200);
    assert_eq!(
        buy(&stand, "/sample", &buyer).await,
        "10000",
        "free calls do not count"
    );
    assert_eq!(buy(&stand, "/sample", &buyer).await, "1000");
}

/// T10: what was bought cannot be read, so nobody is told a price that may be too high.
#[tokio::test]
async fn t10_without_a_ledger_no_price_is_told_to_who_signs_in() {
    let stand = stand_with(Arc::new(MemoryLedger::new().with_max_records(1))).await;
    let first = Buyer::new(7).sign_in(&stand.terms("GET", RATES).await);
    assert_eq!(get_as(&stand, RATES, &first).await.status, 402);
    let second = Buyer::new(8).sign_in(&stand.terms("GET", RATES).await);
    let answer = get_as(&stand, RATES, &second).await;
    assert_eq!(answer.brief(), (503, "ledger_unavailable".to_owned()));
    assert_eq!(stand.get(RATES, None).await.status, 402);
}

/// What a bad payment of kept terms is told can be paid, at the price of now.
#[tokio::test]
async fn kept_terms_are_not_told_anew_to_a_bad_payment() {
    let stand = stand().await;
    let buyer = Buyer::new(7);
    buy_often(&stand, RATES, &buyer, 3).await;
    let less = terms_of(&stand, RATES, &buyer).await;
    let change = Change {
        value: Some(alloy_primitives::U256::from(1)),
        ..Change::default()
    };
    let answer = stand
        .get(RATES, Some(&buyer.pay_with(&less, NOW, &change)))
        .await;
    assert_eq!(answer.brief(), (402, "value_mismatch".to_owned()));
    assert_eq!(amount(&answer.terms()), "1000");
    let payment = buyer.pay(&answer.terms(), NOW);
    assert_eq!(stand.get(RATES, Some(&payment)).await.status, 200);
}

/// A payment that comes along says who pays: a sign-in beside it neither counts nor is used up.
#[tokio::test]
async fn a_payment_goes_before_a_sign_in() {
    let stand = stand().await;
    let (buyer, other) = (Buyer::new(7), Buyer::new(8));
    buy_often(&stand, RATES, &buyer, 3).await;
    let full = stand.terms("GET", RATES).await;
    let sign_in = buyer.sign_in(&full);
    let less = without_token(&terms_of(&stand, RATES, &buyer).await);
    for (terms, status) in [(&without_token(&full), 200), (&less, 402)] {
        let payment = other.pay(terms, NOW);
        let mut request = request("GET", RATES, Some(&payment), "");
        let headers = request.headers_mut();
        headers.insert("sign-in-with-x", sign_in.parse().unwrap());
        let answer = stand.send(request).await;
        assert_eq!(answer.status, status, "{}", amount(terms));
    }
    let told = get_as(&stand, RATES, &sign_in).await.terms();
    assert_eq!(amount(&told), "500", "not used up");
}
