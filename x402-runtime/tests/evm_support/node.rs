//! A JSON-RPC node in front of the sandbox, and servers that answer like no node should.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use x402_runtime::evm::Chain;
use x402_runtime::evm::chain::{
    BlockInfo, BlockRef, CallError, CallRequest, LogFilter, LogInfo, ReceiptInfo, SendError,
};

/// What a server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers this JSON-RPC result.
    Result(Value),
    /// Answers this JSON-RPC error.
    Error(Value),
    /// Sends these bytes and closes.
    Raw(Vec<u8>),
    /// Says nothing and keeps the connection open.
    Hang,
    /// Closes without a byte.
    Close,
    /// Sends one byte every few milliseconds for ever.
    Drip,
}

/// Frames a body as an HTTP answer.
pub(crate) fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Starts a server that answers each request as `answer` says, and returns its URL.
pub(crate) async fn serve<F>(answer: F) -> String
where
    F: Fn(Value) -> Reply + Send + Sync + 'static,
{
    serve_async(move |request| {
        let reply = answer(request);
        async move { reply }
    })
    .await
}

async fn serve_async<F, A>(answer: F) -> String
where
    F: Fn(Value) -> A + Send + Sync + 'static,
    A: Future<Output = Reply> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/v1/secret-key-in-the-path",
        listener.local_addr().unwrap()
    );
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                // A client that goes away early is part of the tests.
                let _ = connection(stream, &*answer).await;
            });
        }
    });
    url
}

