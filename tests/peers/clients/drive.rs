//! Makes planned calls with generated clients, and prints a line of JSON for each.
#![allow(deprecated, clippy::all)]

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The calls that a case plans.
pub(crate) fn calls(case: &Value) -> &[Value] {
    case["calls"].as_array().expect("calls")
}

/// An argument that must be given.
pub(crate) fn needed<T: DeserializeOwned>(call: &Value, at: usize) -> T {
    given(call, at).unwrap_or_else(|| panic!("{call} has no argument {at}"))
}

/// An argument that may be left out.
pub(crate) fn given<T: DeserializeOwned>(call: &Value, at: usize) -> Option<T> {
    let value = call["arguments"][at].get(0)?;
    Some(serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}")))
}

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} must be set"))
}

/// The account that buys.
pub(crate) fn wallet() -> x402_client::Wallet {
    x402_client::Wallet::from_key_file(setting("PEER_KEY_FILE")).expect("a key")
}

/// Enough for everything, in the unit of the case.
pub(crate) fn budget(case: &Value) -> x402_client::Budget {
    let all = format!("900 {}", case["unit"].as_str().expect("a unit"));
    x402_client::Budget::new(&all, &all).expect("a budget")
}

/// A client for tokens that this program does not know: the user says that they are good.
pub(crate) fn knowing(case: &Value, mut policy: x402_client::Policy) -> x402_client::Client {
    for asset in case["tokens"].as_array().expect("tokens") {
        let asset = x402_model::asset::Asset {
            network: asset["network"].as_str().expect("a network").parse().expect("a network"),
            address: x402_model::asset::parse_address(asset["address"].as_str().expect("an address")).expect("an address"),
            symbol: asset["symbol"].as_str().expect("a symbol").to_owned().into(),
            decimals: 6,
            eip712: Some(x402_model::asset::Eip712Name {
                name: asset["eip712"]["name"].as_str().expect("a name").to_owned().into(),
                version: asset["eip712"]["version"].as_str().expect("a version").to_owned().into(),
            }),
            transfer: x402_model::asset::TransferMethod::Eip3009,
            eip2612: false,
            usd_pegged: false,
        };
        policy = policy.allow_asset(asset).expect("a new token");
    }
    let builder = x402_client::Client::builder().wallet(wallet()).budget(budget(case));
    builder.policy(policy).build().expect("a client")
}

/// What was paid.
pub(crate) fn receipt(receipt: Option<&x402_client::Receipt>) -> Value {
    receipt.map_or(Value::Null, |receipt| {
        json!({
            "amount": receipt.amount.to_decimal(receipt.decimals),
            "charged": receipt.charged.map(|charged| charged.to_decimal(receipt.decimals)),
            "network": receipt.network.to_string(),
            "asset": x402_model::asset::checksum(receipt.asset),
            "payTo": x402_model::asset::checksum(receipt.pay_to),
            "transaction": receipt.transaction,
        })
    })
}

/// Prints what came of a call.
pub(crate) fn say(case: &Value, call: &Value, quote: Value, values: Vec<Value>, receipts: Vec<Value>, error: Value) {
    let said = json!({
        "case": case["name"], "call": call["number"], "quote": quote, "values": values, "receipts": receipts, "error": error,
    });
    println!("{said}");
}

/// The answer to a call that broke off while it came: the same payment gets it.
pub(crate) async fn resumed(client: &x402_client::Client, pending: Option<&x402_client::PendingPayment>) -> Option<(Value, Value)> {
    let response = client.resume(pending?.clone()).await.ok()?;
    Some((response.json().ok()?, receipt(response.receipt())))
}

/// The client of a case.
macro_rules! client {
    ($g:ident, $case:expr) => {{
        let case = $case;
        let client = if case["tokens"].as_array().is_some_and(|tokens| tokens.is_empty()) {
            $g::Client::new(crate::drive::wallet(), crate::drive::budget(case)).expect("a client")
        } else {
            $g::Client::with(crate::drive::knowing(case, $g::policy()))
        };
        client.at(case["origin"].as_str().expect("an origin"))
    }};
}
pub(crate) use client;

/// A call with the headers that the caller gives.
macro_rules! headed {
    ($call:expr, $make:expr) => {
        $call["headers"].as_object().expect("headers").iter().fold($make, |made, (name, value)| made.header(name, value.as_str().expect("a text")))
    };
}
pub(crate) use headed;

