//! Credit at the gate: bought by one payment, spent by signed messages, each of which pays once.
#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;
#[path = "gate_plans/stand.rs"]
mod stand;

use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use common::Buyer;
use serde_json::json;
use stand::{BUY, Stand, address, sign, taken};
use tokio::task::JoinSet;
use x402_runtime::ledger::{Ledger, MemoryLedger, SqliteLedger};

async fn stand() -> Stand {
    Stand::open(Arc::new(MemoryLedger::new())).await
}

#[tokio::test]
async fn a_plan_is_bought_by_one_payment_and_spent_by_signed_messages() {
    let stand = stand().await;
    let terms = stand.get("/calls/x").await.terms();
    let told = &terms.extensions.as_ref().unwrap()["prepaid-credit"]["info"];
    assert_eq!(told["present"], "SIGN-IN-WITH-X");
    assert_eq!(
        told["plans"][0],
        json!({
            "id": "prepaid-1-usdc", "amount": "1 USDC", "credit": "1.1 USDC", "expiresSeconds": 15_552_000,
            "purchase": { "method": "POST", "path": BUY },
        })
    );
    let bought = stand.buy("", 7).await;
    assert_eq!(bought.status, 200, "{bought:?}");
    assert!(bought.settlement().is_some_and(|told| told.success));
    assert_eq!(
        bought.json(),
        json!({
            "plan": "prepaid-1-usdc", "credit": "1.1", "balance": "1.1", "unit": "USDC", "path": BUY, "network": "eip155:84532",
            "expiresAt": "2027-03-20T14:13:20.000Z", "payer": Buyer::new(7).checksum(),
        })
    );
    for left in ["1.09", "1.08"] {
        let answer = stand.spend("/calls/x", 7).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.settlement().is_none());
        assert_eq!(taken(&answer), ("0.01".to_owned(), left.to_owned()));
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.contains(&Buyer::new(7).address.to_string()), "{text}");
    }
    assert_eq!(stand.double.settles(), 1, "one payment on the chain");
    let balance = stand.balance(7).await;
    assert_eq!(
        (&balance["balance"], &balance["spent"], &balance["held"]),
        (&json!("1.08"), &json!("0.02"), &json!("0"))
    );
}

/// S13: an answer that looks like a sale is none, whatever the buyer writes into the terms that he repeats.
#[tokio::test]
async fn s13_a_payment_for_anything_else_sells_no_credit() {
    let stand = stand().await;
    let path = "/echo?size=small";
    let forged = json!({
        "plan": "tiny", "credit": "1000", "balance": "1000", "unit": "USDC", "path": BUY,
        "network": "eip155:84532", "payer": Buyer::new(7).checksum(),
    })
    .to_string();
    let mark = json!({ "id": "tiny", "credit": "1000 USDC" });
    // Clients may add to `extra`, and pay the seller's own terms then.
    for (place, status) in [
        ("/accepted/more", 402),
        ("/accepted/creditPlan", 402),
        ("/accepted/extra/creditPlan", 200),
    ] {
        let terms = stand.send("POST", path, ("", ""), &forged).await.terms();
        let payment = Buyer::new(7).pay(&terms, stand.now());
        let mut payment: serde_json::Value =
            serde_json::from_slice(&BASE64_STANDARD.decode(payment).unwrap()).unwrap();
        let (parent, name) = place.rsplit_once('/').unwrap();
        let value = if name == "more" {
            json!({ "creditPlan": mark })
        } else {
            mark.clone()
        };
        payment.pointer_mut(parent).unwrap()[name] = value;
        let payment = BASE64_STANDARD.encode(payment.to_string());
        let answer = stand
            .send("POST", path, ("PAYMENT-SIGNATURE", &payment), &forged)
            .await;
        let left = stand.balance(7).await;
        assert_eq!(left["balance"], "0", "{place}: {left}");
        assert_eq!(answer.status, status, "{place}: {answer:?}");
    }
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
    // As it stands in the terms, it is paid, and sells nothing either.
    let terms = stand.send("POST", path, ("", ""), &forged).await.terms();
    let payment = Buyer::new(7).pay(&terms, stand.now());
    let answer = stand
        .send("POST", path, ("PAYMENT-SIGNATURE", &payment), &forged)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let left = stand.balance(7).await;
    assert_eq!(left["balance"], "0", "{left}");
}