async fn connection<F, A>(mut stream: TcpStream, answer: &F) -> std::io::Result<()>
where
    F: Fn(Value) -> A,
    A: Future<Output = Reply>,
{
    let request = read_request(&mut stream).await?;
    let id = request["id"].clone();
    let body = match answer(request).await {
        Reply::Result(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Reply::Error(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
        Reply::Raw(bytes) => return stream.write_all(&bytes).await,
        Reply::Close => return Ok(()),
        Reply::Hang => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            return Ok(());
        }
        Reply::Drip => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
                .await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    stream
        .write_all(&http(
            "200 OK",
            "content-type: application/json\r\n",
            body.to_string().as_bytes(),
        ))
        .await?;
    stream.shutdown().await
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<Value> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await?;
        bytes.extend_from_slice(&chunk[..read]);
        if let Some(start) = bytes.windows(4).position(|window| window == b"\r\n\r\n")
            && let Ok(request) = serde_json::from_slice(&bytes[start + 4..])
        {
            return Ok(request);
        }
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Faults that a [`node`] has: the method and what happens to its next call.
pub(crate) type Faults = Arc<Mutex<Vec<(&'static str, Reply)>>>;

/// Starts a JSON-RPC node in front of a chain. For `eth_sendRawTransaction`, a fault comes after the node took it.
pub(crate) async fn node(chain: Arc<dyn Chain>, faults: Faults) -> String {
    serve_async(move |request| {
        let (chain, faults) = (Arc::clone(&chain), Arc::clone(&faults));
        async move {
            let method = request["method"].as_str().unwrap_or_default().to_owned();
            let answer = handle(&*chain, &method, &request["params"]).await;
            let mut faults = faults.lock().unwrap();
            let fault = faults
                .iter()
                .position(|(name, _)| *name == method)
                .map(|at| faults.remove(at).1);
            fault.unwrap_or(match answer {
                Ok(result) => Reply::Result(result),
                Err(error) => Reply::Error(error),
            })
        }
    })
    .await
}

#[allow(clippy::needless_pass_by_value, reason = "so that it fits `map_err`")]
fn refuse(message: impl ToString) -> Value {
    json!({ "code": -32000, "message": message.to_string() })
}

fn revert(error: CallError) -> Value {
    match error {
        CallError::Revert { data, message } => {
            json!({ "code": 3, "message": format!("execution reverted: {message}"), "data": data })
        }
        error => refuse(error),
    }
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

fn at(value: &Value) -> BlockRef {
    match value.as_str() {
        Some("latest") => BlockRef::Latest,
        Some("pending") => BlockRef::Pending,
        _ => BlockRef::Number(number(value)),
    }
}

fn parse<T: std::str::FromStr>(value: &Value) -> T
where
    T::Err: std::fmt::Debug,
{
    value.as_str().unwrap().parse().unwrap()
}

fn call(value: &Value) -> CallRequest {
    CallRequest {
        from: parse(&value["from"]),
        to: parse(&value["to"]),
        data: parse(&value["data"]),
        gas: value.get("gas").map(number),
    }
}

fn block_json(block: BlockInfo) -> Value {
    json!({
        "number": format!("{:#x}", block.number), "hash": block.hash, "timestamp": format!("{:#x}", block.timestamp),
        "baseFeePerGas": block.base_fee.map(|fee| format!("{fee:#x}")), "transactions": [], "l2Extra": {},
    })
}

fn log_json(log: &LogInfo) -> Value {
    json!({
        "address": log.address, "topics": log.topics, "data": log.data, "transactionHash": log.transaction,
        "blockNumber": format!("{:#x}", log.block_number), "removed": false, "logIndex": "0x0",
    })
}

fn receipt_json(receipt: &ReceiptInfo) -> Value {
    json!({
        "transactionHash": receipt.transaction, "status": format!("{:#x}", u8::from(receipt.status)), "type": "0x7e",
        "blockNumber": format!("{:#x}", receipt.block_number), "blockHash": receipt.block_hash,
        "gasUsed": format!("{:#x}", receipt.gas_used), "effectiveGasPrice": format!("{:#x}", receipt.effective_gas_price),
        "logs": receipt.logs.iter().map(log_json).collect::<Vec<_>>(),
    })
}

fn filter(value: &Value) -> LogFilter {
    let topic = |at: usize| {
        value["topics"]
            .get(at)
            .filter(|topic| !topic.is_null())
            .map(parse::<B256>)
    };
    LogFilter {
        address: parse(&value["address"]),
        topics: std::array::from_fn(topic),
        from_block: number(&value["fromBlock"]),
        to_block: number(&value["toBlock"]),
    }
}

fn send_error(error: &SendError) -> Value {
    match error {
        SendError::InsufficientFunds => refuse("insufficient funds for gas * price + value"),
        error => refuse(error),
    }
}

async fn handle(chain: &dyn Chain, method: &str, params: &Value) -> Result<Value, Value> {
    let hex = |number: u128| json!(format!("{number:#x}"));
    match method {
        "eth_chainId" => chain
            .chain_id()
            .await
            .map(|id| hex(id.into()))
            .map_err(refuse),
        "eth_getBlockByNumber" => match at(&params[0]) {
            BlockRef::Number(number) => chain
                .block_by_number(number)
                .await
                .map(|block| json!(block.map(block_json))),
            _ => chain.latest_block().await.map(block_json),
        }
        .map_err(refuse),
        "eth_getCode" => chain
            .code(parse::<Address>(&params[0]))
            .await
            .map(|code| json!(code))
            .map_err(refuse),
        "eth_call" => chain
            .call(call(&params[0]), at(&params[1]))
            .await
            .map(|data| json!(data))
            .map_err(revert),
        "eth_estimateGas" => chain
            .estimate_gas(call(&params[0]))
            .await
            .map(|gas| hex(gas.into()))
            .map_err(revert),
        "eth_getTransactionCount" => {
            let count = chain
                .transaction_count(parse(&params[0]), at(&params[1]))
                .await;
            count.map(|count| hex(count.into())).map_err(refuse)
        }
        "eth_getBalance" => chain
            .balance(parse(&params[0]))
            .await
            .map(|wei| json!(wei))
            .map_err(refuse),
        "eth_maxPriorityFeePerGas" => chain.priority_fee().await.map(hex).map_err(refuse),
        "eth_sendRawTransaction" => {
            let sent = chain.send_raw(&parse::<Bytes>(&params[0])).await;
            sent.map(|hash| json!(hash))
                .map_err(|error| send_error(&error))
        }
        _ => find(chain, method, params).await,
    }
}

/// What the chain remembers: receipts, transactions, logs.
async fn find(chain: &dyn Chain, method: &str, params: &Value) -> Result<Value, Value> {
    match method {
        "eth_getTransactionReceipt" => {
            let receipt = chain.receipt(parse(&params[0])).await.map_err(refuse)?;
            Ok(json!(receipt.as_ref().map(receipt_json)))
        }
        "eth_getTransactionByHash" => {
            let found = chain.transaction(parse(&params[0])).await.map_err(refuse)?;
            Ok(json!(found.map(|transaction| json!({
                "hash": transaction.hash, "from": transaction.from, "to": transaction.to, "input": transaction.input,
                "blockNumber": "0x1", "type": "0x7e",
            }))))
        }
        "eth_getLogs" => {
            let logs = chain.logs(filter(&params[0])).await.map_err(refuse)?;
            Ok(json!(logs.iter().map(log_json).collect::<Vec<_>>()))
        }
        _ => Err(json!({ "code": -32601, "message": "the method does not exist" })),
    }
}
