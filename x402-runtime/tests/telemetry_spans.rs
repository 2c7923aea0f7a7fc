//! What a seller's log shows of a payment, and what it never shows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    dead_code,
    unreachable_pub,
    reason = "a test fails by panicking, a list of refusals is as long as it is, and the recorder can do more than is needed"
)]

#[path = "common/all.rs"]
mod common;
#[cfg(feature = "http")]
#[path = "http_support/provider.rs"]
mod provider;
#[path = "telemetry_support/tree.rs"]
mod tree;
#[path = "common/witness.rs"]
mod witness;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::double::{refusal, silence};
use common::{Buyer, NOW, Script, Stand};
use tree::{Seen, Tree};
use witness::{Act, Witness};
use x402_runtime::facilitator::{Evidence, FacilitatorError};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::wire::headers::{decode_value, encode};
use x402_runtime::telemetry::{EVENTS, SPANS, event, span};

/// Everything with a name of ours is in the tables, with its level and exactly its fields.
fn assert_documented(all: &[Seen]) {
    for seen in all.iter().filter(|seen| seen.name.starts_with("x402.")) {
        let fields: Vec<&str> = seen.declared.iter().map(String::as_str).collect();
        if seen.is_span {
            let known = SPANS.iter().find(|known| known.name == seen.name);
            let known = known.unwrap_or_else(|| panic!("{} is not in SPANS", seen.name));
            assert_eq!(
                (known.level, known.fields),
                (&*seen.level, &*fields),
                "{}",
                seen.name
            );
        } else {
            let known = EVENTS.iter().find(|known| known.name == seen.name);
            let known = known.unwrap_or_else(|| panic!("{} is not in EVENTS", seen.name));
            assert!(
                known.level.split(", ").any(|level| level == seen.level),
                "{seen:?}"
            );
            for field in fields {
                assert!(known.fields.contains(&field), "{}: {field}", seen.name);
            }
        }
    }
}

/// Nothing that could be presented, and nobody's address, is in the log.
fn assert_clean(tree: &Tree, payment: &str, buyer: &Buyer) {
    let text = tree.text().to_ascii_lowercase();
    let header = payment.to_ascii_lowercase();
    assert!(!text.contains(&header[..100]), "the payment header");
    let payload = decode_value(payment.as_bytes(), usize::MAX).unwrap();
    let signature = payload["payload"]["signature"].as_str().unwrap();
    assert!(
        !text.contains(&signature[2..].to_ascii_lowercase()),
        "the signature"
    );
    let payer = buyer.address.to_string().to_ascii_lowercase();
    assert!(!text.contains(&payer[2..]), "the payer");
    assert!(
        !text.contains("canary-query") && !text.contains("canary-body"),
        "{text}"
    );
}

#[tokio::test]
async fn a_paid_call_is_one_tree_of_spans() {
    let stand = Stand::open().await;
    stand.double.check_first.store(true, Ordering::SeqCst);
    let buyer = Buyer::new(7);
    let payment = buyer.pay(&stand.terms("POST", "/echo").await, NOW);
    let (tree, _guard) = Tree::record();
    let answer = stand
        .call(
            "POST",
            "/echo?key=canary-query",
            Some(&payment),
            "canary-body",
        )
        .await;
    assert_eq!(answer.status, 200);

    let present = tree.one(span::PRESENT);
    assert_eq!(present.parent, None);
    assert_eq!(present.field("endpoint"), "echo");
    assert_eq!(present.field("version"), "2");
    assert_eq!(present.field("network"), "eip155:84532");
    let payload = decode_value(payment.as_bytes(), usize::MAX).unwrap();
    let authorization = &payload["payload"]["authorization"];
    assert_eq!(
        present.field("nonce"),
        authorization["nonce"].as_str().unwrap()
    );
    assert_eq!(
        present.field("asset"),
        payload["accepted"]["asset"].as_str().unwrap()
    );
    assert!(present.field("payment").starts_with("pay_"));

    for (name, fields) in [
        (span::VERIFY, vec![("outcome", "valid")]),
        (span::HANDLER, vec![("endpoint", "echo")]),
        (
            span::SETTLEMENT,
            vec![
                ("outcome", "settled"),
                ("payment", present.field("payment")),
            ],
        ),
    ] {
        let child = tree.one(name);
        assert_eq!(child.parent.as_deref(), Some(span::PRESENT), "{name}");
        for (field, value) in fields {
            assert_eq!(child.field(field), value, "{name}");
        }
    }
    tree.one(span::SETTLEMENT)
        .field("duration_ms")
        .parse::<u64>()
        .unwrap();
    let settle = tree.one(event::SETTLE);
    assert_eq!(settle.parent.as_deref(), Some(span::PRESENT));
    assert_eq!(settle.field("payment"), present.field("payment"));
    assert_eq!(tree.one(event::PAYMENT).field("outcome"), "paid");
    assert_documented(&tree.all());
    assert_clean(&tree, &payment, &buyer);
}

