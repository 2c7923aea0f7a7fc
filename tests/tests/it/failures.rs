//! Handlers that fail and buyers that go away: nobody pays for nothing, and nobody loses what was paid for.

use std::time::Duration;

use http::Method;
use x402_tests::accounts::PAYER;
use x402_tests::buyer::Buyer;
use x402_tests::chaos::{Chaos, Fault};
use x402_tests::seller::{PRICE, Seller, Setup};
use x402_tests::world::World;

use crate::calls::essence;

#[tokio::test]
async fn g10_a_handler_that_fails_costs_nothing() {
    let world = World::sandbox();
    let setup = Setup {
        handler_timeout: Duration::from_millis(300),
        ..Setup::on(&world)
    };
    let books = world.books().await;
    let seller = Seller::start(setup).await;
    let buyer = seller.buyer();
    for (deed, status) in [
        ("404", 404),
        ("422", 422),
        ("500", 500),
        ("503", 503),
        ("panic", 500),
        ("sleep", 504),
    ] {
        let path = format!("/behave?do={deed}");
        let header = buyer.payment(PAYER, &path, world.now()).await.header();
        let answer = buyer.pay(&path, &header).await;
        assert_eq!(answer.status, status, "{deed}: {answer:?}");
        assert!(answer.receipt().is_none(), "{deed}: nothing was settled");
        assert_eq!(seller.desk.runs(deed), 1);
        books.moved(&world, 0, 0).await;
        // The payment is free again, also for another request.
        let retried = buyer.pay(&path, &header).await;
        assert_eq!(
            (retried.status, seller.desk.runs(deed)),
            (status, 2),
            "{deed}"
        );
    }
    books.moved(&world, 0, 0).await;
    let header = buyer
        .payment(PAYER, "/behave?do=500", world.now())
        .await
        .header();
    assert_eq!(buyer.pay("/behave?do=500", &header).await.status, 500);
    assert_eq!(
        buyer.pay("/weather/oslo", &header).await.status,
        200,
        "an unused payment buys something else"
    );
    books.moved(&world, PRICE, 1).await;
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_charged() {
    let world = World::sandbox();
    let books = world.books().await;
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let header = buyer
        .payment(PAYER, "/behave?do=303", world.now())
        .await
        .header();
    let answer = buyer.pay("/behave?do=303", &header).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/elsewhere"))
    );
    assert!(answer.receipt().is_some());
    books.moved(&world, PRICE, 1).await;
}

#[tokio::test]
async fn an_answer_over_the_cap_costs_nothing() {
    let world = World::sandbox();
    let books = world.books().await;
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let header = buyer
        .payment(PAYER, "/behave?do=big", world.now())
        .await
        .header();
    let answer = buyer.pay("/behave?do=big", &header).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (500, "answer_too_large"),
        "{:?}",
        answer.headers
    );
    books.moved(&world, 0, 0).await;
}

/// The buyer goes away after so many bytes in either direction. It presents the payment again and is served once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g11_a_buyer_that_disconnects_anywhere_pays_once_and_gets_its_answer() {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let proxy = Chaos::start(seller.address()).await;
    let (shaky, direct) = (Buyer::new(&proxy.origin()), seller.buyer());
    let faults = [0, 1, 20, 60, 200, 600, 1000]
        .map(Fault::CutRequest)
        .into_iter()
        .chain([0, 1, 15, 40, 200, 500].map(Fault::CutAnswer))
        .chain([0, 30, 300].map(Fault::ResetAnswer))
        .chain([Fault::HoldAnswer(0)]);
    let books = world.books().await;
    for (count, fault) in (1..).zip(faults) {
        let header = direct
            .payment(PAYER, "/weather/oslo", world.now())
            .await
            .header();
        proxy.set(fault);
        let paid = [("PAYMENT-SIGNATURE", header.as_str())];
        let call = shaky.try_send(Method::GET, "/weather/oslo", &paid, Vec::new());
        let lost = tokio::time::timeout(Duration::from_secs(2), call).await;
        assert!(
            !matches!(lost, Ok(Ok(_))),
            "{fault:?} lets the answer through"
        );
        let answer = settled_answer(&direct, "/weather/oslo", &header).await;
        assert_eq!(answer.status, 200, "{fault:?}: {answer:?}");
        assert!(
            answer
                .receipt()
                .is_some_and(|receipt| receipt["success"] == true),
            "{fault:?}"
        );
        assert_eq!(
            essence(&direct.pay("/weather/oslo", &header).await),
            essence(&answer),
            "{fault:?}"
        );
        assert_eq!(seller.desk.runs("weather"), count, "{fault:?}");
        books
            .moved(&world, count as u64 * PRICE, count as u64)
            .await;
    }
}

/// Presents a payment until its first presentation is no longer at work.
pub(crate) async fn settled_answer(
    buyer: &Buyer,
    path: &str,
    header: &str,
) -> x402_tests::buyer::Answer {
    for _ in 0..600 {
        let answer = buyer.pay(path, header).await;
        if answer.status != 409 && answer.status != 503 {
            return answer;
        }
        assert!(
            answer.required().is_none(),
            "an open outcome must not ask for another payment: {answer:?}"
        );
        assert!(
            answer.header("retry-after").is_some(),
            "an open outcome says when to ask again: {answer:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} is never decided");
}

/// The handler runs on when its buyer is gone, and its answer is kept for the next presentation.
#[tokio::test]
async fn g11_a_buyer_that_leaves_while_the_handler_runs_is_served_later() {
    let world = World::sandbox();
    let books = world.books().await;
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let header = buyer
        .payment(PAYER, "/behave?do=wait", world.now())
        .await
        .header();
    let call = tokio::spawn({
        let (buyer, header) = (buyer.clone(), header.clone());
        async move { buyer.pay("/behave?do=wait", &header).await }
    });
    seller.desk.until("wait", 1).await;
    call.abort();
    let _ = call.await;
    let busy = buyer.pay("/behave?do=wait", &header).await;
    assert_eq!(
        (busy.status, busy.code().as_str()),
        (409, "payment_in_progress"),
        "{busy:?}"
    );
    books.moved(&world, 0, 0).await;
    seller.desk.open(1);
    let answer = settled_answer(&buyer, "/behave?do=wait", &header).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(seller.desk.runs("wait"), 1);
    books.moved(&world, PRICE, 1).await;
}

/// Shutting down waits for the call that has begun, although its buyer is gone.
#[tokio::test]
async fn shutdown_finishes_what_has_begun() {
    let world = World::sandbox();
    let books = world.books().await;
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let header = buyer
        .payment(PAYER, "/behave?do=wait", world.now())
        .await
        .header();
    let call = tokio::spawn(async move { buyer.pay("/behave?do=wait", &header).await });
    seller.desk.until("wait", 1).await;
    call.abort();
    seller.desk.open(1);
    seller.paywall.shutdown().await;
    books.moved(&world, PRICE, 1).await;
}
