//! Every ambiguous outcome: whatever the seller does with a payment, it sees one authorization and no other.

use std::time::Duration;

use serde_json::json;
use x402_client::time::ManualClock;
use x402_client::transport::CutReason;
use x402_client::{Action, Budget, Charged, Client, Error, PendingPayment, Settlement};

use crate::seller::{
    Act, Seller, builder, client, offer, option, problem, report, served, settled,
};

/// What a call is expected to end with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Served,
    Unreported,
    Unreadable,
    Status(u16),
    Error(&'static str, Charged),
}

const UNKNOWN: End = End::Error("outcome_unknown", Charged::Maybe);

fn end(outcome: &Result<x402_client::Response, Error>) -> End {
    match outcome {
        Err(error) => End::Error(error.code(), error.charged()),
        Ok(answer) if answer.status() != 200 => End::Status(answer.status().as_u16()),
        Ok(answer) => match answer.receipt().unwrap().settlement {
            Settlement::Settled => End::Served,
            Settlement::Unreported => End::Unreported,
            _ => End::Unreadable,
        },
    }
}

/// First does `act` with the payment, then serves it if it is shown again.
fn once(act: Act) -> Vec<Act> {
    vec![act, served()]
}

/// Name, what the seller does with the first, second, … paid request (the last repeats), paid sends, end.
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn battery() -> Vec<(&'static str, Vec<Act>, usize, End)> {
    let failed = |reason: &str| {
        report(
            &json!({"success": false, "transaction": "", "network": "eip155:84532", "errorReason": reason}),
        )
    };
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    let settled_half = {
        let (name, value) = settled();
        format!("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n{name}: {value}\r\n\r\nhalf")
    };
    let plain = |status: u16| Act::Answer(status, vec![], "x".into());
    let retry_after = |status: u16| {
        Act::Answer(
            status,
            vec![("retry-after".into(), "1".into())],
            String::new(),
        )
    };
    let again = |reason: &str| Act::Answer(402, vec![failed(reason)], "{}".into());
    let dearer = {
        let mut option = option();
        option["amount"] = json!("20000");
        offer("/weather", &[option])
    };
    let yes = |code| End::Error(code, Charged::Yes);
    let maybe = |code| End::Error(code, Charged::Maybe);
    let no = |code| End::Error(code, Charged::No);
    vec![
        ("connection dropped for good", vec![Act::Drop], 3, UNKNOWN),
        ("connection dropped once", once(Act::Drop), 2, End::Served),
        (
            "headers cut",
            once(Act::Raw("HTTP/1.1 200 OK\r\ncontent-le".into())),
            2,
            End::Served,
        ),
        (
            "not HTTP",
            once(Act::Raw("SSH-2.0-x\r\n".into())),
            2,
            End::Served,
        ),
        ("silence", vec![Act::Hang], 3, UNKNOWN),
        ("silence once", once(Act::Hang), 2, End::Served),
        ("500 for good", vec![plain(500)], 3, UNKNOWN),
        ("502 once", once(plain(502)), 2, End::Served),
        (
            "503 with Retry-After",
            once(retry_after(503)),
            2,
            End::Served,
        ),
        ("429", once(plain(429)), 2, End::Served),
        ("425", once(plain(425)), 2, End::Served),
        (
            "settlement_pending as a problem",
            once(problem(
                503,
                r#"{"code":"settlement_pending","charged":"maybe"}"#,
            )),
            2,
            End::Served,
        ),
        (
            "settlement_pending as a report",
            once(again("settlement_pending")),
            2,
            End::Served,
        ),
        (
            "settlement_pending for good",
            vec![again("settlement_pending")],
            3,
            UNKNOWN,
        ),
        (
            "payment_in_progress",
            once(problem(
                409,
                r#"{"code":"payment_in_progress","charged":false}"#,
            )),
            2,
            End::Served,
        ),
        (
            "wait, on 402",
            once(problem(
                402,
                r#"{"code":"x","charged":false,"action":"wait"}"#,
            )),
            2,
            End::Served,
        ),
        (
            "402 again, same terms",
            vec![offer("/weather", &[option()])],
            1,
            maybe("refused"),
        ),
        ("402 again, dearer", vec![dearer], 1, maybe("refused")),
        ("402 again, bare", vec![plain(402)], 1, maybe("refused")),
        (
            "402, nonce used",
            vec![again("invalid_exact_evm_nonce_already_used")],
            1,
            maybe("refused"),
        ),
        (
            "402 although settled",
            vec![Act::Answer(402, vec![settled()], "{}".into())],
            1,
            yes("refused"),
        ),
        (
            "refused, not charged",
            vec![problem(
                402,
                r#"{"code":"settlement_refused","charged":false}"#,
            )],
            1,
            no("refused"),
        ),
        (
            "handler failed, not charged",
            vec![problem(
                500,
                r#"{"code":"handler_panicked","charged":false}"#,
            )],
            1,
            no("refused"),
        ),
        (
            "payment reused",
            vec![problem(
                409,
                r#"{"code":"payment_reused_for_other_request","charged":false}"#,
            )],
            1,
            no("refused"),
        ),
        ("handler's own 404", vec![plain(404)], 1, End::Status(404)),
        ("handler's own 409", vec![plain(409)], 1, End::Status(409)),
        (
            "500 although settled",
            vec![Act::Answer(500, vec![settled()], "x".into())],
            1,
            End::Status(500),
        ),
        ("200 without a report", vec![plain(200)], 1, End::Unreported),
        (
            "200 with garbage for a report",
            vec![Act::Answer(
                200,
                vec![("PAYMENT-RESPONSE".into(), "%%%".into())],
                "x".into(),
            )],
            1,
            End::Unreadable,
        ),
        (
            "200 with success as text",
            vec![Act::Answer(
                200,
                vec![report(
                    &json!({"success": "true", "transaction": "0x", "network": "x"}),
                )],
                "x".into(),
            )],
            1,
            End::Unreadable,
        ),
        (
            "200 without a transaction",
            vec![Act::Answer(
                200,
                vec![report(
                    &json!({"success": true, "transaction": "", "network": "eip155:84532"}),
                )],
                "x".into(),
            )],
            1,
            End::Unreadable,
        ),
        (
            "body cut, settled",
            vec![Act::Raw(settled_half)],
            1,
            yes("body_cut"),
        ),
        (
            "body cut, unreported",
            vec![Act::Raw(half)],
            1,
            maybe("body_cut"),
        ),
    ]
}

