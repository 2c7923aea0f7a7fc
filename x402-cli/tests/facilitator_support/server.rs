//! A facilitator server on the sandbox chain, and a plain HTTP client for it.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use x402_cli::facilitator::{Options, Running, Tokens, serve};
use x402_runtime::evm::EvmConfig;
use x402_runtime::facilitator::FacilitatorRequest;
use x402_runtime::sandbox::{Sandbox, USDC};

/// The token of the caller `alice`.
pub(crate) const ALICE: &str = "alice-canary-token-0001";
/// The token of the caller `bob`.
pub(crate) const BOB: &str = "bob-canary-token-000002";

/// A server that is being set up.
pub(crate) struct Setup {
    pub(crate) sandbox: Sandbox,
    pub(crate) config: EvmConfig,
    pub(crate) options: Options,
}

impl Setup {
    /// The limits of a cautious operator: one token, and no patience that a sandbox does not need.
    pub(crate) fn on(sandbox: &Sandbox) -> Self {
        let mut config = EvmConfig::sandbox();
        config.allowed_assets = vec![USDC];
        Self {
            sandbox: sandbox.clone(),
            config,
            options: Options::default(),
        }
    }

    /// Alice and Bob may call, nobody else.
    pub(crate) fn with_tokens(mut self) -> Self {
        let text = format!("alice {ALICE}\nbob {BOB}\n");
        self.options.tokens = Some(Tokens::parse(&text, "tokens").unwrap());
        self
    }

    /// Callers do not wait for a block, and nothing is re-priced meanwhile.
    pub(crate) fn impatient(sandbox: &Sandbox) -> Self {
        let mut setup = Self::on(sandbox).with_tokens();
        setup.config.settle_timeout = Duration::from_millis(100);
        setup.config.stall_after = Duration::from_secs(60);
        setup
    }

    pub(crate) async fn start(self) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let facilitator = Arc::new(self.sandbox.facilitator_with(self.config));
        let running = serve(listener, vec![facilitator], self.options).unwrap();
        Server {
            url: format!("http://{}", running.address()),
            client: client(),
            running,
            sandbox: self.sandbox,
        }
    }
}

/// Without proxies and redirects.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap()
}

/// A running server.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    pub(crate) running: Running,
    pub(crate) sandbox: Sandbox,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) json: Value,
}

impl Reply {
    /// The code of whatever went wrong.
    pub(crate) fn code(&self) -> &str {
        ["errorReason", "invalidReason", "error"]
            .iter()
            .find_map(|key| self.json[key].as_str())
            .unwrap_or_default()
    }

    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.headers.get("retry-after")?.to_str().ok()?.parse().ok()
    }

    pub(crate) fn success(&self) -> bool {
        self.json["success"] == true
    }
}

/// The body of a call.
pub(crate) fn body(request: &FacilitatorRequest) -> Value {
    json!({
        "x402Version": request.x402_version,
        "paymentPayload": request.payload,
        "paymentRequirements": request.requirements,
    })
}

pub(crate) async fn send(
    client: &reqwest::Client,
    method: Method,
    url: &str,
    body: Vec<u8>,
    headers: &[(&str, &str)],
) -> Reply {
    let mut call = client
        .request(method, url)
        .header("content-type", "application/json")
        .body(body);
    for (name, value) in headers {
        call = call.header(*name, *value);
    }
    let response = call.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text:?}"));
    Reply {
        status,
        headers,
        json,
    }
}

impl Server {
    pub(crate) async fn post(
        &self,
        operation: &str,
        body: impl Into<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let url = format!("{}/{operation}", self.url);
        send(&self.client, Method::POST, &url, body.into(), headers).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let url = format!("{}/{path}", self.url);
        send(&self.client, Method::GET, &url, Vec::new(), &[]).await
    }

    pub(crate) async fn verify(&self, request: &FacilitatorRequest) -> Reply {
        self.post("verify", body(request).to_string(), &[]).await
    }

    pub(crate) async fn settle(&self, request: &FacilitatorRequest) -> Reply {
        self.post("settle", body(request).to_string(), &[]).await
    }

    /// As a caller with a token and, if it has a ledger, with the key of its payment.
    pub(crate) async fn settle_as(
        &self,
        request: &FacilitatorRequest,
        token: &str,
        key: Option<&str>,
    ) -> Reply {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        self.post("settle", body(request).to_string(), &headers)
            .await
    }

    /// Transactions that the settling account has sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sandbox.transaction_count(self.sandbox.settler())
    }

    /// Native money of the settling account.
    pub(crate) fn purse(&self) -> U256 {
        self.sandbox.native_balance(self.sandbox.settler())
    }
}
