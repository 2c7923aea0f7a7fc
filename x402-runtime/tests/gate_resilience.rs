//! What happens when something breaks in the middle: handlers, buyers, facilitators, ledgers, shutdown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test fails by panicking, and a table is as long as it is"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::shop::{request, until};
use common::{Buyer, NOW, Script, Stand};
use tower::ServiceExt;
use x402_runtime::facilitator::{BoxFuture, Evidence, FacilitatorError};
use x402_runtime::ledger::{
    Accounts, Advanced, Begin, Durability, Event, Ledger, LedgerError, MemoryLedger, NewPayment,
    PaymentKey, Record, SupersededOffer,
};

#[tokio::test]
async fn g10_handler_that_fails_costs_nothing_and_frees_the_payment() {
    let quick = Duration::from_millis(80);
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.handler_timeout(quick)
    })
    .await;
    let terms = stand.terms("GET", "/behave/x").await;
    for (how, status, code) in [
        ("400", 400, ""),
        ("404", 404, ""),
        ("418", 418, ""),
        ("500", 500, ""),
        ("503", 503, ""),
        ("panic", 500, "handler_panicked"),
        ("hang", 504, "handler_timeout"),
        ("broken-body", 500, "handler_panicked"),
        ("endless-body", 504, "handler_timeout"),
    ] {
        let payment = Buyer::new(7).pay(&terms, NOW);
        let before = stand.runs();
        let answer = stand.get(&format!("/behave/{how}"), Some(&payment)).await;
        assert_eq!(answer.brief(), (status, code.to_owned()), "{how}");
        assert!(answer.headers.get("payment-response").is_none(), "{how}");
        assert!(answer.headers.get("payment-required").is_none(), "{how}");
        if code.is_empty() {
            assert_eq!(answer.body, "the handler's own words");
        } else {
            assert_eq!(answer.json()["charged"], false);
        }
        assert_eq!(stand.double.settles(), 0, "{how}");
        // Free again: the same payment runs the handler anew.
        stand.get(&format!("/behave/{how}"), Some(&payment)).await;
        assert_eq!(stand.runs(), before + 2, "{how}");
    }
    // Redirects and empty answers are answers.
    for (how, status) in [("redirect", 303), ("204", 204), ("304", 304)] {
        let answer = stand
            .get(
                &format!("/behave/{how}"),
                Some(&Buyer::new(7).pay(&terms, NOW)),
            )
            .await;
        assert_eq!(answer.status, status);
        assert!(answer.settlement().unwrap().success);
    }
    assert_eq!(stand.double.settles(), 3);
}

/// HTTP has nothing to send for an answer of status 1xx, so nobody could fetch what was charged.
#[tokio::test]
async fn g10_an_informational_status_is_no_answer() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    let answer = stand.get("/behave/101", Some(&payment)).await;
    assert_eq!(answer.brief(), (500, "handler_panicked".to_owned()));
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn g11_disconnect_changes_nothing() {
    let stand = Stand::open().await;
    let terms = stand.terms("GET", "/behave/wait").await;
    // While the handler runs.
    let payment = Buyer::new(7).pay(&terms, NOW);
    let mut call = Box::pin(stand.app.clone().oneshot(request(
        "GET",
        "/behave/wait",
        Some(&payment),
        "",
    )));
    let _ = futures_util::poll!(&mut call);
    until(|| stand.runs() == 1).await;
    let busy = stand.get("/behave/wait", Some(&payment)).await;
    assert_eq!(busy.brief(), (409, "payment_in_progress".to_owned()));
    drop(call);
    stand.shop.door.add_permits(1);
    until(|| stand.double.settles() == 1).await;
    until_paid(&stand, "/behave/wait", &payment).await;

    // While the settlement runs.
    stand.double.script([Script::Wait]);
    let payment = Buyer::new(7).pay(&terms, NOW);
    let mut call = Box::pin(stand.app.clone().oneshot(request(
        "GET",
        "/behave/200",
        Some(&payment),
        "",
    )));
    let _ = futures_util::poll!(&mut call);
    until(|| stand.double.settles() == 2).await;
    drop(call);
    assert_eq!(
        stand.get("/behave/200", Some(&payment)).await.code(),
        "payment_in_progress"
    );
    stand.double.gate.add_permits(1);
    until_paid(&stand, "/behave/200", &payment).await;
    assert_eq!((stand.runs(), stand.double.settles()), (2, 2));
}

