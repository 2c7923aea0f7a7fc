//! Payments through Permit2: what is sent, what comes back, and what the budget says afterwards.

use serde_json::{Value, json};
use x402_client::{
    Action, Budget, Charged, Error, EvmKind, Policy, Settlement, VoidRule, select::Refusal,
};
use x402_model::evm::EvmPayload;
use x402_model::evm::permit2::{EXACT_PERMIT2_PROXY, UPTO_PERMIT2_PROXY};
use x402_model::wire::headers::{DEFAULT_CAP, decode_value, encode};

use crate::seller::{
    Act, Seen, Seller, TOKEN, builder, client, offer, option, problem, report, served,
};

const HASH: &str = "0xabababababababababababababababababababababababababababababababab";

pub(crate) fn exact() -> Value {
    let mut option = option();
    option["extra"]["assetTransferMethod"] = json!("permit2");
    option
}

fn upto() -> Value {
    let mut option = exact();
    option["scheme"] = json!("upto");
    option["amount"] = json!("50000");
    option["extra"]["facilitatorAddress"] = json!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
    option
}

/// A seller of `option` that answers every paid request with `paid`.
pub(crate) async fn selling(option: Value, paid: Act) -> Seller {
    let seller = Seller::start(|_| Act::Drop).await;
    let offer = offer(&seller.url(), &[option]);
    seller.now(move |seen| match seen.paid {
        None => offer.clone(),
        Some(_) => paid.clone(),
    });
    seller
}

fn reported(amount: &Value, transaction: &str) -> Act {
    let body = json!({"success": true, "transaction": transaction, "network": "eip155:84532", "amount": amount});
    Act::Answer(200, vec![report(&body)], "paid content".into())
}

pub(crate) fn sent(seller: &Seller) -> Value {
    let seen = seller.seen();
    let payment = seen.iter().rev().find_map(Seen::payment).unwrap();
    decode_value(payment.as_bytes(), 4 * DEFAULT_CAP).unwrap()
}

#[tokio::test]
async fn an_exact_payment_is_signed_for_the_proxy_of_its_scheme() {
    let seller = selling(exact(), served()).await;
    let client = client();
    let answer = client.get(&seller.url()).send().await.unwrap();
    let receipt = answer.receipt().unwrap();
    assert_eq!(
        (receipt.kind, receipt.is_settled()),
        (EvmKind::Permit2Exact, true)
    );
    assert_eq!(receipt.charged, Some(receipt.amount));
    let EvmPayload::Permit2(payload) = EvmPayload::parse(&sent(&seller)["payload"]).unwrap() else {
        panic!("not through Permit2");
    };
    let signed = payload.authorization;
    assert_eq!(
        (signed.spender, signed.witness.facilitator()),
        (EXACT_PERMIT2_PROXY, None)
    );
    assert_eq!(signed.nonce.to_be_bytes::<32>(), receipt.nonce.0);
    assert_eq!(signed.permitted.token, receipt.asset);
    assert_eq!(signed.witness.to(), receipt.pay_to);
    assert_eq!(
        u64::try_from(signed.deadline).unwrap(),
        receipt.valid_before
    );
    assert_eq!(client.budget().spent(), "0.01");
}

#[tokio::test]
async fn an_upto_payment_costs_what_was_charged_and_the_rest_comes_back() {
    let seller = selling(upto(), reported(&json!("12345"), HASH)).await;
    let client = client();
    let answer = client.get(&seller.url()).send().await.unwrap();
    let receipt = answer.receipt().unwrap();
    assert_eq!(receipt.kind, EvmKind::Permit2Upto);
    assert_eq!(receipt.amount_text(), "0.05 USDC");
    assert_eq!(receipt.charged_text().as_deref(), Some("0.012345 USDC"));
    assert_eq!(client.budget().spent(), "0.012345");
    let EvmPayload::Permit2(payload) = EvmPayload::parse(&sent(&seller)["payload"]).unwrap() else {
        panic!("not through Permit2");
    };
    assert_eq!(payload.authorization.spender, UPTO_PERMIT2_PROXY);
    assert!(payload.authorization.witness.facilitator().is_some());
}

