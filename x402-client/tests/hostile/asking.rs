//! Looking before paying, and writing down before sending.

use std::sync::{Arc, Mutex};

use serde_json::json;
use x402_client::{Asked, Budget, Charged, Client, Error, PricedCall, Wallet};

use crate::seller::{Act, PAYEE, Seller, builder, offer, option, served};

fn dollar() -> Budget {
    Budget::new("1.00 USD", "1.00 USD").unwrap()
}

async fn priced(client: &Client, url: &str, max: &str) -> PricedCall {
    match client.get(url).max(max).ask().await.unwrap() {
        Asked::Priced(call) => call,
        other => panic!("not priced: {other:?}"),
    }
}

#[tokio::test]
async fn asking_signs_nothing_and_paying_asks_no_second_time() {
    let seller = Seller::selling(|_| served()).await;
    let client = builder(dollar()).build().unwrap();
    let call = priced(&client, &seller.url(), "0.01 USD").await;
    let [option] = &call.options()[..] else {
        panic!("one option is offered")
    };
    assert_eq!(option.amount_text(), "0.01 USDC");
    assert_eq!(option.refusal, None);
    assert_eq!(option.pay_to, PAYEE.parse().ok());
    assert_eq!(call.choice().unwrap().index(), 0);
    assert_eq!(seller.payments(), (0, 0));
    assert_eq!(
        (client.budget().spent(), client.budget().reserved()),
        ("0".to_owned(), "0".to_owned())
    );

    let answer = call.pay().await.unwrap();
    assert_eq!(answer.text(), Ok("paid content"));
    assert_eq!(seller.seen().len(), 2, "one unpaid request, one paid");
    assert_eq!(client.budget().spent(), "0.01");
}

#[tokio::test]
async fn every_option_is_shown_with_its_verdict_and_foreign_text_is_tamed() {
    let mut dear = option();
    dear["amount"] = json!("20000");
    let odd = json!({"scheme": "exact", "network": "eip155:84532", "amount": "1\u{1b}[2J", "payTo": "me",
        "asset": "0x00000000000000000000000000000000000000aa", "maxTimeoutSeconds": 60, "extra": {}});
    let seller = Seller::start(|_| Act::Drop).await;
    let terms = offer(&seller.url(), &[dear, odd, json!(7), option()]);
    seller.now(move |_| terms.clone());
    let client = builder(dollar()).build().unwrap();
    let call = priced(&client, &seller.url(), "0.01 USD").await;
    let options = call.options();
    let codes: Vec<_> = options
        .iter()
        .map(|option| option.refusal.map(x402_client::select::Refusal::code))
        .collect();
    assert_eq!(
        codes,
        [
            Some("over_max"),
            Some("asset_not_allowed"),
            Some("option_unreadable"),
            None
        ]
    );
    assert_eq!(call.choice().unwrap().index(), 3);
    assert_eq!(options[0].amount_text(), "0.02 USDC");
    let tamed = "1_[2J atomic units of 0x00000000000000000000000000000000000000aa";
    assert_eq!(options[1].amount_text(), tamed);
    assert_eq!((options[1].amount, options[1].pay_to), (None, None));
    assert_eq!(seller.payments(), (0, 0));
}

#[tokio::test]
async fn a_free_answer_is_given_as_it_is_and_no_answer_is_an_error() {
    let seller = Seller::start(|_| Act::Answer(200, vec![], "free".into())).await;
    let client = builder(dollar()).build().unwrap();
    match client.get(&seller.url()).ask().await.unwrap() {
        Asked::Answered(answer) => assert_eq!(answer.text(), Ok("free")),
        other => panic!("not free: {other:?}"),
    }
    seller.now(|_| Act::Drop);
    let error = client.get(&seller.url()).ask().await.unwrap_err();
    assert_eq!(error.code(), "unreachable");
}

#[tokio::test]
async fn a_wallet_without_a_key_asks_but_never_pays() {
    let seller = Seller::selling(|_| served()).await;
    let client = Client::new(Wallet::view_only(PAYEE.parse().unwrap()), dollar());
    let call = priced(&client, &seller.url(), "0.01 USD").await;
    assert!(call.choice().is_ok());
    let error = call.pay().await.unwrap_err();
    assert_eq!((error.code(), error.charged()), ("not_signed", Charged::No));
    assert_eq!(seller.payments(), (0, 0));
}

#[tokio::test]
async fn a_payment_is_recorded_before_it_is_sent_and_can_be_resumed_from_the_record() {
    let seller = Seller::selling(|_| Act::Drop).await;
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&records);
    let recording = builder(dollar()).record(move |payment| {
        kept.lock().unwrap().push(serde_json::to_string(payment)?);
        Ok(())
    });
    let error = recording
        .build()
        .unwrap()
        .get(&seller.url())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), "outcome_unknown");
    let records = records.lock().unwrap().clone();
    assert_eq!(records.len(), 1, "once per payment, not per send");

    let offer = offer(&seller.url(), &[option()]);
    seller.now(move |seen| seen.paid.map_or_else(|| offer.clone(), |_| served()));
    let payer = Wallet::view_only(error.receipt().unwrap().payer);
    let later = builder(dollar()).wallet(payer).build().unwrap();
    let pending = serde_json::from_str(&records[0]).unwrap();
    let answer = later.resume(pending).await.unwrap();
    assert_eq!(answer.text(), Ok("paid content"));
    assert_eq!(seller.payments().1, 1, "one authorization");
}

#[tokio::test]
async fn a_payment_that_cannot_be_recorded_is_not_sent_and_costs_nothing() {
    let seller = Seller::selling(|_| served()).await;
    let full = builder(dollar()).record(|_| Err(std::io::ErrorKind::StorageFull.into()));
    let client = full.build().unwrap();
    let error = client.get(&seller.url()).send().await.unwrap_err();
    assert!(matches!(error, Error::NotRecorded(_)), "{error}");
    assert_eq!(error.charged(), Charged::No);
    assert_eq!(seller.payments(), (0, 0));
    assert_eq!(client.budget().spent(), "0");
    assert!(client.open_payments().is_empty());
}