async fn until_paid(stand: &Stand, path: &str, payment: &str) {
    for _ in 0..2_000 {
        let answer = stand.get(path, Some(payment)).await;
        match answer.status {
            200 => {
                assert!(answer.settlement().unwrap().success);
                return;
            }
            409 | 503 => tokio::time::sleep(Duration::from_millis(5)).await,
            _ => panic!("{answer:?}"),
        }
    }
    panic!("never paid");
}

#[tokio::test]
async fn silent_facilitator_is_not_waited_for_for_ever() {
    let quick = Duration::from_millis(50);
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.settle_timeout(quick)
    })
    .await;
    stand.double.script([Script::Hang]);
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    assert_eq!(
        stand.get("/news", Some(&payment)).await.code(),
        "settlement_pending"
    );
    // Nor is the buyer kept when the call itself may take long.
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder
            .settle_wait(quick)
            .handler_timeout(quick)
            .verify_timeout(quick)
    })
    .await;
    stand.double.script([Script::Wait]);
    assert_eq!(
        stand.get("/news", Some(&payment)).await.code(),
        "settlement_pending"
    );
    stand.double.gate.add_permits(1);
    until_paid(&stand, "/news", &payment).await;
}

#[tokio::test]
async fn facilitator_that_cannot_verify_refuses_and_frees() {
    let stand = Stand::open().await;
    stand.double.check_first.store(true, Ordering::SeqCst);
    *stand.double.verdict.lock().unwrap() = Err(FacilitatorError::BadAnswer("CANARY".to_owned()));
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    let answer = stand.get("/news", Some(&payment)).await;
    assert_eq!(answer.brief(), (503, "facilitator_unavailable".to_owned()));
    assert_eq!((stand.runs(), stand.double.settles()), (0, 0));
    *stand.double.verdict.lock().unwrap() = Ok(x402_runtime::model::wire::VerifyResponse {
        is_valid: true,
        ..Default::default()
    });
    assert_eq!(stand.get("/news", Some(&payment)).await.status, 200);
}

#[tokio::test]
async fn payments_in_flight_are_bounded() {
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.max_in_flight(1)
    })
    .await;
    let terms = stand.terms("GET", "/behave/wait").await;
    let payment = Buyer::new(7).pay(&terms, NOW);
    let app = stand.app.clone();
    let held = tokio::spawn({
        let payment = payment.clone();
        async move { common::shop::send(&app, request("GET", "/behave/wait", Some(&payment), "")).await }
    });
    until(|| stand.runs() == 1).await;
    let second = Buyer::new(7).pay(&terms, NOW);
    let answer = stand.get("/news", Some(&second)).await;
    assert_eq!(answer.brief(), (503, "overloaded".to_owned()));
    assert!(answer.header("retry-after").is_some());
    // Telling the price costs nothing and goes on.
    assert_eq!(stand.get("/news", None).await.status, 402);
    stand.shop.door.add_permits(1);
    assert_eq!(held.await.unwrap().status, 200);
    assert_eq!(stand.get("/news", Some(&second)).await.status, 200);
}

#[tokio::test]
async fn shutdown_drains_and_refuses_new_payments() {
    let stand = Arc::new(Stand::open().await);
    let terms = stand.terms("GET", "/behave/wait").await;
    let payment = Buyer::new(7).pay(&terms, NOW);
    let held = tokio::spawn({
        let (stand, payment) = (Arc::clone(&stand), payment.clone());
        async move { stand.get("/behave/wait", Some(&payment)).await }
    });
    until(|| stand.runs() == 1).await;
    let shutdown = tokio::spawn({
        let stand = Arc::clone(&stand);
        async move { stand.paywall.shutdown().await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!shutdown.is_finished());
    let refused = stand
        .get("/news", Some(&Buyer::new(7).pay(&terms, NOW)))
        .await;
    assert_eq!(refused.brief(), (503, "shutting_down".to_owned()));
    stand.shop.door.add_permits(1);
    assert!(shutdown.await.unwrap());
    assert_eq!(held.await.unwrap().status, 200);
    assert_eq!(
        stand
            .get("/news", Some(&Buyer::new(7).pay(&terms, NOW)))
            .await
            .code(),
        "shutting_down"
    );
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let soon = Duration::from_millis(50);
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.drain_timeout(soon)
    })
    .await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    stand.double.script([Script::Hang]);
    let app = stand.app.clone();
    tokio::spawn(async move {
        common::shop::send(&app, request("GET", "/news", Some(&payment), "")).await
    });
    until(|| stand.double.settles() == 1).await;
    assert!(!stand.paywall.shutdown().await);
}