#[tokio::test]
async fn s09_an_upto_payment_takes_its_whole_ceiling_from_the_budget_until_it_settles() {
    let client = builder(Budget::new("0.05 USD", "0.05 USD").unwrap())
        .build()
        .unwrap();
    let silent = Act::Answer(200, Vec::new(), "paid content".into());
    let seller = selling(upto(), silent).await;
    let answer = client.get(&seller.url()).send().await.unwrap();
    assert_eq!(answer.receipt().unwrap().charged, None);
    assert_eq!(client.budget().remaining(), "0");
    let error = client.get(&seller.url()).send().await.unwrap_err();
    assert_eq!(
        (error.code(), error.charged()),
        ("nothing_acceptable", Charged::No)
    );
}

#[tokio::test]
async fn served_for_nothing_keeps_the_ceiling_until_the_authorization_is_void() {
    for (rule, after) in [(VoidRule::ProvenUnused, "0.05"), (VoidRule::Expired, "0")] {
        let seller = selling(upto(), reported(&json!("0"), "")).await;
        let clock = x402_client::time::ManualClock::at_ms(1_790_000_000_000);
        let budget = Budget::new("1.00 USD", "1.00 USD").unwrap();
        let client = builder(budget.void_rule(rule).void_margin(10))
            .clock(clock)
            .build()
            .unwrap();
        let answer = client.get(&seller.url()).send().await.unwrap();
        let receipt = answer.receipt().unwrap();
        assert_eq!(receipt.settlement, Settlement::Unused);
        assert_eq!(receipt.charged_text().as_deref(), Some("0 USDC"));
        let budget = client.budget();
        assert_eq!(budget.spent(), "0.05");
        budget.expire(receipt.valid_before + 9);
        assert_eq!(budget.spent(), "0.05", "it can still be used");
        budget.expire(receipt.valid_before + 10);
        assert_eq!(budget.spent(), after);
        let proven = budget.proven_unused(&receipt.nonce, receipt.valid_before + 10);
        assert_eq!(proven.is_ok(), rule == VoidRule::ProvenUnused);
        assert_eq!(budget.spent(), "0");
    }
}

#[tokio::test]
async fn s09_a_report_that_cannot_be_true_frees_nothing() {
    for (amount, transaction) in [
        (json!("50001"), HASH),
        (json!("-1"), HASH),
        (json!("0.5"), HASH),
        (json!("1"), ""),
        (json!("1"), "0x12"),
    ] {
        let seller = selling(upto(), reported(&amount, transaction)).await;
        let client = client();
        let answer = client.get(&seller.url()).send().await.unwrap();
        let receipt = answer.receipt().unwrap();
        assert_eq!(receipt.settlement, Settlement::Unreadable, "{amount}");
        assert_eq!(
            (receipt.charged, client.budget().spent().as_str()),
            (None, "0.05"),
            "{amount}"
        );
    }
}

/// 412 as the reference says it: in the terms.
fn reference_412(url: &str) -> Act {
    let terms = json!({
        "x402Version": 2, "error": "permit2_allowance_required", "resource": {"url": url}, "accepts": [exact()],
    });
    Act::Answer(
        412,
        vec![("PAYMENT-REQUIRED".into(), encode(&terms).unwrap())],
        "{}".into(),
    )
}