fn script(acts: Vec<Act>) -> impl Fn(usize) -> Act + Send + Sync {
    move |paid| acts[paid.min(acts.len() - 1)].clone()
}

#[tokio::test]
async fn a06_one_authorization_whatever_happens_to_it() {
    for (name, acts, sends, expected) in battery() {
        // Short only where silence is part of the script: a busy machine must not look like a silent seller.
        let silent = acts.iter().any(|act| matches!(act, Act::Hang));
        let timeout = Duration::from_millis(if silent { 700 } else { 30_000 });
        let seller = Seller::selling(script(acts)).await;
        let client = builder(Budget::new("1 USD", "1 USD").unwrap())
            .timeout(timeout)
            .build()
            .unwrap();
        let outcome = client.get(&seller.url()).send().await;
        assert_eq!(end(&outcome), expected, "{name}: {outcome:?}");
        assert_eq!(seller.payments(), (sends, 1), "{name}");
        let unpaid = seller
            .seen()
            .iter()
            .filter(|seen| seen.paid.is_none())
            .count();
        assert_eq!(unpaid, 1, "{name}: the price is asked once");
        assert_eq!(
            client.budget().spent(),
            "0.01",
            "{name}: charged once, whatever was said"
        );
        assert!(
            client.open_payments().is_empty(),
            "{name}: the outcome belongs to the caller"
        );
        if let Err(error) = &outcome {
            resumes_with_the_same_payment(name, &client, &seller, error.pending().unwrap().clone())
                .await;
        }
    }
}

