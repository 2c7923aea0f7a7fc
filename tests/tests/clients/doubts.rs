//! Whether this gate can fail: shops that are treated in another way than agreed on, and drivers that do not tell the truth.

use alloy_primitives::Address;
use serde_json::{Value, json};
use x402_model::money::AtomicAmount;
use x402_tests::shop::{Manners, Quote, Sale, Settled, Shop};

use crate::plan::{self, Case};
use crate::round::{Said, refused, verdict};

fn case(name: &str) -> Case {
    let mut all = plan::cases().into_iter();
    all.find(|case| case.name == name).expect("a golden case")
}

/// What a shop says at the end when it was called in this way, before anything else.
async fn complaint(case: &Case, path: &str, payment: Option<&str>) -> String {
    let shop = Shop::open(case.manifest.clone(), case.visits(), Manners::Honest).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.get(format!("{}{path}", shop.origin()));
    if let Some(payment) = payment {
        request = request.header("payment-signature", payment);
    }
    request.send().await.unwrap();
    shop.close()
        .await
        .map_or_else(|why| why, |sales| format!("{} sales", sales.len()))
}

#[tokio::test]
async fn a_shop_complains_of_whatever_was_not_agreed_on() {
    let (free, paged) = (case("price_free"), case("pagination"));
    for (case, path, payment, said) in [
        (&free, "/status", None, "1 sales"),
        (&free, "/status?x=1", None, "the query are"),
        (&free, "/status", Some("e30="), "is free"),
        (&free, "/nothing", None, "is no endpoint"),
        (&paged, "/items", None, "0 sales"),
        (&paged, "/items?limit=1", None, "the query are"),
        (&paged, "/items", Some("e30="), "the payment: "),
    ] {
        let complaint = complaint(case, path, payment).await;
        assert!(complaint.contains(said), "{path}: {complaint}");
    }
}

/// What shop and driver of a case of flat prices say if all is well.
fn well(case: &Case) -> (Vec<Sale>, Value) {
    let quote = json!({"kind": "exact", "most": "0.25"});
    let (mut sales, mut said) = (Vec::new(), Vec::new());
    for (number, call) in case.calls.iter().enumerate() {
        let visit = &call.visits[0];
        let amount = AtomicAmount::from_u128(250_000);
        let settled = Settled {
            network: "eip155:84532".to_owned(),
            asset: Address::repeat_byte(1),
            pay_to: Address::repeat_byte(2),
            decimals: 6,
            offered: amount,
            charged: amount,
            transaction: format!("0x{number:064x}"),
        };
        said.push(json!({
            "case": case.name, "call": number, "quote": quote, "values": [visit.output], "error": null,
            "receipts": [{
                "amount": "0.25", "charged": "0.25", "network": settled.network, "asset": settled.asset,
                "payTo": settled.pay_to, "transaction": settled.transaction,
            }],
        }));
        sales.push(Sale {
            endpoint: visit.endpoint.clone(),
            quote: serde_json::from_value::<Quote>(quote.clone()).unwrap(),
            payment: Some(settled),
        });
    }
    (sales, said.into())
}

#[test]
fn a_client_that_says_anything_else_than_what_was_settled_fails() {
    let case = case("euro");
    let (sales, said) = well(&case);
    let judge = |said: &Value, sales: &[Sale]| {
        let said: Vec<Said> = serde_json::from_value(said.clone()).unwrap();
        verdict(&case, &said, sales)
    };
    assert_eq!(judge(&said, &sales), Ok(()));
    let other = format!("0x{:040x}", 3);
    for (place, lie) in [
        ("/0/quote/most", json!("0.26")),
        ("/0/quote/kind", json!("up-to")),
        ("/0/quote/kind", json!("unknown")),
        ("/1/values/0", json!("another answer")),
        ("/1/values", json!([])),
        ("/2/receipts", json!([null])),
        ("/2/receipts/0/amount", json!("0.26")),
        ("/2/receipts/0/charged", json!(null)),
        ("/2/receipts/0/network", json!("eip155:8453")),
        ("/2/receipts/0/asset", json!(other)),
        ("/2/receipts/0/payTo", json!(other)),
        (
            "/2/receipts/0/transaction",
            said[1]["receipts"][0]["transaction"].clone(),
        ),
        ("/2/error", json!({"code": "unexpected_answer", "text": ""})),
        ("/2/call", json!(1)),
    ] {
        let mut lies = said.clone();
        *lies.pointer_mut(place).expect("a place") = lie;
        assert!(judge(&lies, &sales).is_err(), "{place}");
    }
    assert!(
        judge(&said, &sales[1..]).is_err(),
        "a call that was not sold"
    );
    let twice: Vec<Sale> = sales.iter().chain(&sales[..1]).cloned().collect();
    assert!(judge(&said, &twice).is_err(), "a call that was sold twice");
    let fewer = Value::from(said.as_array().unwrap()[1..].to_vec());
    assert!(judge(&fewer, &sales).is_err(), "a call that was not made");
    let said: Vec<Said> = serde_json::from_value(said).unwrap();
    assert!(
        refused(&case, &said, &[]).is_err(),
        "answers of a greedy shop"
    );
}