/// The parts of a body: texts by their names, and files by their names with file name, media type and bytes.
macro_rules! parts {
    ($g:ident, $call:expr) => {{
        let all: Vec<Vec<serde_json::Value>> = crate::drive::needed($call, 0);
        all.iter().fold($g::Parts::new(), |parts, part| {
            let text = |at: usize| part[at].as_str().expect("a text");
            match part.get(3) {
                Some(bytes) => parts.file(text(0), text(1), text(2), serde_json::from_value(bytes.clone()).expect("bytes")),
                None => parts.text(text(0), text(1)),
            }
        })
    }};
}
pub(crate) use parts;

macro_rules! failed {
    ($error:expr) => {{
        let error = $error;
        serde_json::json!({
            "code": error.code(), "text": error.to_string(), "charged": error.charged(), "receipt": crate::drive::receipt(error.receipt()),
        })
    }};
}
pub(crate) use failed;

macro_rules! quoted {
    ($g:ident, $quote:expr) => {
        match $quote {
            Ok($g::Quote::Exact(price)) => serde_json::json!({ "kind": "exact", "most": price.amount.normalized().to_string() }),
            Ok($g::Quote::UpTo(price)) => serde_json::json!({ "kind": "up-to", "most": price.amount.normalized().to_string() }),
            Ok($g::Quote::Within(bounds)) => serde_json::json!({
                "kind": "within", "least": bounds.min.amount.normalized().to_string(), "most": bounds.max.amount.normalized().to_string(),
            }),
            Ok($g::Quote::Unknown) => serde_json::json!({ "kind": "unknown" }),
            Err(error) => serde_json::json!({ "kind": error.to_string() }),
        }
    };
}
pub(crate) use quoted;

/// Makes one call.
macro_rules! made {
    ($g:ident, $client:expr, $case:expr, $call:expr, $make:expr) => {{
        let quote = crate::drive::quoted!($g, $make.quote());
        match $make.send().await {
            Ok(paid) => {
                let value = serde_json::to_value(&paid.value).expect("JSON");
                let receipt = crate::drive::receipt(paid.receipt.as_ref());
                crate::drive::say($case, $call, quote, vec![value], vec![receipt], serde_json::Value::Null);
            }
            Err(error) => match crate::drive::resumed($client.inner(), error.pending()).await {
                Some((value, receipt)) => crate::drive::say($case, $call, quote, vec![value], vec![receipt], serde_json::Value::Null),
                None => crate::drive::say($case, $call, quote, vec![], vec![], crate::drive::failed!(error)),
            },
        }
    }};
}
pub(crate) use made;

/// Makes one call whose answer is a stream: every other one reads it as it comes.
macro_rules! streamed {
    ($g:ident, $client:expr, $case:expr, $call:expr, $make:expr) => {{
        let quote = crate::drive::quoted!($g, $make.quote());
        let live = $call["number"].as_u64().is_some_and(|number| number % 2 == 1);
        let events = match live {
            true => $make.stream().await,
            false => $make.send().await.map(|paid| paid.value),
        };
        let read = match events {
            Ok(mut events) => events.all().await.map(|all| (serde_json::to_value(all).expect("JSON"), crate::drive::receipt(events.receipt()))),
            Err(error) => Err(error),
        };
        match read {
            Ok((value, receipt)) => crate::drive::say($case, $call, quote, vec![value], vec![receipt], serde_json::Value::Null),
            Err(error) => crate::drive::say($case, $call, quote, vec![], vec![], crate::drive::failed!(error)),
        }
    }};
}
pub(crate) use streamed;

/// Asks for all pages.
macro_rules! paged {
    ($g:ident, $case:expr, $call:expr, $first:expr, $pages:expr) => {{
        let quote = crate::drive::quoted!($g, $first.quote());
        let mut pages = $pages.expect("pages");
        let (mut values, mut receipts, mut failure) = (vec![], vec![], serde_json::Value::Null);
        while let Some(page) = pages.next().await {
            match page {
                Ok(paid) => {
                    values.push(serde_json::to_value(&paid.value).expect("JSON"));
                    receipts.push(crate::drive::receipt(paid.receipt.as_ref()));
                }
                Err(error) => failure = crate::drive::failed!(error),
            }
        }
        crate::drive::say($case, $call, quote, values, receipts, failure);
    }};
}
pub(crate) use paged;
