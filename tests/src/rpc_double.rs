//! A node in front of the node: forwards JSON-RPC calls, and loses, delays, refuses or forges the answers it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum Misdeed {
    /// The node does it, but its answer is replaced by a gateway error.
    LoseAnswer,
    /// The node does it, but the answer never comes.
    HoldAnswer,
    /// The node never hears of it; the caller gets a gateway error.
    Refuse,
    /// The node never hears of it; the caller gets this JSON-RPC error.
    Error(i64, String),
    /// The node never hears of it; the caller gets this result.
    Forge(Value),
    /// The node never hears of it; the caller gets these bytes with status 200.
    Junk(Vec<u8>),
    /// The node does it; the answer comes late.
    Delay(Duration),
}

#[derive(Debug)]
struct Rule {
    method: String,
    times: usize,
    misdeed: Misdeed,
}

#[derive(Debug, Default)]
struct Script {
    rules: Vec<Rule>,
    calls: Vec<String>,
}

#[derive(Clone)]
struct Shared {
    upstream: String,
    http: reqwest::Client,
    script: Arc<Mutex<Script>>,
}

/// The running double. Dropping it stops it.
#[derive(Debug)]
pub struct RpcDouble {
    url: String,
    script: Arc<Mutex<Script>>,
    task: JoinHandle<()>,
}

impl RpcDouble {
    /// Starts a double in front of the node at `upstream`.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let script = Arc::new(Mutex::new(Script::default()));
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("an HTTP client");
        let shared = Shared {
            upstream: upstream.to_owned(),
            http,
            script: Arc::clone(&script),
        };
        let app = Router::new().fallback(answer).with_state(shared);
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("the double serves");
        });
        Self { url, script, task }
    }

    /// The URL to give to the product.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next `times` calls of `method` go wrong.
    pub fn misbehave(&self, method: &str, times: usize, misdeed: Misdeed) {
        let rule = Rule {
            method: method.to_owned(),
            times,
            misdeed,
        };
        self.script.lock().expect("the script").rules.push(rule);
    }

    /// Everything goes well again.
    pub fn behave(&self) {
        self.script.lock().expect("the script").rules.clear();
    }

    /// How often a method was called.
    #[must_use]
    pub fn calls(&self, method: &str) -> usize {
        self.script
            .lock()
            .expect("the script")
            .calls
            .iter()
            .filter(|call| *call == method)
            .count()
    }
}

impl Drop for RpcDouble {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Script {
    /// Notes the call and finds what happens to it.
    fn next(&mut self, method: &str) -> Option<Misdeed> {
        self.calls.push(method.to_owned());
        let at = self
            .rules
            .iter()
            .position(|rule| rule.method == method && rule.times > 0)?;
        self.rules[at].times -= 1;
        Some(self.rules[at].misdeed.clone())
    }
}

async fn answer(State(shared): State<Shared>, body: Bytes) -> Response {
    let call: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = call["method"].as_str().unwrap_or("batch");
    let misdeed = shared.script.lock().expect("the script").next(method);
    let reply = |value: Value| {
        (
            StatusCode::OK,
            [("content-type", "application/json")],
            value.to_string(),
        )
            .into_response()
    };
    match misdeed {
        None => forward(&shared, body).await,
        Some(Misdeed::LoseAnswer) => {
            forward(&shared, body).await;
            (StatusCode::BAD_GATEWAY, "<html>bad gateway</html>").into_response()
        }
        Some(Misdeed::HoldAnswer) => {
            forward(&shared, body).await;
            std::future::pending().await
        }
        Some(Misdeed::Refuse) => {
            (StatusCode::BAD_GATEWAY, "<html>bad gateway</html>").into_response()
        }
        Some(Misdeed::Error(code, message)) => reply(
            json!({"jsonrpc": "2.0", "id": call["id"], "error": {"code": code, "message": message}}),
        ),
        Some(Misdeed::Forge(result)) => {
            reply(json!({"jsonrpc": "2.0", "id": call["id"], "result": result}))
        }
        Some(Misdeed::Junk(bytes)) => (
            StatusCode::OK,
            [("content-type", "application/json")],
            bytes,
        )
            .into_response(),
        Some(Misdeed::Delay(time)) => {
            let response = forward(&shared, body).await;
            tokio::time::sleep(time).await;
            response
        }
    }
}

async fn forward(shared: &Shared, body: Bytes) -> Response {
    let request = shared
        .http
        .post(&shared.upstream)
        .header("content-type", "application/json")
        .body(body);
    let Ok(response) = request.send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    match response.bytes().await {
        Ok(bytes) => (
            StatusCode::OK,
            [("content-type", "application/json")],
            bytes,
        )
            .into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
