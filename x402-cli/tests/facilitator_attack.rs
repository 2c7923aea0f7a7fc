//! The facilitator under attack, over HTTP: no gas for strangers, and no field that may be changed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "../../x402-runtime/tests/evm_support/calls.rs"]
mod calls;
#[path = "facilitator_support/server.rs"]
mod server;
#[path = "../../x402-runtime/tests/evm_support/support.rs"]
mod support;

use alloy_primitives::{Address, B256, Bytes, U256};
use calls::{planned_wallet, set_appetite, set_lie};
use serde_json::{Value, json};
use server::{ALICE, Reply, Server, Setup, body};
use support::{Payment, odd_payment, odd_token, sandbox};
use x402_model::evm::{Erc6492, Signature};
use x402_runtime::facilitator::FacilitatorRequest;
use x402_runtime::sandbox::USDC;

#[tokio::test]
async fn f07_two_payers_may_use_one_nonce() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let [_, _, _, other, ..] = sandbox.accounts();
    let first = Payment::new(&sandbox);
    let second = Payment {
        payer: other.clone(),
        from: other.address(),
        ..first.clone()
    };
    let (first, second) = (first.request(), second.request());
    let (a, b) = tokio::join!(server.settle(&first), server.settle(&second));
    assert!(a.success() && b.success());
    assert_ne!(a.json["transaction"], b.json["transaction"]);
}

/// Every field that decides a payment's outcome, with another well-formed value.
fn mutations(request: &FacilitatorRequest, stranger: Address) -> Vec<(String, Value)> {
    let stranger = stranger.to_string();
    let mut signature = request.payload.to_value()["payload"]["signature"]
        .as_str()
        .unwrap()
        .to_owned();
    let last = if signature.ends_with('b') { 'c' } else { 'b' };
    signature.pop();
    signature.push(last);
    let authorization = "/paymentPayload/payload/authorization";
    let table = [
        (format!("{authorization}/from"), json!(stranger)),
        (format!("{authorization}/to"), json!(stranger)),
        (format!("{authorization}/value"), json!("9999")),
        (format!("{authorization}/validAfter"), json!("1")),
        (format!("{authorization}/validBefore"), json!("1790000299")),
        (
            format!("{authorization}/nonce"),
            json!(B256::repeat_byte(9)),
        ),
        (
            "/paymentPayload/payload/signature".to_owned(),
            json!(signature),
        ),
        ("/paymentPayload/accepted/scheme".to_owned(), json!("upto")),
        (
            "/paymentPayload/accepted/network".to_owned(),
            json!("eip155:1"),
        ),
        ("/paymentPayload/x402Version".to_owned(), json!(1)),
        ("/x402Version".to_owned(), json!(1)),
        ("/paymentRequirements/scheme".to_owned(), json!("upto")),
        ("/paymentRequirements/network".to_owned(), json!("eip155:1")),
        ("/paymentRequirements/amount".to_owned(), json!("9999")),
        ("/paymentRequirements/asset".to_owned(), json!(stranger)),
        ("/paymentRequirements/payTo".to_owned(), json!(stranger)),
        (
            "/paymentRequirements/extra/name".to_owned(),
            json!("USD Coin"),
        ),
        ("/paymentRequirements/extra/version".to_owned(), json!("1")),
    ];
    let good = body(request);
    table
        .into_iter()
        .map(|(pointer, value)| {
            let mut changed = good.clone();
            let field = changed.pointer_mut(&pointer).unwrap();
            assert_ne!(*field, value, "{pointer} does not change");
            *field = value;
            (pointer, changed)
        })
        .collect()
}

async fn post_keyed(server: &Server, call: &Value) -> Reply {
    let bearer = format!("Bearer {ALICE}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("idempotency-key", "order-7"),
    ];
    server.post("settle", call.to_string(), &headers).await
}

#[tokio::test]
async fn f08_a_field_changed_on_retry_is_verified_anew_and_never_hears_the_first_success() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).with_tokens().start().await;
    let request = Payment::new(&sandbox).request();
    let first = post_keyed(&server, &body(&request)).await;
    assert!(first.success());
    for (field, changed) in mutations(&request, sandbox.settler()) {
        let reply = post_keyed(&server, &changed).await;
        assert!(
            !reply.success() && !reply.code().is_empty(),
            "{field}: {reply:?}"
        );
        assert_eq!(reply.json["transaction"], "", "{field}");
    }
    assert_eq!(post_keyed(&server, &body(&request)).await.json, first.json);
    assert_eq!(server.sent(), 1);
}