async fn resumes_with_the_same_payment(
    name: &str,
    client: &Client,
    seller: &Seller,
    pending: PendingPayment,
) {
    // As after a restart: through storage, into another client.
    let stored = serde_json::to_string(&pending).unwrap();
    let restarted = builder(client.budget().clone()).build().unwrap();
    seller.now(|seen| {
        if seen.paid.is_some() {
            served()
        } else {
            Act::Drop
        }
    });
    let answer = restarted
        .resume(serde_json::from_str(&stored).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.text(), Ok("paid content"), "{name}");
    assert!(answer.receipt().unwrap().is_settled(), "{name}");
    assert_eq!(seller.payments().1, 1, "{name}: still one authorization");
    assert_eq!(
        client.budget().spent(),
        "0.01",
        "{name}: resuming costs nothing"
    );
}

#[tokio::test]
async fn a_cut_body_still_yields_the_receipt_and_what_arrived() {
    let (name, value) = settled();
    let half = format!("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n{name}: {value}\r\n\r\nhalf");
    let seller = Seller::selling(move |_| Act::Raw(half.clone())).await;
    let Error::BodyCut(cut) = client().get(&seller.url()).send().await.unwrap_err() else {
        panic!("not cut")
    };
    assert_eq!(
        (cut.partial.0.as_ref(), cut.reason),
        (&b"half"[..], CutReason::Interrupted)
    );
    let receipt = cut.receipt.as_ref().unwrap();
    assert!(receipt.is_settled() && receipt.transaction.is_some());
    assert_eq!(
        (receipt.amount_text().as_str(), receipt.method.as_str()),
        ("0.01 USDC", "GET")
    );
    assert_eq!(receipt.url, seller.url());
}

#[tokio::test]
async fn a_settlement_seen_once_is_not_forgotten_when_the_seller_turns_around() {
    let (name, value) = settled();
    let half = format!("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n{name}: {value}\r\n\r\nhalf");
    let seller = Seller::selling(move |_| Act::Raw(half.clone())).await;
    let client = client();
    let error = client.get(&seller.url()).send().await.unwrap_err();
    for (act, code) in [
        (Act::Answer(402, vec![], "{}".into()), "refused"),
        (Act::Drop, "outcome_unknown"),
    ] {
        seller.now(move |_| act.clone());
        let error = client
            .resume(error.pending().unwrap().clone())
            .await
            .unwrap_err();
        assert_eq!((error.code(), error.charged()), (code, Charged::Yes));
        assert!(error.receipt().unwrap().transaction.is_some());
    }
    assert_eq!(seller.payments().1, 1);
}

#[tokio::test]
async fn bodies_are_bounded_paid_or_not() {
    let big = "x".repeat(5_000);
    let free = big.clone();
    let seller = Seller::selling(move |_| Act::Answer(200, vec![settled()], big.clone())).await;
    let client = builder(Budget::new("1 USD", "1 USD").unwrap())
        .max_body(1_000)
        .build()
        .unwrap();
    let Error::BodyCut(cut) = client.get(&seller.url()).send().await.unwrap_err() else {
        panic!("not cut")
    };
    assert_eq!(
        (cut.partial.0.len(), cut.reason),
        (1_000, CutReason::TooLarge)
    );
    assert!(cut.receipt.as_ref().unwrap().is_settled());
    seller.now(move |_| Act::Answer(200, vec![], free.clone()));
    let error = client.get(&seller.url()).send().await.unwrap_err();
    assert_eq!(
        (error.code(), error.charged(), error.receipt().is_none()),
        ("body_cut", Charged::No, true)
    );
}