#[tokio::test]
async fn t09_no_way_to_be_refused_or_unheard_logs_the_payment() {
    let (tree, _guard) = Tree::record();
    let ledger = Arc::new(MemoryLedger::new().with_max_records(5));
    let stand = Stand::open_with(ledger, |builder| builder).await;
    let buyer = Buyer::new(7);
    let terms = stand.terms("GET", "/news").await;
    let path = "/news?key=canary-query";
    let mut payments = Vec::new();
    let present = async |payments: &mut Vec<String>, status: u16| {
        let payment = buyer.pay(&terms, NOW);
        assert_eq!(stand.get(path, Some(&payment)).await.status, status);
        payments.push(payment);
    };
    for (script, status) in [
        (
            Script::Say(refusal("invalid_exact_evm_insufficient_balance")),
            402,
        ),
        (silence(), 503),
        (Script::Settle, 200),
    ] {
        stand.double.script([script]);
        present(&mut payments, status).await;
    }
    stand.double.refuse_check("invalid_payload");
    present(&mut payments, 402).await;
    *stand.double.verdict.lock().unwrap() = Err(FacilitatorError::Timeout);
    present(&mut payments, 503).await;
    stand.double.check_first.store(false, Ordering::SeqCst);
    present(&mut payments, 200).await;
    present(&mut payments, 200).await;
    // The ledger is full.
    present(&mut payments, 503).await;
    // Unpaid, unreadable, doubled, spoilt, late.
    stand.get(path, None).await;
    stand.get(path, Some("canary-body")).await;
    stand
        .get(path, Some(&format!("{0},{0}", payments[0])))
        .await;
    let mut spoilt = decode_value(payments[0].as_bytes(), usize::MAX).unwrap();
    spoilt["payload"]["authorization"] = "canary-body".into();
    stand.get(path, Some(&encode(&spoilt).unwrap())).await;
    stand.clock.advance_ms(400_000);
    stand.get(path, Some(&payments[0])).await;
    stand.paywall.recover().await;
    stand.paywall.shutdown().await;

    for payment in &payments {
        assert_clean(&tree, payment, &buyer);
    }
    assert_documented(&tree.all());
    for name in [
        event::STARTED,
        event::RECOVERED,
        event::UNPAID,
        event::REFUSED,
        event::UNDECODABLE,
        event::MALFORMED,
        event::INVALID,
        event::VERIFY_FAILED,
        event::LEDGER_FAILED,
        event::SETTLE,
        event::PAYMENT,
        event::SHUTDOWN,
    ] {
        assert!(!tree.named(name).is_empty(), "{name}");
    }
    let verified = tree.named(span::VERIFY).into_iter();
    let verified: Vec<String> = verified
        .map(|seen| seen.field("outcome").to_owned())
        .collect();
    assert_eq!(verified, ["invalid", "failed"]);
    let outcomes: Vec<String> = tree
        .named(span::SETTLEMENT)
        .iter()
        .map(|seen| seen.field("outcome").to_owned())
        .collect();
    assert_eq!(outcomes[..3], ["refused", "unknown", "settled"]);
}