/// A ledger that fails from a chosen call on.
struct Failing {
    inner: MemoryLedger,
    calls: AtomicUsize,
    /// The number of the call that fails; 0 for none.
    fails_at: AtomicUsize,
}

impl Failing {
    fn fails(&self) -> Result<(), LedgerError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let at = self.fails_at.load(Ordering::SeqCst);
        if at != 0 && call >= at {
            Err(LedgerError::Store("disk full CANARY".to_owned()))
        } else {
            Ok(())
        }
    }
}

impl Ledger for Failing {
    fn begin(&self, new: NewPayment) -> BoxFuture<'_, Result<Begin, LedgerError>> {
        Box::pin(async move {
            self.fails()?;
            self.inner.begin(new).await
        })
    }

    fn advance<'a>(
        &'a self,
        key: &'a PaymentKey,
        event: Event,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Advanced, LedgerError>> {
        Box::pin(async move {
            self.fails()?;
            self.inner.advance(key, event, now_ms).await
        })
    }

    fn get<'a>(
        &'a self,
        key: &'a PaymentKey,
    ) -> BoxFuture<'a, Result<Option<Record>, LedgerError>> {
        self.inner.get(key)
    }

    fn due(&self, now_ms: u64, max: usize) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        self.inner.due(now_ms, max)
    }

    fn purge(&self, before_ms: u64, max: usize) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.inner.purge(before_ms, max)
    }

    fn publish_offers<'a>(
        &'a self,
        endpoint: &'a str,
        accepts_json: &'a str,
        max_timeout_seconds: u64,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SupersededOffer>, LedgerError>> {
        self.inner
            .publish_offers(endpoint, accepts_json, max_timeout_seconds, now_ms)
    }

    fn accounts(&self) -> &dyn Accounts {
        self.inner.accounts()
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}

#[tokio::test]
async fn ledger_that_fails_never_serves_and_loses_nothing() {
    // Calls: 1 begin, 2 answered, 3 intend, 4 settled.
    for (fails_at, code, runs, settles) in [
        (1, "ledger_unavailable", 0, 0),
        (2, "settlement_pending", 1, 0),
        (3, "settlement_pending", 1, 0),
        (4, "settlement_pending", 1, 1),
    ] {
        let ledger = Arc::new(Failing {
            inner: MemoryLedger::default(),
            calls: AtomicUsize::new(0),
            fails_at: AtomicUsize::new(0),
        });
        let stand = Stand::open_with(ledger.clone(), |builder| builder).await;
        let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
        ledger.fails_at.store(fails_at, Ordering::SeqCst);
        let answer = stand.get("/news", Some(&payment)).await;
        assert_eq!(answer.brief(), (503, code.to_owned()), "call {fails_at}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("CANARY"));
        assert_eq!(
            (stand.runs(), stand.double.settles()),
            (runs, settles),
            "call {fails_at}"
        );

        // The store comes back, leases end, the chain tells: paid once, served.
        ledger.fails_at.store(0, Ordering::SeqCst);
        for _ in 0..6 {
            stand.double.show(match stand.double.settles() {
                0 => Evidence::Unused { chain_time: NOW },
                _ => Evidence::Paid {
                    transaction: "0xaa".to_owned(),
                    confirmations: 1,
                },
            });
            stand.clock.advance_ms(20_000);
            stand.paywall.recover().await;
        }
        let answer = stand.get("/news", Some(&payment)).await;
        assert_eq!(answer.status, 200, "call {fails_at}: {answer:?}");
        assert_eq!(stand.double.settles(), 1, "call {fails_at}");
    }
}