#[tokio::test]
async fn f08_a_field_changed_while_the_first_is_in_flight_hears_nothing_of_it() {
    let (sandbox, _) = sandbox();
    let server = Setup::impatient(&sandbox).start().await;
    sandbox.set_automine(false);
    let request = Payment::new(&sandbox).request();
    let first = post_keyed(&server, &body(&request)).await;
    assert_eq!(first.code(), "settlement_pending");
    for (field, changed) in mutations(&request, sandbox.settler()) {
        let reply = post_keyed(&server, &changed).await;
        assert!(!reply.success(), "{field}: {reply:?}");
        assert_ne!(
            reply.json["transaction"], first.json["transaction"],
            "{field}"
        );
    }
    sandbox.set_automine(true);
    sandbox.mine();
    assert!(post_keyed(&server, &body(&request)).await.success());
    assert_eq!(server.sent(), 1);
}

#[tokio::test]
async fn somebody_elses_signature_costs_nothing() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let [_, _, _, mallory, ..] = sandbox.accounts();
    let forged = Payment {
        payer: mallory.clone(),
        ..Payment::new(&sandbox)
    };
    let purse = server.purse();
    assert_eq!(
        server.verify(&forged.request()).await.code(),
        "invalid_exact_evm_signature"
    );
    assert_eq!(
        server.settle(&forged.request()).await.code(),
        "invalid_exact_evm_signature"
    );
    // And it does not stand in the way of the real one.
    let real = Payment {
        payer: sandbox.accounts()[0].clone(),
        ..forged
    };
    assert_eq!((server.sent(), server.purse()), (0, purse));
    assert!(server.settle(&real.request()).await.success());
}

#[tokio::test]
async fn f03_an_attackers_contract_as_asset_costs_neither_gas_nor_a_question_to_the_chain() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let purse = server.purse();
    let tokens = [
        "GasGuzzlerToken",
        "LyingToken",
        "FeeOnTransferToken",
        "SilentNonceToken",
    ]
    .map(|name| odd_token(&sandbox, name));
    // Refused before the chain is asked: it would not answer.
    sandbox.set_unreachable(true);
    for token in tokens {
        let request = odd_payment(&sandbox, token).request();
        for reply in [server.verify(&request).await, server.settle(&request).await] {
            assert_eq!(
                (reply.status, reply.code()),
                (200, "invalid_payment_requirements")
            );
        }
    }
    assert_eq!((server.sent(), server.purse()), (0, purse));
}

#[tokio::test]
async fn f03_receivers_and_least_amounts_are_the_operators() {
    let (sandbox, _) = sandbox();
    let mut setup = Setup::on(&sandbox);
    setup.config.allowed_pay_to = vec![sandbox.seller()];
    setup.config.minimum_values = vec![(USDC, U256::from(10_000))];
    let server = setup.start().await;
    let good = Payment::new(&sandbox);
    let elsewhere = Payment {
        to: sandbox.settler(),
        ..Payment::new(&sandbox)
    };
    let dust = Payment {
        value: 9_999,
        ..Payment::new(&sandbox)
    };
    assert_eq!(
        server.settle(&elsewhere.request()).await.code(),
        "invalid_payment_requirements"
    );
    assert_eq!(
        server.verify(&dust.request()).await.code(),
        "amount_below_minimum"
    );
    assert_eq!(
        server.settle(&dust.request()).await.code(),
        "amount_below_minimum"
    );
    assert_eq!(server.sent(), 0);
    assert!(server.settle(&good.request()).await.success());
}

#[tokio::test]
async fn f03_a_listed_token_that_guzzles_gas_costs_no_more_than_the_cap() {
    let (sandbox, _) = sandbox();
    let token = odd_token(&sandbox, "GasGuzzlerToken");
    let mut setup = Setup::impatient(&sandbox);
    setup.config.allowed_assets = vec![token];
    let server = setup.start().await;
    set_appetite(&sandbox, token, 3_000_000);
    let greedy = odd_payment(&sandbox, token).request();
    let purse = server.purse();
    assert_eq!(
        server.settle_as(&greedy, ALICE, None).await.code(),
        "settlement_gas_above_cap"
    );
    assert_eq!((server.sent(), server.purse()), (0, purse));
    // An appetite that comes after the estimate.
    set_appetite(&sandbox, token, 0);
    sandbox.set_automine(false);
    let patient = odd_payment(&sandbox, token).request();
    assert_eq!(
        server.settle_as(&patient, ALICE, None).await.code(),
        "settlement_pending"
    );
    set_appetite(&sandbox, token, 3_000_000);
    sandbox.mine();
    assert!(!server.settle_as(&patient, ALICE, None).await.success());
    let spent = purse - server.purse();
    assert!(spent <= U256::from(500_000_u64 * 30_000_000), "{spent}");
}

