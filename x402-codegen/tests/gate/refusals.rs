//! What keeps a client from paying, by the names that clients in all languages have for it; a part of `use.rs`.

use super::{Sells, Seller};
use crate::example::{self as g, Error, GetWeatherRequest};

type Reply = Result<x402_client::transport::TransportReply, x402_client::transport::TransportError>;

/// What `refusals.json` says of a case.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
struct Named {
    code: String,
    action: String,
}

/// Asks for payment with these terms.
struct Asks(serde_json::Value);

impl x402_client::transport::Transport for Asks {
    fn send(&self, _: http::Request<bytes::Bytes>) -> std::pin::Pin<Box<dyn Future<Output = Reply> + Send + '_>> {
        let header = x402_model::wire::headers::encode(&self.0).unwrap();
        let headers = http::HeaderMap::from_iter([(http::HeaderName::from_static("payment-required"), header.parse().unwrap())]);
        let reply = x402_client::transport::TransportReply::new(http::StatusCode::PAYMENT_REQUIRED, headers, "{}");
        Box::pin(async move { Ok(reply) })
    }
}

fn inner(transport: impl x402_client::transport::Transport, total: &str, per_call: &str) -> x402_client::Client {
    let wallet = x402_client::Wallet::from_local_key(alloy_signer_local::PrivateKeySigner::random());
    let budget = x402_client::Budget::new(total, per_call).unwrap();
    x402_client::Client::builder().wallet(wallet).budget(budget).policy(g::policy()).transport(transport).build().unwrap()
}

/// A seller of weather, for so many atomic units, and a client with a budget.
fn client(units: u32, total: &str, per_call: &str) -> g::Client {
    paying(units, g::PINS[0].pay_to, total, per_call)
}

fn paying(units: u32, payee: &'static str, total: &str, per_call: &str) -> g::Client {
    let pin = &g::PINS[0];
    let weather = r#"{"city":"oslo","tempC":1,"sky":"clear"}"#;
    let sells = Sells(Seller(units, [pin.scheme, pin.network, pin.asset, payee]), weather.to_owned());
    g::Client::with(inner(sells, total, per_call))
}

async fn refused(client: &g::Client, max: Option<&str>) -> Error {
    let request = GetWeatherRequest::new("oslo".into());
    let call = client.get_weather(&request);
    let call = match max {
        Some(max) => call.max_cost(max),
        None => call,
    };
    call.send().await.unwrap_err()
}

fn named(error: &Error) -> Named {
    assert_eq!((error.charged(), error.retryable()), (x402_client::Charged::No, false), "{error}");
    assert!(error.receipt().is_none() && error.pending().is_none() && error.problem().is_none());
    Named { code: error.code().to_owned(), action: error.action().to_owned() }
}

/// A call of a route that the document gives away, and that asks for a cent.
async fn free() -> Named {
    use crate::price_free::{Client, PINS};
    let pin = &PINS[0];
    let seller = Seller(10_000, [pin.scheme, pin.network, pin.asset, pin.pay_to]);
    let error = Client::with(inner(seller, "1 USD", "1 USD")).status().send().await.unwrap_err();
    assert_eq!(error.charged(), x402_client::Charged::No);
    assert_eq!(error.to_string(), "status asks for payment, and the document names no price for it; nothing was paid");
    Named { code: error.code().to_owned(), action: error.action().to_owned() }
}

#[tokio::test]
async fn every_limit_has_a_name_of_its_own() {
    let names: std::collections::BTreeMap<String, Named> = serde_json::from_str(include_str!("refusals.json")).unwrap();
    let mut found = std::collections::BTreeMap::new();
    let mut end = |case: &str, named: Named| found.insert(case.to_owned(), named);
    let error = refused(&client(1_000, "1 USD", "0.0005 USD"), None).await;
    assert!(matches!(error, Error::BudgetExceeded(x402_client::BudgetRefusal::OverCall)), "{error}");
    end("more than a call may cost by the budget", named(&error));
    let error = refused(&client(1_000, "0.0005 USD", "1 USD"), None).await;
    assert!(matches!(error, Error::BudgetExceeded(x402_client::BudgetRefusal::OverTotal)), "{error}");
    end("more than the budget ever had", named(&error));
    let poor = client(1_000, "0.0015 USD", "1 USD");
    poor.get_weather(&GetWeatherRequest::new("oslo".into())).send().await.unwrap();
    end("more than the budget has left", named(&refused(&poor, None).await));
    let (honest, dear) = (client(1_000, "1 USD", "1 USD"), client(2_000, "1 USD", "1 USD"));
    end("more than the caller's most", named(&refused(&honest, Some("0.0009 USD")).await));
    end("more than the document's most", named(&refused(&dear, None).await));
    end("more than both", named(&refused(&dear, Some("0.0009 USD")).await));
    end("anything for a free call", free().await);
    let thief = "0x000000000000000000000000000000000000dEaD";
    end("nothing that may be paid", named(&refused(&paying(1_000, thief, "1 USD", "1 USD"), None).await));
    end("too much for somebody else", named(&refused(&paying(2_000, thief, "0.001 USD", "1 USD"), None).await));
    let asks = |terms| g::Client::with(inner(Asks(terms), "1 USD", "1 USD"));
    let place = "https://api.example.com/v1/weather/oslo";
    let none = serde_json::json!({ "x402Version": 2, "resource": { "url": place }, "accepts": [] });
    end("no payment at all", named(&refused(&asks(none), None).await));
    end("nobody knows what", named(&refused(&asks(serde_json::json!(7)), None).await));
    assert_eq!(found, names);
}

#[tokio::test]
async fn who_was_not_reached_and_why_is_told_without_a_header() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = g::Client::with(super::client()).at(&format!("http://{closed}/v1/"));
    let request = GetWeatherRequest::new("oslo".into());
    let error = client.get_weather(&request).header("authorization", "Bearer secret").send().await.unwrap_err();
    assert_eq!((error.code(), error.action(), error.retryable()), ("unreachable", "wait", true));
    assert_eq!((error.charged(), error.receipt().is_none()), (x402_client::Charged::No, true));
    let said = error.to_string();
    assert!(said.starts_with(&format!("{closed} was not reached by GET: no connection: ")), "{said}");
    assert!(said.to_lowercase().contains("refused"), "{said}");
    let Error::Unreachable { method, host, cause } = &error else { panic!("{error:?}") };
    assert_eq!((method.as_str(), host.as_str()), ("GET", closed.to_string().as_str()));
    assert_eq!(cause.kind(), x402_client::transport::TransportErrorKind::Connect);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("secret") && !shown.contains("weather"), "{shown}");
}

#[tokio::test]
async fn a_service_may_get_a_part_of_the_budget_only() {
    let pin = &g::PINS[0];
    let seller = Seller(1_000, [pin.scheme, pin.network, pin.asset, pin.pay_to]);
    let budget = x402_client::Budget::new("1 USD", "1 USD").unwrap().per_host("0.0005 USD").unwrap();
    let builder = x402_client::Client::builder().wallet(super::wallet()).budget(budget).policy(g::policy());
    let error = refused(&g::Client::with(builder.transport(seller).build().unwrap()), None).await;
    assert_eq!(named(&error), Named { code: "over_host_cap".into(), action: "ask-human".into() });
    assert_eq!(error.to_string(), "the amount is above what is left for this host; nothing was paid");
}
