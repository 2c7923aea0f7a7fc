//! JSON-RPC nodes that are broken, slow or malicious: every oddity is a typed error, and none is a definite no.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/node.rs"]
mod node;

use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, keccak256};
use node::{Reply, http, serve};
use serde_json::{Value, json};
use x402_runtime::evm::chain::{
    BlockRef, CallError, CallRequest, ChainError, LogFilter, SendError,
};
use x402_runtime::evm::{Chain, RpcChain, RpcLimits};
use x402_runtime::sandbox::USDC;

const SECRET: &str = "secret-key-in-the-path";

fn limits() -> RpcLimits {
    RpcLimits::default()
        .with_deadline(Duration::from_millis(150))
        .with_max_answer(64 * 1024)
}

/// A chain whose node knows its id and answers everything else in one way.
async fn odd_chain(reply: Reply) -> RpcChain {
    let url = serve(move |request| match request["method"].as_str() {
        Some("eth_chainId") => Reply::Result(json!("0x14a34")),
        _ => reply.clone(),
    })
    .await;
    RpcChain::connect_with(&url, limits()).await.unwrap()
}

/// Asks every question, and returns each error.
async fn ask_everything(chain: &dyn Chain) -> Vec<ChainError> {
    let a = Address::repeat_byte(1);
    let request = CallRequest {
        from: a,
        to: a,
        data: Default::default(),
        gas: Some(100_000),
    };
    let filter = LogFilter {
        address: a,
        topics: [None, Some(B256::ZERO), None, None],
        from_block: 1,
        to_block: 9,
    };
    let of_call = |error| match error {
        CallError::Chain(error) => error,
        error => panic!("a definite answer out of nonsense: {error}"),
    };
    let mut errors = vec![
        chain.latest_block().await.unwrap_err(),
        chain.block_by_number(7).await.unwrap_err(),
        chain.code(a).await.unwrap_err(),
        of_call(
            chain
                .call(request.clone(), BlockRef::Latest)
                .await
                .unwrap_err(),
        ),
        of_call(chain.estimate_gas(request.clone()).await.unwrap_err()),
        chain.call_in_turn(vec![request]).await.unwrap_err(),
        chain.transaction(B256::repeat_byte(2)).await.unwrap_err(),
        chain
            .transaction_count(a, BlockRef::Pending)
            .await
            .unwrap_err(),
        chain.balance(a).await.unwrap_err(),
        chain.priority_fee().await.unwrap_err(),
        chain.receipt(B256::repeat_byte(2)).await.unwrap_err(),
        chain.logs(filter).await.unwrap_err(),
    ];
    match chain.send_raw(&[1, 2, 3]).await.unwrap_err() {
        SendError::Unsure(error) => errors.push(error),
        error => panic!("a definite no out of nonsense: {error}"),
    }
    errors
}

fn assert_no_secret(errors: &[ChainError]) {
    let shown = format!(
        "{errors:?} {}",
        errors.iter().map(ToString::to_string).collect::<String>()
    );
    assert!(
        !shown.contains(SECRET) && !shown.contains("127.0.0.1"),
        "{shown}"
    );
}

