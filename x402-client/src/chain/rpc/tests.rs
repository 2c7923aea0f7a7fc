//! What is asked of an endpoint, and every answer that is none.

use std::sync::Mutex;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::transport::{TransportError, TransportErrorKind, TransportReply};

/// Answers by method, and keeps what it was asked.
#[derive(Default)]
struct Node {
    answers: Vec<(&'static str, Value)>,
    asked: Mutex<Vec<Value>>,
}

impl Transport for Node {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<TransportReply, TransportError>> {
        Box::pin(async move {
            assert_eq!(request.headers()["content-type"], "application/json");
            assert_eq!(request.extensions().get::<ReplyLimits>(), Some(&LIMITS));
            let asked: Value = serde_json::from_slice(request.body()).unwrap();
            let known = self
                .answers
                .iter()
                .find(|(method, _)| asked["method"] == *method);
            self.asked.lock().unwrap().push(asked.clone());
            let Some((_, result)) = known else {
                return Err(TransportError::new(TransportErrorKind::Timeout, "x"));
            };
            let body = json!({"jsonrpc": "2.0", "id": 1, "result": result});
            Ok(TransportReply::new(
                StatusCode::OK,
                HeaderMap::new(),
                body.to_string(),
            ))
        })
    }
}

fn reader(answers: Vec<(&'static str, Value)>) -> (JsonRpcReader, Arc<Node>) {
    let node = Arc::new(Node {
        answers,
        ..Node::default()
    });
    let reader = JsonRpcReader::with_transport(Arc::clone(&node))
        .endpoint(Network::BASE, "https://node.example.com/CANARY")
        .unwrap();
    (reader, node)
}

const TOKEN: Address = Address::repeat_byte(0x70);
const OWNER: Address = Address::repeat_byte(0x11);
const SPENDER: Address = Address::repeat_byte(0x22);

fn word(value: u64) -> Value {
    json!(format!("0x{value:064x}"))
}

#[tokio::test]
async fn views_are_called_with_their_arguments_as_words() {
    let (reader, node) = reader(vec![("eth_call", word(7))]);
    let allowance = reader
        .allowance(&Network::BASE, TOKEN, OWNER, SPENDER)
        .await;
    assert_eq!(allowance, Ok(U256::from(7)));
    let nonce = reader.permit_nonce(&Network::BASE, TOKEN, OWNER).await;
    assert_eq!(nonce, Ok(U256::from(7)));
    let asked = node.asked.lock().unwrap();
    let argument = |byte: &str| format!("{}{}", "0".repeat(24), byte.repeat(20));
    let data = format!("0xdd62ed3e{}{}", argument("11"), argument("22"));
    assert_eq!(asked[0]["params"][0]["data"], data);
    assert_eq!(
        asked[0]["params"][0]["to"],
        format!("0x{}", "70".repeat(20))
    );
    assert_eq!(asked[0]["params"][1], "latest");
    assert_eq!(
        asked[1]["params"][0]["data"],
        format!("0x7ecebe00{}", argument("11"))
    );
}

#[tokio::test]
async fn counts_and_fees_are_quantities() {
    let (reader, node) = reader(vec![
        ("eth_getTransactionCount", json!("0x3")),
        ("eth_getBlockByNumber", json!({"baseFeePerGas": "0x64"})),
        ("eth_maxPriorityFeePerGas", json!("0x5")),
    ]);
    assert_eq!(reader.transaction_count(&Network::BASE, OWNER).await, Ok(3));
    assert_eq!(node.asked.lock().unwrap()[0]["params"][1], "pending");
    let fees = Fees {
        max_fee_per_gas: 205,
        max_priority_fee_per_gas: 5,
    };
    assert_eq!(reader.fees(&Network::BASE).await, Ok(fees));
}

#[tokio::test]
async fn what_is_no_number_is_an_error() {
    let long = format!("0x{}", "0".repeat(66));
    for answer in [
        json!("0x"),
        json!("0x07"),
        json!(7),
        json!(null),
        json!(long),
        json!({}),
    ] {
        let (reader, _) = reader(vec![("eth_call", answer.clone())]);
        let read = reader.permit_nonce(&Network::BASE, TOKEN, OWNER).await;
        assert_eq!(read, Err(ChainReadError::Answer), "{answer}");
    }
    for answer in [
        json!("3"),
        json!("0x"),
        json!("0x1_0"),
        json!("0x10000000000000000"),
    ] {
        let (reader, _) = reader(vec![("eth_getTransactionCount", answer.clone())]);
        let read = reader.transaction_count(&Network::BASE, OWNER).await;
        assert_eq!(read, Err(ChainReadError::Answer), "{answer}");
    }
    let (reader, _) = reader(vec![("eth_getBlockByNumber", json!({}))]);
    assert_eq!(
        reader.fees(&Network::BASE).await,
        Err(ChainReadError::Answer)
    );
    assert_eq!(result(br#"{"result":"0x1","error":{"code":1}}"#), None);
    assert_eq!(
        result(br#"{"error":null,"result":"0x1"}"#),
        Some(json!("0x1"))
    );
    assert_eq!(result(b"[]"), None);
}

#[tokio::test]
async fn an_endpoint_is_needed_and_never_shown() {
    let (reader, _) = reader(Vec::new());
    let missing = reader.fees(&Network::POLYGON).await.unwrap_err();
    assert_eq!(missing, ChainReadError::NoEndpoint);
    let silent = reader.fees(&Network::BASE).await.unwrap_err();
    assert_eq!(silent, ChainReadError::Unreachable);
    let shown = format!("{reader:?} {missing:?} {missing} {silent:?} {silent}");
    assert!(
        shown.contains("eip155:8453") && !shown.contains("CANARY"),
        "{shown}"
    );
    let plain = JsonRpcReader::with_transport(Node::default());
    assert!(
        plain
            .endpoint(Network::BASE, "http://node.example.com/")
            .is_err()
    );
}
