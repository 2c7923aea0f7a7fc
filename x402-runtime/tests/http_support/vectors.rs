//! The recorded exchanges of the reference server with a facilitator, case by case.

use http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json as value};
use x402_runtime::facilitator::http::{
    AuthError, Call, FacilitatorAuth, HttpFacilitator, Operation,
};
use x402_runtime::facilitator::{BoxFuture, Facilitator, FacilitatorRequest, SettleOutcome};

use crate::provider::{Do, Provider};

const FILE: &str = include_str!("../data/facilitator_http.json");

/// Where we answer differently on purpose, by rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// `success: false` after which money may have moved is an unknown outcome, not a failure.
    RefusalThatIsNoNo,
    /// Headers are made per call by a typed trait, so that a map of the wrong shape cannot be written.
    AuthShapeIsTyped,
}

/// Headers by operation, as the reference takes them.
struct Keyed(Value);

impl FacilitatorAuth for Keyed {
    fn headers<'a>(
        &'a self,
        call: Call<'a>,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, AuthError>> {
        let headers = self.0[call.operation.as_str()].as_object().map(|headers| {
            let header = |(name, value): (&String, &Value)| {
                (
                    name.parse().unwrap(),
                    value.as_str().unwrap().parse().unwrap(),
                )
            };
            headers.iter().map(header).collect()
        });
        assert_eq!(call.method, call.operation.method());
        assert!(call.host.starts_with("127.0.0.1:"), "{}", call.host);
        assert_eq!(call.path, format!("/x402/{}", call.operation.as_str()));
        Box::pin(std::future::ready(Ok(headers.unwrap_or_default())))
    }
}

fn open(provider: &Provider, auth: Value) -> HttpFacilitator {
    HttpFacilitator::builder(&format!("{}//", provider.url))
        .auth(Keyed(auth))
        .build()
        .unwrap()
}

fn request_of(body: &Value) -> FacilitatorRequest {
    serde_json::from_value(body.clone()).unwrap()
}

