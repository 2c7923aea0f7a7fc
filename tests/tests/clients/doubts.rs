//! Whether this gate can fail: shops that are treated in another way than agreed on, and drivers that do not tell the truth.

use alloy_primitives::Address;
use serde_json::{Value, json};
use x402_model::money::AtomicAmount;
use x402_tests::shop::{Manners, Quote, Sale, Settled, Shop};

use crate::golden;
use crate::plan::{self, Call, Case};
use crate::round::{Said, refused, verdict};

fn case(name: &str) -> Case {
    let mut all = plan::cases().into_iter();
    all.find(|case| case.name == name).expect("a golden case")
}

#[test]
fn nothing_that_a_golden_case_sells_is_left_out() {
    let all = plan::cases();
    let names: Vec<&str> = all.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, golden::cases());
    for case in all {
        for (at, endpoint) in case.model.endpoints.iter().enumerate() {
            let mut own = case.calls.iter().filter(|call| call.endpoint == at);
            assert!(
                own.any(|call| call.ends.is_none()),
                "{} of {}",
                endpoint.id,
                case.name
            );
        }
    }
}

/// What a shop that expects calls of some endpoint says at the end when it was called in this way, before anything else.
async fn complaint(case: &Case, id: &str, path: &str, header: Option<[&str; 2]>) -> String {
    let mut visits = case.visits();
    visits.retain(|visit| visit.endpoint == id);
    let shop = Shop::open(case.manifest.clone(), visits, Manners::Honest).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.get(format!("{}{path}", shop.origin()));
    if let Some([name, value]) = header {
        request = request.header(name, value);
    }
    request.send().await.unwrap();
    shop.close()
        .await
        .map_or_else(|why| why, |sales| format!("{} sales", sales.len()))
}

#[tokio::test]
async fn a_shop_complains_of_whatever_was_not_agreed_on() {
    let (free, paged) = (case("price_free"), case("pagination"));
    let payment = Some(["payment-signature", "e30="]);
    for (case, id, path, header, said) in [
        (&free, "status", "/status", None, "1 sales"),
        (&free, "status", "/status?x=1", None, "the query are"),
        (&free, "status", "/status", payment, "is free"),
        (&free, "status", "/nothing", None, "is no endpoint"),
        (&paged, "list", "/items", None, "0 sales"),
        (&paged, "list", "/items?limit=1", None, "the query are"),
        (&paged, "list", "/items", payment, "the payment: "),
        (&paged, "list", "/walk", None, "was called instead of list"),
    ] {
        let complaint = complaint(case, id, path, header).await;
        assert!(complaint.contains(said), "{path}: {complaint}");
    }
}

#[tokio::test]
async fn a_shop_complains_of_a_request_that_is_another_one_on_the_wire() {
    let (shapes, foreign) = (case("openapi_shapes"), case("openapi_foreign"));
    let trace = Some(["x-trace", "t"]);
    for (case, id, path, header, said) in [
        (
            &shapes,
            "compare",
            "/compare/a%2Fb...c?beta=true",
            None,
            "1 sales",
        ),
        (
            &shapes,
            "compare",
            "/compare/a%2Fb...c?beta=true",
            trace,
            "1 sales",
        ),
        (
            &shapes,
            "compare",
            "/compare/a%2Fb...c",
            None,
            "the request is",
        ),
        (
            &shapes,
            "compare",
            "/compare/a%2fb...c?beta=true",
            None,
            "the request is",
        ),
        (
            &shapes,
            "compare",
            "/compare/a/b...c?beta=true",
            None,
            "is no endpoint",
        ),
        (&shapes, "find", "/find/x", None, "0 sales"),
        (&shapes, "find", "/find/x?ids=", None, "the request is"),
        (&shapes, "find", "/find/x", trace, "x-trace is"),
        (&foreign, "partial", "/plain/oslo.txt", None, "1 sales"),
        (&foreign, "partial", "/plain/oslo", None, "is no endpoint"),
        (
            &foreign,
            "partial",
            "/plain/oslo.txt.txt",
            None,
            "the captures are",
        ),
    ] {
        let complaint = complaint(case, id, path, header).await;
        assert!(complaint.contains(said), "{path}: {complaint}");
    }
}

