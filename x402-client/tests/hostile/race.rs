//! Many tasks, one budget.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use x402_client::transport::{Transport, TransportError, TransportReply};
use x402_client::{Budget, Error};

use crate::seller::{Act, builder, offer, option, signature};

/// A seller without a socket that yields in every awkward place.
#[derive(Clone, Default)]
struct InMemory(Arc<Mutex<BTreeSet<String>>>);

impl Transport for InMemory {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<TransportReply, TransportError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if let Some(payment) = request.headers().get("payment-signature") {
                self.0
                    .lock()
                    .unwrap()
                    .insert(signature(payment.to_str().unwrap()));
                return Ok(TransportReply::new(
                    StatusCode::OK,
                    HeaderMap::new(),
                    "paid",
                ));
            }
            let Act::Answer(_, headers, _) = offer("https://api.example.com/x", &[option()]) else {
                unreachable!()
            };
            let mut map = HeaderMap::new();
            map.insert(
                "payment-required",
                HeaderValue::from_str(&headers[0].1).unwrap(),
            );
            Ok(TransportReply::new(StatusCode::PAYMENT_REQUIRED, map, "{}"))
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a07_a_thousand_tasks_sign_exactly_what_the_budget_allows() {
    let seller = InMemory::default();
    let client = builder(Budget::new("1.00 USD", "1.00 USD").unwrap())
        .timeout(std::time::Duration::from_secs(60))
        .transport(seller.clone())
        .build()
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let client = client.clone();
        tasks.spawn(async move { client.get("https://api.example.com/x").send().await });
    }
    let outcomes = tasks.join_all().await;
    let paid = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!((paid, seller.0.lock().unwrap().len()), (100, 100));
    assert_eq!(client.budget().remaining(), "0");
    for error in outcomes.into_iter().filter_map(Result::err) {
        let over =
            matches!(error, Error::OverBudget(_)) || error.to_string().contains("over_budget");
        assert!(over, "{error:?}");
    }
}