#[tokio::test]
async fn an_unknown_outcome_says_what_to_do() {
    let seller = Seller::selling(|_| Act::Drop).await;
    let error = client().get(&seller.url()).send().await.unwrap_err();
    assert_eq!(error.action(), Action::RetrySamePayment);
    assert!(!error.is_retryable(), "a new call would be a new payment");
    assert_eq!(
        error.receipt().unwrap().nonce,
        error.pending().unwrap().nonce()
    );
}

#[tokio::test]
async fn a_dropped_call_leaves_its_payment_with_the_client() {
    let seller = Seller::selling(|_| Act::Hang).await;
    let client = builder(Budget::new("1 USD", "1 USD").unwrap())
        .build()
        .unwrap();
    let call = tokio::spawn({
        let (client, url) = (client.clone(), seller.url());
        async move { client.get(&url).send().await }
    });
    while seller.payments().0 == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(client.budget().spent(), "0.01");
    let open = client.open_payments();
    assert_eq!(open.len(), 1);
    seller.now(|_| served());
    assert!(
        client
            .resume(open[0].clone())
            .await
            .unwrap()
            .receipt()
            .unwrap()
            .is_settled()
    );
    assert_eq!(seller.payments(), (2, 1));
    assert!(client.open_payments().is_empty());
}

#[tokio::test]
async fn an_idempotency_key_makes_two_calls_one_payment() {
    let seller = Seller::selling(|_| Act::Drop).await;
    let clock = x402_client::time::ManualClock::at_ms(1_790_000_000_000);
    let budget = Budget::new("1 USD", "1 USD").unwrap();
    let first = builder(budget.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    first
        .get(&seller.url())
        .idempotency_key("order-17")
        .send()
        .await
        .unwrap_err();
    // A new process: same key file, same order.
    let second = builder(budget.clone()).clock(clock).build().unwrap();
    second
        .get(&seller.url())
        .idempotency_key("order-17")
        .send()
        .await
        .unwrap_err();
    assert_eq!(seller.payments(), (6, 1));
    assert_eq!(budget.spent(), "0.01");
    second
        .get(&seller.url())
        .idempotency_key("order-18")
        .send()
        .await
        .unwrap_err();
    assert_eq!(seller.payments(), (9, 2));
    assert_eq!(budget.spent(), "0.02");
}

/// The caller gave the call up and makes it again: what is presented is the authorization that is out already.
#[tokio::test]
async fn the_same_idempotency_key_presents_the_open_payment_again() {
    let clock = ManualClock::at_ms(1_790_000_000_000);
    let seller = Seller::selling(|before| if before == 0 { Act::Hang } else { served() }).await;
    let client = builder(Budget::new("1.00 USD", "1.00 USD").unwrap())
        .clock(clock.clone())
        .build()
        .unwrap();
    let call = || client.get(&seller.url()).idempotency_key("order-17").send();
    let given_up = tokio::time::timeout(Duration::from_millis(500), call()).await;
    assert!(given_up.is_err(), "the first call hangs");
    assert_eq!(
        (seller.payments(), client.open_payments().len()),
        ((1, 1), 1)
    );
    clock.advance(Duration::from_secs(5));
    let receipt = call().await.unwrap().receipt().cloned().unwrap();
    assert_eq!(seller.payments(), (2, 1), "sent again, not signed again");
    assert_eq!(receipt.valid_before, 1_790_000_060);
    assert_eq!(client.budget().spent(), "0.01");
    // Once it cannot be used any more another one may be signed: it has the same nonce, so only one can ever pay.
    clock.advance(Duration::from_secs(60));
    let later = call().await.unwrap().receipt().cloned().unwrap();
    assert_eq!(
        (later.nonce, later.valid_before),
        (receipt.nonce, 1_790_000_125)
    );
    assert_eq!(client.budget().spent(), "0.01");
}