fn some_request(network: &Value) -> FacilitatorRequest {
    let network = network.as_str().unwrap_or("eip155:84532");
    request_of(&value!({
        "x402Version": 2,
        "paymentPayload": { "payload": {} },
        "paymentRequirements": { "network": network },
    }))
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

async fn call(facilitator: &HttpFacilitator, operation: Operation, request: &FacilitatorRequest) {
    match operation {
        Operation::Verify => drop(facilitator.verify(request).await),
        Operation::Settle => drop(facilitator.settle(request).await),
        _ => drop(facilitator.supported().await),
    }
}

fn operation(text: &str) -> Option<Operation> {
    [Operation::Verify, Operation::Settle, Operation::Supported]
        .into_iter()
        .find(|operation| text.starts_with(operation.as_str()))
}

/// What we send.
async fn sends(name: &str, expected: &Value) {
    let provider = Provider::start([Do::Say(500, vec![], vec![])]);
    let path = expected["path"].as_str().unwrap();
    let operation = operation(path.trim_start_matches('/')).unwrap();
    let auth = value!({ operation.as_str(): { "Authorization": expected["authorization"] } });
    let request = match &expected["body"] {
        Value::Null => some_request(&Value::Null),
        body => request_of(body),
    };
    call(&open(&provider, auth), operation, &request).await;
    let seen = provider.seen();
    assert_eq!(seen.len(), 1, "{name}");
    let sent = &seen[0];
    assert_eq!(sent.method, expected["method"].as_str().unwrap(), "{name}");
    assert_eq!(sent.path, format!("/x402{path}"), "{name}");
    assert_eq!(
        sent.header("authorization"),
        expected["authorization"].as_str(),
        "{name}"
    );
    assert_eq!(
        sent.header("content-type"),
        expected["contentType"].as_str(),
        "{name}"
    );
    match &expected["body"] {
        Value::Null => assert!(sent.body.is_empty(), "{name}"),
        body => assert_eq!(
            &serde_json::from_slice::<Value>(&sent.body).unwrap(),
            body,
            "{name}"
        ),
    }
}

fn script(response: &Value) -> Do {
    let status = response["status"]
        .as_u64()
        .and_then(|s| u16::try_from(s).ok());
    let body = match (&response["json"], response["text"].as_str()) {
        (Value::Null, Some(text)) => text.to_owned(),
        (json, _) => json.to_string(),
    };
    Do::Say(status.unwrap(), vec![], body.into_bytes())
}

/// How we read an answer.
async fn reads(name: &str, response: &Value, expected: &Value) -> Option<Difference> {
    let provider = Provider::start([script(response)]);
    let facilitator = open(&provider, Value::Null);
    let request = some_request(&response["json"]["network"]);
    let ok = expected["ok"] == true;
    let reason = expected["errorReason"].as_str();
    match operation(name).unwrap() {
        Operation::Verify => match facilitator.verify(&request).await {
            Ok(said) if ok => {
                assert_eq!(
                    serde_json::to_value(&said).unwrap(),
                    without_nulls(&expected["value"]),
                    "{name}"
                );
            }
            Ok(said) => {
                assert!(!said.is_valid, "{name}");
                assert_eq!(said.invalid_reason.as_deref(), reason, "{name}");
            }
            Err(error) => assert!(!ok && reason.is_none(), "{name}: {error}"),
        },
        Operation::Settle => match facilitator.settle(&request).await {
            SettleOutcome::Settled(said) | SettleOutcome::Refused(said) if ok => {
                assert_eq!(
                    serde_json::to_value(&said).unwrap(),
                    without_nulls(&expected["value"]),
                    "{name}"
                );
            }
            SettleOutcome::Refused(said) => {
                assert_eq!(said.error_reason.as_deref(), reason, "{name}");
            }
            SettleOutcome::Settled(_) => panic!("{name}: settled"),
            SettleOutcome::Unknown { .. } if ok || reason.is_some() => {
                assert_eq!(response["json"]["success"], false, "{name}");
                return Some(Difference::RefusalThatIsNoNo);
            }
            SettleOutcome::Unknown { .. } => {}
        },
        _ => match facilitator.supported().await {
            Ok(said) => {
                assert!(ok, "{name}");
                assert_eq!(
                    serde_json::to_value(&said).unwrap(),
                    without_nulls(&expected["value"]),
                    "{name}"
                );
            }
            Err(error) => assert!(!ok, "{name}: {error}"),
        },
    }
    None
}

/// Headers keyed by operation are sent with that operation.
async fn authorizes(name: &str, input: &Value, expected: &Value) -> Option<Difference> {
    let keyed = input
        .as_object()
        .is_some_and(|map| map.values().all(Value::is_object));
    if !keyed {
        assert_eq!(expected["ok"], false, "{name}");
        return Some(Difference::AuthShapeIsTyped);
    }
    let provider = Provider::start([Do::Say(500, vec![], vec![])]);
    let facilitator = open(&provider, input.clone());
    call(&facilitator, Operation::Verify, &some_request(&Value::Null)).await;
    let sent = &provider.seen()[0];
    let wanted = expected["value"]["headers"].as_object().unwrap();
    for (header, value) in wanted {
        assert_eq!(
            sent.header(&header.to_ascii_lowercase()),
            value.as_str(),
            "{name}"
        );
    }
    assert_eq!(
        sent.header("authorization").is_some(),
        !wanted.is_empty(),
        "{name}"
    );
    None
}

#[tokio::test]
async fn recorded_exchanges_are_ours() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let (mut ran, mut strange, mut differences) = (0, Vec::new(), Vec::new());
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (input, expected) = (&case["input"], &case["expected"]);
        let difference = if expected["method"].is_string() {
            sends(name, expected).await;
            None
        } else if input["facilitatorResponse"].is_object() && operation(name).is_some() {
            reads(name, &input["facilitatorResponse"], expected).await
        } else if name.starts_with("auth") {
            authorizes(name, input, expected).await
        } else {
            strange.push(name);
            continue;
        };
        ran += 1;
        differences.extend(difference.map(|difference| (difference, name)));
    }
    eprintln!("{ran} cases, differences {differences:?}, of another form {strange:?}");
    assert!(ran >= 13, "{strange:?}");
    assert!(strange.len() * 4 <= ran, "{strange:?}");
}