#[tokio::test]
async fn nonsense_is_a_bad_answer() {
    let table: Vec<(&str, Reply)> = vec![
        (
            "garbage",
            Reply::Raw(http("200 OK", "", b"<html>502 Bad Gateway</html>")),
        ),
        ("empty", Reply::Raw(http("200 OK", "", b""))),
        (
            "other id",
            Reply::Raw(http(
                "200 OK",
                "",
                br#"{"jsonrpc":"2.0","id":999999,"result":"0x1"}"#,
            )),
        ),
        (
            "no id",
            Reply::Raw(http("200 OK", "", br#"{"jsonrpc":"2.0","result":"0x1"}"#)),
        ),
        ("array", Reply::Raw(http("200 OK", "", b"[]"))),
        (
            "deep",
            Reply::Raw(http("200 OK", "", "[".repeat(50_000).as_bytes())),
        ),
        (
            "compressed",
            Reply::Raw(http(
                "200 OK",
                "content-encoding: gzip\r\n",
                &[0x1f, 0x8b, 8, 0, 0],
            )),
        ),
        (
            "long",
            Reply::Raw(http("200 OK", "", &vec![b' '; 65 * 1024])),
        ),
        ("wrong shape", Reply::Result(json!({ "surprise": true }))),
        ("wrong type", Reply::Result(json!(true))),
    ];
    for (name, reply) in table {
        let errors = ask_everything(&odd_chain(reply).await).await;
        assert!(
            errors
                .iter()
                .all(|error| matches!(error, ChainError::BadAnswer(_))),
            "{name}: {errors:?}"
        );
        assert_no_secret(&errors);
    }
}

#[tokio::test]
async fn broken_connections_and_statuses_are_unreachable() {
    let table: Vec<(&str, Reply)> = vec![
        ("closed", Reply::Close),
        (
            "truncated",
            Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"jsonrpc\"".to_vec()),
        ),
        ("not http", Reply::Raw(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())),
        (
            "500",
            Reply::Raw(http("500 Internal Server Error", "", b"{}")),
        ),
        (
            "429",
            Reply::Raw(http("429 Too Many Requests", "retry-after: 9\r\n", b"{}")),
        ),
        (
            "redirect",
            Reply::Raw(http(
                "302 Found",
                "location: http://169.254.169.254/latest\r\n",
                b"",
            )),
        ),
    ];
    for (name, reply) in table {
        let errors = ask_everything(&odd_chain(reply).await).await;
        assert!(
            errors
                .iter()
                .all(|error| matches!(error, ChainError::Unreachable(_))),
            "{name}: {errors:?}"
        );
        assert_no_secret(&errors);
    }
}

#[tokio::test]
async fn silence_and_dripping_end_at_the_deadline() {
    for reply in [Reply::Hang, Reply::Drip] {
        let chain = odd_chain(reply.clone()).await;
        let started = Instant::now();
        assert_eq!(
            chain.latest_block().await.unwrap_err(),
            ChainError::Timeout,
            "{reply:?}"
        );
        assert_eq!(
            chain.send_raw(&[1]).await.unwrap_err(),
            SendError::Unsure(ChainError::Timeout),
            "{reply:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn a_receipt_or_log_that_was_not_asked_for_is_refused() {
    let hash = B256::repeat_byte(2);
    let receipt = |change: fn(&mut Value)| {
        let mut receipt = json!({
            "transactionHash": hash, "status": "0x1", "blockNumber": "0x5", "blockHash": hash, "gasUsed": "0x1", "logs": [],
        });
        change(&mut receipt);
        receipt
    };
    let good = odd_chain(Reply::Result(receipt(|_| ()))).await;
    assert!(good.receipt(hash).await.unwrap().unwrap().status);
    let changes: [fn(&mut Value); 5] = [
        |r| r["transactionHash"] = json!(B256::repeat_byte(3)),
        |r| r["status"] = Value::Null,
        |r| r["status"] = json!("0x2"),
        |r| r["blockNumber"] = Value::Null,
        |r| r["logs"] = json!([{ "address": Address::ZERO, "topics": [], "data": "0x", "transactionHash": B256::ZERO, "blockNumber": "0x5" }]),
    ];
    for change in changes {
        let chain = odd_chain(Reply::Result(receipt(change))).await;
        assert!(matches!(
            chain.receipt(hash).await,
            Err(ChainError::BadAnswer(_))
        ));
    }
    let log = json!([{ "address": USDC, "topics": [hash], "data": "0x", "transactionHash": hash, "blockNumber": "0x5" }]);
    let chain = odd_chain(Reply::Result(log)).await;
    let ask = |address, topic, to_block| {
        chain.logs(LogFilter {
            address,
            topics: [topic, None, None, None],
            from_block: 1,
            to_block,
        })
    };
    assert_eq!(ask(USDC, Some(hash), 5).await.unwrap().len(), 1);
    for (address, topic, to) in [
        (Address::ZERO, None, 5),
        (USDC, Some(B256::ZERO), 5),
        (USDC, None, 4),
    ] {
        assert!(matches!(
            ask(address, topic, to).await,
            Err(ChainError::BadAnswer(_))
        ));
    }
}

#[tokio::test]
async fn a_node_that_names_another_transaction_is_not_believed() {
    let chain = odd_chain(Reply::Result(json!(B256::repeat_byte(9)))).await;
    assert!(matches!(
        chain.send_raw(&[1, 2]).await,
        Err(SendError::Unsure(ChainError::BadAnswer(_)))
    ));
    let chain = odd_chain(Reply::Result(json!(keccak256([1, 2])))).await;
    assert_eq!(chain.send_raw(&[1, 2]).await.unwrap(), keccak256([1, 2]));
}

#[tokio::test]
async fn a_url_is_checked_and_its_secrets_are_never_shown() {
    for url in [
        "ftp://user:secret-key-in-the-path@host/",
        "secret-key-in-the-path",
        "http://",
        "http://[::1/secret-key-in-the-path",
    ] {
        let error = RpcChain::connect_with(url, limits()).await.unwrap_err();
        assert_no_secret(&[error]);
    }
    // Nobody listens on port 9 of this machine.
    let error = RpcChain::connect_with(
        "http://user:secret-key-in-the-path@127.0.0.1:9/secret-key-in-the-path",
        limits(),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, ChainError::Unreachable(_)));
    assert_no_secret(&[error]);
    let shown = format!("{:?}", odd_chain(Reply::Hang).await);
    assert!(
        !shown.contains(SECRET) && shown.contains("84532"),
        "{shown}"
    );
}

#[tokio::test]
async fn results_and_transactions_that_were_not_asked_for_are_bad_answers() {
    let call = CallRequest {
        from: USDC,
        to: USDC,
        data: Default::default(),
        gas: None,
    };
    let good = json!({ "status": "0x1", "returnData": "0x01", "gasUsed": "0x1", "logs": [] });
    let simulated = [
        json!([]),
        json!([{ "calls": [] }]),
        json!([{ "calls": [good, good] }]),
        json!([{ "calls": [good] }, { "calls": [good] }]),
        json!([{ "calls": [{ "status": "0x2", "returnData": "0x" }] }]),
        json!([{ "calls": [{ "returnData": "0x" }] }]),
    ];
    for answer in simulated {
        let chain = odd_chain(Reply::Result(answer.clone())).await;
        let error = chain.call_in_turn(vec![call.clone()]).await.unwrap_err();
        assert!(
            matches!(error, ChainError::BadAnswer(_)),
            "{answer}: {error}"
        );
    }
    let reverted = json!({ "status": "0x0", "returnData": "0x", "error": { "code": 3, "message": "no\n way", "data": "0x756688fe" } });
    let chain = odd_chain(Reply::Result(json!([{ "calls": [reverted] }]))).await;
    let results = chain.call_in_turn(vec![call]).await.unwrap();
    let Err(CallError::Revert { message, .. }) = &results[0] else {
        panic!("{results:?}");
    };
    assert_eq!(message, "InvalidNonce");

    let hash = B256::repeat_byte(2);
    let shown = |hash: B256| json!({ "hash": hash, "from": USDC, "to": null, "input": "0x01", "blockNumber": null });
    let other = odd_chain(Reply::Result(shown(B256::repeat_byte(3)))).await;
    let error = other.transaction(hash).await.unwrap_err();
    assert!(matches!(error, ChainError::BadAnswer(_)), "{error}");
    // It is in no block, so it proves nothing yet.
    let pending = odd_chain(Reply::Result(shown(hash))).await;
    assert_eq!(pending.transaction(hash).await.unwrap(), None);
}