#[tokio::test]
async fn the_purchase_says_which_plan() {
    let stand = stand().await;
    let post = async |query: &str, body: &str| {
        stand
            .send("POST", &format!("{BUY}{query}"), ("", ""), body)
            .await
    };
    for (query, body, amount, plan) in [
        ("", "", "1000000", "prepaid-1-usdc"),
        ("?plan=tiny", "", "5000", "tiny"),
        ("", r#"{"plan":"tiny"}"#, "5000", "tiny"),
        ("", "{}", "1000000", "prepaid-1-usdc"),
        ("?plan=tiny", r#"{"plan":"prepaid-1-usdc"}"#, "5000", "tiny"),
    ] {
        let terms = post(query, body).await.terms();
        let view = terms.accepts[0].view().unwrap();
        assert_eq!(view.amount, amount, "{query} {body}");
        assert_eq!(view.extra["creditPlan"]["id"], plan);
        let payment = Buyer::new(9).pay(&terms, stand.now());
        let path = format!("{BUY}{query}");
        let bought = stand
            .send("POST", &path, ("PAYMENT-SIGNATURE", &payment), body)
            .await;
        assert_eq!(bought.json()["plan"], plan, "{bought:?}");
    }
    for (query, body) in [("?plan=none", ""), ("", "no json"), ("", r#"{"plan":1}"#)] {
        let answer = post(query, body).await;
        assert_eq!(answer.brief(), (400, "price_undetermined".to_owned()));
        assert!(answer.json()["explanation"].is_string());
    }
    // A payment for one plan does not buy another.
    let terms = post("?plan=tiny", "").await.terms();
    let payment = Buyer::new(9).pay(&terms, stand.now());
    let cheap = stand
        .send("POST", BUY, ("PAYMENT-SIGNATURE", &payment), "")
        .await;
    assert_eq!(cheap.brief(), (402, "no_matching_requirements".to_owned()));
}

#[tokio::test]
async fn a_purchase_presented_again_is_booked_once() {
    let stand = stand().await;
    let terms = stand.send("POST", BUY, ("", ""), "").await.terms();
    let payment = Buyer::new(7).pay(&terms, stand.now());
    let header = ("PAYMENT-SIGNATURE", payment.as_str());
    let first = stand.send("POST", BUY, header, "").await;
    for _ in 0..3 {
        assert_eq!(stand.send("POST", BUY, header, "").await.body, first.body);
        stand.clock.advance_ms(5_000);
        stand.paywall.recover().await;
    }
    assert_eq!(stand.balance(7).await["balance"], "1.1");
    assert_eq!(stand.buy("", 7).await.json()["balance"], "2.2");
    assert_eq!(stand.balance(7).await["balance"], "2.2");
    assert_eq!(stand.balance(8).await["balance"], "0", "nobody else's");
}

#[tokio::test]
async fn a_message_sent_again_shows_the_same_answer_and_takes_nothing_more() {
    let stand = stand().await;
    stand.buy("", 7).await;
    let message = stand.message("/calls/x", 7).await;
    let first = stand.show("/calls/x?a=1&b=2", &message).await;
    assert_eq!((first.status, taken(&first).1), (200, "1.09".to_owned()));
    for path in ["/calls/x?a=1&b=2", "/calls/x?b=2&a=1"] {
        let again = stand.show(path, &message).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
        assert_eq!(again.headers, first.headers);
    }
    // Long after the message is too old for anything new, and after the record is final.
    stand.clock.advance_ms(400_000);
    stand.paywall.recover().await;
    let late = stand.show("/calls/x?a=1&b=2", &message).await;
    assert_eq!((late.status, &late.body), (200, &first.body));
    assert_eq!((stand.runs(), taken(&late).1), (1, "1.09".to_owned()));
}

/// A message that somebody got hold of buys nothing else.
#[tokio::test]
async fn a_message_pays_for_one_request_only() {
    let stand = stand().await;
    stand.buy("", 7).await;
    let message = stand.message("/calls/x", 7).await;
    // Meant for another path.
    assert_eq!(stand.show("/calls/y", &message).await.status, 402);
    assert_eq!(stand.show("/calls/x", &message).await.status, 200);
    let other = stand.show("/calls/x?more=1", &message).await;
    assert_eq!(
        other.brief(),
        (409, "payment_reused_for_other_request".to_owned())
    );
    // Neither twice, nor late, nor for somebody else's credit.
    let late = stand.message("/calls/x", 7).await;
    stand.clock.advance_ms(300_001);
    assert_eq!(stand.show("/calls/x", &late).await.status, 402);
    assert_eq!(stand.spend("/calls/x", 8).await.status, 402);
    let doubled = stand.message("/calls/x", 7).await;
    let request = axum::http::Request::get("/calls/x")
        .header("SIGN-IN-WITH-X", &doubled)
        .header("SIGN-IN-WITH-X", &doubled);
    let request = request.body(axum::body::Body::empty()).unwrap();
    assert_eq!(common::shop::send(&stand.app, request).await.status, 402);
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
    assert_eq!(stand.balance(7).await["balance"], "1.09");
}

#[tokio::test]
async fn bodies_are_part_of_the_request_that_a_message_pays_for() {
    let stand = stand().await;
    stand.buy("", 7).await;
    let terms = stand.send("POST", "/others", ("", ""), "a").await.terms();
    let message = sign(&terms, 7);
    let header = ("SIGN-IN-WITH-X", message.as_str());
    let first = stand.send("POST", "/others", header, "a").await;
    assert_eq!((&first.body[..], taken(&first).1), (&b"a"[..], "1".into()));
    assert_eq!(stand.send("POST", "/others", header, "b").await.status, 409);
    assert_eq!(stand.send("POST", "/others", header, "a").await, first);
    assert_eq!(stand.runs(), 1);
}

#[tokio::test]
async fn a_call_that_fails_takes_nothing() {
    let ledger = Arc::new(MemoryLedger::new());
    let stand = Stand::open_with(ledger, Duration::from_millis(300)).await;
    stand.buy("", 7).await;
    for (path, wanted) in [
        ("/calls/bad", (400, "")),
        ("/calls/panic", (500, "handler_panicked")),
        ("/calls/hang", (504, "handler_timeout")),
    ] {
        let message = stand.message(path, 7).await;
        let answer = stand.show(path, &message).await;
        assert_eq!(answer.brief(), (wanted.0, wanted.1.to_owned()), "{path}");
        answer.assert_no_canary();
        assert!(answer.header("x402-credit").is_none());
        // The message is used up all the same: the same request needs another one.
        assert_eq!(stand.show(path, &message).await.status, 402, "{path}");
    }
    let balance = stand.balance(7).await;
    assert_eq!(
        (&balance["balance"], &balance["held"]),
        (&json!("1.1"), &json!("0"))
    );
}

#[tokio::test]
async fn too_little_credit_is_answered_with_terms_that_say_so() {
    let stand = stand().await;
    stand.buy("?plan=tiny", 7).await;
    let answer = stand.spend("/calls/x", 7).await;
    assert_eq!(answer.brief(), (402, "payment_required".to_owned()));
    assert_eq!(
        answer.json()["explanation"],
        "The call costs 0.01 USDC, and 0.005 USDC of your credit is left. Nothing was taken from it."
    );
    assert_eq!(
        answer.json()["credit"],
        json!({ "balance": "0.005", "price": "0.01", "unit": "USDC" })
    );
    let terms = answer.terms();
    assert_eq!(terms.accepts.len(), 1);
    let payment = Buyer::new(7).pay(&terms, stand.now());
    let paid = stand
        .send("GET", "/calls/x", ("PAYMENT-SIGNATURE", &payment), "")
        .await;
    assert_eq!((paid.status, paid.settlement().is_some()), (200, true));
    assert!(
        paid.header("x402-credit").is_none(),
        "not the handler's to say"
    );
    assert_eq!(stand.balance(7).await["balance"], "0.005");
}

#[tokio::test]
async fn free_calls_go_first_then_credit_then_payment() {
    let stand = stand().await;
    stand.buy("?plan=tiny", 7).await;
    stand.buy("?plan=tiny", 7).await;
    let free = stand.spend("/mixed", 7).await;
    assert_eq!((free.status, free.header("x402-credit")), (200, None));
    let message = stand.message("/mixed", 7).await;
    let first = stand.show("/mixed", &message).await;
    assert_eq!(taken(&first), ("0.01".to_owned(), "0".to_owned()));
    assert_eq!(stand.show("/mixed", &message).await, first);
    assert_eq!(stand.spend("/mixed", 7).await.status, 402);
    assert_eq!(stand.runs(), 2);
    // A message that a free call used up pays for nothing.
    stand.buy("", 8).await;
    let message = stand.message("/mixed", 8).await;
    assert_eq!(stand.show("/mixed", &message).await.status, 200);
    assert_eq!(stand.show("/mixed", &message).await.status, 402);
    assert_eq!(stand.balance(8).await["balance"], "1.1");
}

#[tokio::test]
async fn a_price_that_depends_on_the_request_is_taken_exactly() {
    let stand = stand().await;
    stand.buy("", 7).await;
    for (path, wanted) in [
        ("/sized?size=small", ("0.01", "1.09")),
        ("/sized?size=large", ("0.03", "1.06")),
    ] {
        let answer = stand.spend(path, 7).await;
        let wanted = (wanted.0.to_owned(), wanted.1.to_owned());
        assert_eq!((answer.status, taken(&answer)), (200, wanted), "{path}");
    }
    let message = stand.message("/sized?size=small", 7).await;
    assert_eq!(stand.show("/sized?size=odd", &message).await.status, 400);
    let poor = stand.spend("/sized?size=large", 8).await;
    assert_eq!(poor.json()["credit"]["price"], "0.03", "{poor:?}");
}

#[tokio::test]
async fn of_a_metered_call_the_ceiling_is_held_and_what_was_metered_is_taken() {
    let stand = stand().await;
    stand.buy("", 7).await;
    for (path, wanted) in [
        ("/metered?n=3", ("0.003", "1.097")),
        ("/metered?n=5&how=stream", ("0.005", "1.092")),
        // Nothing was used, so nothing is taken.
        ("/metered?n=0", ("0", "1.092")),
        ("/metered?n=1000", ("0.02", "1.072")),
    ] {
        let message = stand.message(path, 7).await;
        let answer = stand.show(path, &message).await;
        assert_eq!(answer.status, 200, "{path} {answer:?}");
        assert_eq!(taken(&answer), (wanted.0.to_owned(), wanted.1.to_owned()));
        assert_eq!(&answer.body[..], b"data: x\n\n");
        assert_eq!(stand.show(path, &message).await, answer, "{path}");
    }
    assert_eq!((stand.runs(), stand.double.settles()), (4, 1));
    let balance = stand.balance(7).await;
    assert_eq!(
        (&balance["held"], &balance["spent"]),
        (&json!("0"), &json!("0.028"))
    );
    // Less than the ceiling is too little.
    stand.buy("?plan=tiny", 8).await;
    let poor = stand.spend("/metered?n=1", 8).await;
    assert_eq!(
        (poor.status, &poor.json()["credit"]["price"]),
        (402, &json!("0.02"))
    );
}

#[tokio::test]
async fn credit_ends_when_its_time_is_over_and_rests_are_put_together() {
    let stand = stand().await;
    stand.buy("?plan=soon", 7).await;
    stand.buy("?plan=tiny", 7).await;
    // Two rests pay for one call.
    assert_eq!(taken(&stand.spend("/calls/x", 7).await).1, "0");
    stand.buy("?plan=soon", 7).await;
    stand.buy("?plan=tiny", 7).await;
    stand.clock.advance_ms(3_600_000);
    let balance = stand.balance(7).await;
    assert_eq!(
        (&balance["balance"], &balance["expired"], &balance["spent"]),
        (&json!("0.005"), &json!("0.005"), &json!("0.01"))
    );
    assert_eq!(stand.spend("/calls/x", 7).await.status, 402);
}

#[tokio::test]
async fn what_is_left_can_be_taken_back_by_the_seller() {
    let stand = stand().await;
    stand.buy("", 7).await;
    stand.spend("/calls/x", 7).await;
    let credits = stand.paywall.credits();
    for _ in 0..2 {
        // The same refund is told again, and takes nothing more.
        let refunds = credits.refund(address(7), "ticket-1").await.unwrap();
        let [refund] = refunds.as_slice() else {
            panic!("{refunds:?}")
        };
        assert_eq!((refund.amount(), &*refund.unit), ("1.09".into(), "USDC"));
    }
    assert_eq!(stand.spend("/calls/x", 7).await.status, 402);
    let purse = credits.balances(address(7)).await.unwrap().remove(0);
    assert_eq!((purse.balance(), purse.lots.len()), ("0".into(), 0));
    let told = stand.balance(7).await;
    assert_eq!(
        (&told["refunded"], &told["spent"]),
        (&json!("1.09"), &json!("0.01"))
    );
    assert!(
        credits
            .refund(address(8), "ticket-2")
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn balances_are_shown_to_their_holder_only() {
    let stand = stand().await;
    let unsigned = stand.get(BUY).await;
    assert_eq!(unsigned.status, 402);
    assert!(unsigned.terms().accepts.is_empty());
    assert_eq!(unsigned.header("cache-control"), Some("private, no-store"));
    let message = sign(&unsigned.terms(), 7);
    let told = stand.show(BUY, &message).await;
    assert_eq!(told.json()["payer"], Buyer::new(7).checksum());
    assert_eq!(told.header("cache-control"), Some("private, no-store"));
    assert_eq!(stand.show(BUY, &message).await.status, 402, "used up");
}

/// With credit for exactly 100 of 256 concurrent calls, exactly 100 are served from it.
async fn exact(ledger: Arc<dyn Ledger>) {
    let stand = Arc::new(Stand::open(ledger).await);
    for _ in 0..200 {
        assert_eq!(stand.buy("?plan=tiny", 7).await.status, 200);
        stand.clock.advance_ms(1);
    }
    let mut calls = JoinSet::new();
    for _ in 0..256 {
        let stand = Arc::clone(&stand);
        let message = stand.message("/calls/x", 7).await;
        calls.spawn(async move { stand.show("/calls/x", &message).await });
    }
    let answers = calls.join_all().await;
    let with = |status| answers.iter().filter(|one| one.status == status).count();
    assert_eq!((with(200), with(402)), (100, 156));
    assert_eq!(stand.runs(), 100);
    let balance = stand.balance(7).await;
    assert_eq!(
        (&balance["balance"], &balance["spent"], &balance["held"]),
        (&json!("0"), &json!("1"), &json!("0"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_256_concurrent_calls_as_many_are_served_as_there_is_credit_for() {
    exact(Arc::new(MemoryLedger::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_256_concurrent_calls_as_many_are_served_as_there_is_credit_for_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(folder.path().join("l.sqlite")).unwrap();
    exact(Arc::new(ledger)).await;
}

/// 256 senders of one message run the handler once and take the price once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_256_senders_of_one_message_one_is_served_and_all_others_hear_the_same() {
    let stand = Arc::new(stand().await);
    stand.buy("", 7).await;
    let message = stand.message("/calls/wait", 7).await;
    let mut calls = JoinSet::new();
    for _ in 0..256 {
        let (stand, message) = (Arc::clone(&stand), message.clone());
        calls.spawn(async move { stand.show("/calls/wait", &message).await });
    }
    stand.runs.door.add_permits(1);
    let answers = calls.join_all().await;
    assert!(
        answers
            .iter()
            .all(|one| one.status == 200 || one.brief() == (409, "payment_in_progress".into())),
        "{answers:?}"
    );
    assert!(answers.iter().any(|one| one.status == 200));
    assert_eq!(stand.show("/calls/wait", &message).await.status, 200);
    assert_eq!(stand.runs(), 1);
    assert_eq!(stand.balance(7).await["balance"], "1.09");
}

#[tokio::test]
async fn credit_and_answers_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Arc::new(SqliteLedger::open(folder.path().join("l.sqlite")).unwrap());
    let stand = Stand::open(open()).await;
    stand.buy("", 7).await;
    let message = stand.message("/calls/x", 7).await;
    let first = stand.show("/calls/x", &message).await;
    assert!(stand.paywall.shutdown().await);
    drop(stand);
    let stand = Stand::open(open()).await;
    let again = stand.show("/calls/x", &message).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(stand.runs(), 0);
    assert_eq!(taken(&stand.spend("/calls/x", 7).await).1, "1.08");
}

/// A holder that goes away changes nothing: the call ends, is paid, and can be had by the same message.
#[tokio::test]
async fn a_lost_answer_is_had_again_by_the_same_message() {
    let stand = Arc::new(stand().await);
    stand.buy("", 7).await;
    let message = stand.message("/calls/wait", 7).await;
    let call = tokio::spawn({
        let (stand, message) = (Arc::clone(&stand), message.clone());
        async move { stand.show("/calls/wait", &message).await }
    });
    common::shop::until(|| stand.runs() == 1).await;
    call.abort();
    assert!(call.await.is_err());
    let meanwhile = stand.show("/calls/wait", &message).await;
    assert_eq!(meanwhile.brief(), (409, "payment_in_progress".to_owned()));
    assert_eq!(stand.balance(7).await["held"], "0.01");
    stand.runs.door.add_permits(1);
    for _ in 0..2_000 {
        let answer = stand.show("/calls/wait", &message).await;
        if answer.status == 200 {
            assert_eq!(&answer.body[..], b"waited");
            assert_eq!(taken(&answer).1, "1.09");
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came");
}