#[tokio::test]
async fn the_resolver_works_in_a_span_and_names_the_payment() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    stand.double.script([silence()]);
    assert_eq!(stand.get("/news", Some(&payment)).await.status, 503);
    stand.clock.advance_ms(20_000);
    stand.double.show(Evidence::Paid {
        transaction: "0x".to_owned() + &"cd".repeat(32),
        confirmations: 1,
    });
    let (tree, _guard) = Tree::record();
    assert_eq!(stand.paywall.recover().await.moved, 1);
    let looks = tree.named(span::RESOLVE);
    assert_eq!(
        (looks[0].field("looked_at"), looks[0].field("moved")),
        ("1", "1")
    );
    let resolved = tree.one(event::RESOLVED);
    assert_eq!(resolved.parent.as_deref(), Some(span::RESOLVE));
    assert_eq!(
        (resolved.field("from"), resolved.field("event")),
        ("unknown", "evidence")
    );
    assert!(resolved.field("payment").starts_with("pay_"));
    assert_documented(&tree.all());
}

#[cfg(feature = "http")]
#[tokio::test]
async fn a_call_to_a_provider_is_a_span_and_its_odd_answers_are_logged() {
    use provider::{Do, Provider, json};
    use serde_json::json as value;
    use x402_runtime::facilitator::http::{BearerToken, HttpFacilitator};
    use x402_runtime::facilitator::{Facilitator as _, FacilitatorRequest};

    let request = FacilitatorRequest {
        x402_version: 2,
        payload: value!({ "signature": "canary-body" }).into(),
        requirements: value!({}).into(),
    };
    let echo = Do::Say(502, vec![], b"upstream words, CANARY-secret-token".to_vec());
    let provider = Provider::start([echo, json(200, &value!({ "isValid": true }))]);
    let facilitator = HttpFacilitator::builder(&provider.url)
        .auth(BearerToken::from_token("CANARY-secret-token").unwrap())
        .build()
        .unwrap();
    let (tree, _guard) = Tree::record();
    assert!(facilitator.verify(&request).await.is_err());
    assert!(facilitator.verify(&request).await.is_ok());
    let host = provider.url.strip_prefix("http://").unwrap();
    let host = host.strip_suffix("/x402").unwrap();
    let calls = tree.named(span::FACILITATOR_CALL);
    for (call, (status, outcome)) in calls.iter().zip([("502", "5xx"), ("200", "2xx")]) {
        assert_eq!(call.field("provider"), host);
        assert_eq!(call.field("operation"), "verify");
        assert_eq!(
            (call.field("status"), call.field("outcome")),
            (status, outcome)
        );
        call.field("duration_ms").parse::<u64>().unwrap();
    }
    assert_eq!(calls.len(), 2);
    let odd = tree.one(event::FACILITATOR_ANSWER);
    assert_eq!(odd.field("excerpt"), "upstream words, <redacted>");
    assert_documented(&tree.all());
    assert!(!tree.text().contains("CANARY") && !tree.text().contains("canary"));
}

#[tokio::test]
async fn a_hook_that_fails_is_told_to_the_seller_with_its_payment() {
    let witness = Arc::new(Witness::default());
    let hooks = Arc::clone(&witness);
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.hooks(hooks)
    })
    .await;
    let buyer = Buyer::new(7);
    let payment = buyer.pay(&stand.terms("GET", "/news").await, NOW);
    let (tree, _guard) = Tree::record();
    witness.says(Act::Yes, Act::Fail);
    assert_eq!(stand.get("/news", Some(&payment)).await.status, 503);
    let failed = tree.one(event::HOOK_FAILED);
    assert_eq!(failed.field("hook"), "after_verify");
    assert_eq!(failed.field("endpoint"), "news");
    assert!(failed.field("payment").starts_with("pay_"));
    assert!(!failed.field("error").is_empty());
    assert_documented(&tree.all());
    assert_clean(&tree, &payment, &buyer);
}