#[tokio::test]
async fn s05_a_listed_token_that_lies_or_takes_a_fee_is_no_success() {
    let (sandbox, _) = sandbox();
    let lying = odd_token(&sandbox, "LyingToken");
    let taking = odd_token(&sandbox, "FeeOnTransferToken");
    let mut setup = Setup::on(&sandbox);
    setup.config.allowed_assets = vec![lying, taking];
    let server = setup.start().await;
    for lie in 1..4 {
        set_lie(&sandbox, lying, lie);
        let reply = server.settle(&odd_payment(&sandbox, lying).request()).await;
        assert!(!reply.success(), "lie {lie}: {reply:?}");
    }
    let reply = server
        .settle(&odd_payment(&sandbox, taking).request())
        .await;
    assert!(!reply.success(), "{reply:?}");
}

#[tokio::test]
async fn f02_a_wrapper_with_an_attackers_factory_runs_nothing() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let planned = planned_wallet(&sandbox, sandbox.payer());
    sandbox.mint(USDC, planned.wallet, 50_000).unwrap();
    let mut payment = Payment {
        from: planned.wallet,
        ..Payment::new(&sandbox)
    };
    let inner: Bytes = [payment.signature().as_ref(), &[0]].concat().into();
    let wrapper = Erc6492 {
        factory: planned.factory,
        calldata: planned.calldata,
        signature: Signature::new(inner).unwrap(),
    };
    payment.signature = Some(wrapper.wrap().unwrap().bytes().clone());
    let purse = server.purse();
    for reply in [
        server.verify(&payment.request()).await,
        server.settle(&payment.request()).await,
    ] {
        assert_eq!(
            (reply.status, reply.code()),
            (200, "eip6492_factory_not_allowed")
        );
    }
    assert_eq!((server.sent(), server.purse()), (0, purse));
    assert!(
        sandbox
            .chain()
            .code(planned.wallet)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn s08_a_spent_fee_budget_stops_settling_until_the_hour_has_passed() {
    let (sandbox, clock) = sandbox();
    let mut setup = Setup::on(&sandbox);
    // Room for one settlement: about 90,000 gas at 0.02 gwei may cost 2.3e12 wei.
    setup.config.max_fee_per_hour = Some(3_000_000_000_000);
    let server = setup.start().await;
    let (mut settled, mut stopped) = (0, None);
    for _ in 0..10 {
        let reply = server.settle(&Payment::new(&sandbox).request()).await;
        match reply.status {
            200 if reply.success() => settled += 1,
            _ => {
                stopped = Some(reply);
                break;
            }
        }
    }
    let stopped = stopped.unwrap();
    assert_eq!(
        (stopped.status, stopped.code()),
        (503, "settlement_fee_budget_spent")
    );
    assert!(
        stopped
            .retry_after()
            .is_some_and(|seconds| (1..=3_600).contains(&seconds)),
        "{stopped:?}"
    );
    assert!(settled >= 1 && server.sent() == settled);
    assert_eq!(server.get("supported").await.json["kinds"], json!([]));
    let health = server.get("health").await;
    assert_eq!(
        (health.status, &health.json["status"]),
        (503, &json!("down"))
    );
    clock.advance_ms(3_600_000);
    assert_eq!(server.get("health").await.status, 200);
    assert!(
        server
            .settle(&Payment::new(&sandbox).request())
            .await
            .success()
    );
}

#[tokio::test]
async fn s08_an_empty_purse_and_a_gas_spike_are_the_operators_trouble_not_the_payments() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let purse = server.purse();
    let request = Payment::new(&sandbox).request();
    sandbox.set_native_balance(sandbox.settler(), U256::ZERO);
    let reply = server.settle(&request).await;
    assert_eq!(
        (reply.status, reply.code()),
        (503, "settler_insufficient_funds")
    );
    assert!(reply.retry_after().is_some());
    sandbox.set_native_balance(sandbox.settler(), purse);
    sandbox.set_base_fee(100_000_000_000);
    sandbox.mine();
    let reply = server.settle(&request).await;
    assert_eq!(
        (reply.status, reply.code()),
        (503, "settlement_fee_above_cap")
    );
    sandbox.set_base_fee(10_000_000);
    sandbox.mine();
    assert!(server.settle(&request).await.success());
}
