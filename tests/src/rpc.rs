//! A small JSON-RPC client for the test chain.

use std::time::Duration;

use serde_json::{Value, json};

/// What a node answered instead of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError(pub String);

/// A JSON-RPC endpoint over HTTP.
#[derive(Debug, Clone)]
pub struct Rpc {
    url: String,
    http: reqwest::Client,
}

impl Rpc {
    /// A client for the node at `url`.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build()
            .expect("an HTTP client");
        Self {
            url: url.to_owned(),
            http,
        }
    }

    /// Calls a method.
    ///
    /// # Errors
    /// The text of a transport or node error.
    pub async fn try_call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .body(body);
        let response = request.send().await.map_err(|e| RpcError(e.to_string()))?;
        let bytes = response
            .bytes()
            .await
            .map_err(|e| RpcError(e.to_string()))?;
        let mut answer: Value =
            serde_json::from_slice(&bytes).map_err(|e| RpcError(e.to_string()))?;
        if answer.get("error").is_some_and(|error| !error.is_null()) {
            return Err(RpcError(answer["error"].to_string()));
        }
        Ok(answer["result"].take())
    }

    /// Calls a method that must succeed.
    pub async fn call(&self, method: &str, params: Value) -> Value {
        match self.try_call(method, params).await {
            Ok(result) => result,
            Err(error) => panic!("{method}: {}", error.0),
        }
    }
}