#[tokio::test]
async fn a06_a_missing_approval_ends_the_call_at_once_and_says_what_to_approve() {
    let ours = problem(
        412,
        r#"{"code":"permit2_allowance_required","charged":false,"action":"retry-same-id"}"#,
    );
    for answer in [None, Some(ours)] {
        let seller = Seller::start(|_| Act::Drop).await;
        let answer = answer.unwrap_or_else(|| reference_412(&seller.url()));
        let offer = offer(&seller.url(), &[exact()]);
        seller.now(move |seen| match seen.paid {
            None => offer.clone(),
            Some(_) => answer.clone(),
        });
        let client = client();
        let error = client.get(&seller.url()).send().await.unwrap_err();
        assert_eq!(error.code(), "approval_required");
        assert_eq!(
            (error.charged(), error.action()),
            (Charged::No, Action::AskHuman)
        );
        assert!(!error.is_retryable());
        assert_eq!(seller.payments(), (1, 1), "no retry loop");
        let Error::ApprovalRequired(required) = error else {
            panic!("another error");
        };
        assert_eq!(required.token().to_checksum(None), TOKEN);
        assert_eq!(
            required.spender().to_checksum(None),
            "0x000000000022D473030F116dDEE9F6B43aC78BA3"
        );
        assert_eq!(required.receipt.amount.to_string(), "10000");
        assert_eq!(required.receipt.network.to_string(), "eip155:84532");
        // The authorization can be used until it expires: an approval made later would let the seller take it.
        assert_eq!(client.budget().spent(), "0.01");
        // Once the approval is there, the very same payment pays.
        seller.now(|_| served());
        let answer = client.resume(required.pending).await.unwrap();
        assert!(answer.receipt().unwrap().is_settled());
        assert_eq!(seller.payments(), (2, 1));
        assert_eq!(client.budget().spent(), "0.01");
    }
}

#[tokio::test]
async fn a_412_of_the_handler_is_the_handlers_answer() {
    let precondition = Act::Answer(412, Vec::new(), "If-Match does not match".into());
    let seller = selling(exact(), precondition).await;
    let answer = client().get(&seller.url()).send().await.unwrap();
    assert_eq!(answer.status(), 412);
    // And a payment that does not go through Permit2 needs no approval of it, whatever the seller says.
    let odd = problem(
        412,
        r#"{"code":"permit2_allowance_required","charged":false}"#,
    );
    let seller = selling(option(), odd).await;
    let error = client().get(&seller.url()).send().await.unwrap_err();
    assert_eq!(error.code(), "refused");
}

#[tokio::test]
async fn a04_an_unknown_method_is_skipped_and_never_signed_as_eip3009() {
    let mut odd = option();
    odd["extra"]["assetTransferMethod"] = json!("erc7710");
    let seller = Seller::start(|_| Act::Drop).await;
    let both = offer(&seller.url(), &[odd.clone(), exact()]);
    seller.now(move |seen| match seen.paid {
        None => both.clone(),
        Some(_) => served(),
    });
    let answer = client().get(&seller.url()).send().await.unwrap();
    assert_eq!(answer.receipt().unwrap().kind, EvmKind::Permit2Exact);
    let alone = selling(odd, served()).await;
    let error = client().get(&alone.url()).send().await.unwrap_err();
    let Error::NothingAcceptable(refusals) = error else {
        panic!("another error");
    };
    assert_eq!(refusals.0, [Refusal::TransferMethod]);
    assert_eq!(alone.payments(), (0, 0));
}

#[tokio::test]
async fn a_buyer_who_wants_fixed_prices_pays_no_ceilings() {
    let seller = selling(upto(), served()).await;
    let client = builder(Budget::new("1.00 USD", "1.00 USD").unwrap())
        .policy(Policy::default().kinds([EvmKind::Eip3009Exact, EvmKind::Permit2Exact]))
        .build()
        .unwrap();
    let error = client.get(&seller.url()).send().await.unwrap_err();
    assert_eq!(error.code(), "nothing_acceptable");
    assert_eq!(seller.payments(), (0, 0));
}

#[tokio::test]
async fn stored_upto_payments_are_resumed_as_what_they_are() {
    let seller = selling(upto(), Act::Drop).await;
    let client = client();
    let error = client.get(&seller.url()).send().await.unwrap_err();
    assert_eq!(error.code(), "outcome_unknown");
    let stored = serde_json::to_string(error.pending().unwrap()).unwrap();
    seller.now(|_| reported(&json!("20000"), HASH));
    let answer = client
        .resume(serde_json::from_str(&stored).unwrap())
        .await
        .unwrap();
    assert_eq!(
        answer.receipt().unwrap().charged_text().as_deref(),
        Some("0.02 USDC")
    );
    assert_eq!(client.budget().spent(), "0.02");
    assert_eq!(seller.payments().1, 1);
}