/// What shop and driver of a case of flat prices say if all is well.
fn well(case: &Case, price: u128) -> (Vec<Sale>, Value) {
    let amount = AtomicAmount::from_u128(price);
    let text = amount.to_decimal(6);
    let quote = json!({"kind": "exact", "most": text});
    let (mut sales, mut said) = (Vec::new(), Vec::new());
    for (number, call) in case.calls.iter().enumerate() {
        let mut receipts = Vec::new();
        for visit in &call.visits {
            let settled = Settled {
                network: "eip155:84532".to_owned(),
                asset: Address::repeat_byte(1),
                pay_to: Address::repeat_byte(2),
                decimals: 6,
                offered: amount,
                charged: amount,
                transaction: format!("0x{:064x}", sales.len()),
            };
            receipts.push(json!({
                "amount": text, "charged": text, "network": settled.network, "asset": settled.asset,
                "payTo": settled.pay_to, "transaction": settled.transaction,
            }));
            sales.push(Sale {
                endpoint: visit.endpoint.clone(),
                quote: serde_json::from_value::<Quote>(quote.clone()).unwrap(),
                payment: Some(settled),
            });
        }
        let values = call.visits.iter().map(|visit| &visit.output);
        let error = call.ends.map(|end| {
            let receipt = receipts.last().filter(|_| end.charged);
            json!({"code": end.code, "text": "", "charged": end.charged, "receipt": receipt})
        });
        said.push(json!({
            "case": case.name, "call": number, "quote": quote, "values": values.collect::<Vec<_>>(), "error": error,
            "receipts": receipts,
        }));
    }
    (sales, said.into())
}

#[test]
fn a_client_that_takes_a_wrong_page_for_the_last_one_fails() {
    let mut case = case("pagination");
    let charged = |call: &Call| call.ends.is_some_and(|end| end.charged);
    case.calls.retain(charged);
    let broken = |call: &Call| call.ends.is_some_and(|end| end.broken);
    let (roll, walk) = (case.calls.iter().position(broken).unwrap(), 0);
    assert!(case.calls.len() == 7 && roll != walk);
    let (sales, said) = well(&case, 2_000);
    let judge = |places: &[(&str, usize, Value)]| {
        let mut said = said.clone();
        for (place, call, lie) in places {
            *said[call].pointer_mut(place).expect("a place") = lie.clone();
        }
        let said: Vec<Said> = serde_json::from_value(said).unwrap();
        verdict(&case, &said, &sales)
    };
    assert_eq!(judge(&[]), Ok(()));
    let receipt = |page: usize| said[walk]["receipts"][page].clone();
    for (place, lie) in [
        ("/error", Value::Null),
        ("/error/code", json!("spend_cap_reached")),
        ("/error/charged", json!(false)),
        ("/error/charged", json!("maybe")),
        ("/error/receipt", Value::Null),
        ("/error/receipt", receipt(0)),
        ("/values/0/meta", json!({"next": 8})),
    ] {
        assert!(judge(&[(place, walk, lie)]).is_err(), "{place}");
    }
    // Whoever reads by the schema gives the error alone, but of no other page.
    let first = |call: usize, name: &str| json!([said[call][name][0]]);
    let alone =
        |call: usize| ["/values", "/receipts"].map(|place| (place, call, first(call, &place[1..])));
    assert_eq!(judge(&alone(roll)), Ok(()));
    assert!(judge(&alone(walk)).is_err());
    assert!(judge(&alone(roll)[..1]).is_err());
}

#[test]
fn a_client_that_says_anything_else_than_what_was_settled_fails() {
    let case = case("euro");
    let (sales, said) = well(&case, 250_000);
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
        (
            "/2/error",
            json!({"code": "unexpected_answer", "text": "", "charged": true, "receipt": null}),
        ),
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
