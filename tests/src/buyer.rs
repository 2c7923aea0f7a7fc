//! A buyer that signs by itself, so that tests can send every wrong payment there is.
//!
//! It shares no code with the product: typed data, signature and header are made here from the specification.

use std::time::Duration;

use alloy_primitives::{Address, B256, U256, hex};
use alloy_signer::SignerSync;
use alloy_sol_types::{Eip712Domain, SolStruct};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::accounts;
use crate::token::{self, TestUsd, TransferWithAuthorization};

/// A whole HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// All of the body.
    pub body: Bytes,
}

impl Answer {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a header is text"))
    }

    fn decoded(&self, name: &str) -> Option<Value> {
        self.header(name).map(|text| {
            decode(text).unwrap_or_else(|| panic!("{name} is not base64 of JSON: {text}"))
        })
    }

    /// The terms of a 402.
    #[must_use]
    pub fn required(&self) -> Option<Value> {
        self.decoded("payment-required")
    }

    /// What the seller says about the settlement.
    #[must_use]
    pub fn receipt(&self) -> Option<Value> {
        self.decoded("payment-response")
    }

    /// The body as JSON; null if it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The stable code of a refusal.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Standard base64 of compact JSON.
#[must_use]
pub fn encode(value: &Value) -> String {
    STANDARD.encode(value.to_string())
}

/// The JSON behind a header.
#[must_use]
pub fn decode(header: &str) -> Option<Value> {
    serde_json::from_slice(&STANDARD.decode(header).ok()?).ok()
}

/// A payment before it is signed. Change any field, then call [`Payment::header`].
#[derive(Debug, Clone)]
pub struct Payment {
    /// The development account whose key signs.
    pub signer: usize,
    /// The chosen entry of `accepts`, copied.
    pub accepted: Value,
    /// The resource, copied.
    pub resource: Option<Value>,
    /// The extensions, copied.
    pub extensions: Option<Value>,
    /// What the signature covers.
    pub domain: Eip712Domain,
    /// The payer.
    pub from: Address,
    /// The payee.
    pub to: Address,
    /// Atomic units.
    pub value: U256,
    /// Unix seconds.
    pub valid_after: u64,
    /// Unix seconds.
    pub valid_before: u64,
    /// The authorization's nonce.
    pub nonce: B256,
}

impl Payment {
    /// The payment that a good buyer makes for the first entry of these terms at this time.
    #[must_use]
    pub fn new(payer: usize, required: &Value, now: u64) -> Self {
        let accepted = required["accepts"][0].clone();
        let text = |value: &Value| value.as_str().expect("text in the terms").to_owned();
        let chain = text(&accepted["network"])
            .trim_start_matches("eip155:")
            .parse()
            .expect("a chain id");
        let contract = text(&accepted["asset"]).parse().expect("the asset");
        Self {
            signer: payer,
            resource: required.get("resource").cloned(),
            extensions: required.get("extensions").cloned(),
            domain: token::domain(
                &text(&accepted["extra"]["name"]),
                &text(&accepted["extra"]["version"]),
                chain,
                contract,
            ),
            from: accounts::address(payer),
            to: text(&accepted["payTo"]).parse().expect("the payee"),
            value: text(&accepted["amount"]).parse().expect("the amount"),
            valid_after: 0,
            valid_before: now
                + accepted["maxTimeoutSeconds"]
                    .as_u64()
                    .expect("the time to pay"),
            nonce: token::fresh_nonce(),
            accepted,
        }
    }

    /// 65 bytes: r, s and v as 27 or 28.
    #[must_use]
    pub fn signature(&self) -> [u8; 65] {
        let message = TransferWithAuthorization {
            from: self.from,
            to: self.to,
            value: self.value,
            validAfter: U256::from(self.valid_after),
            validBefore: U256::from(self.valid_before),
            nonce: self.nonce,
        };
        let digest = message.eip712_signing_hash(&self.domain);
        let signature = accounts::signer(self.signer).sign_hash_sync(&digest);
        signature.expect("a signature").as_bytes()
    }

    /// What anybody may send to the token to carry the payment out.
    #[must_use]
    pub fn call(&self) -> TestUsd::transferWithAuthorizationCall {
        TestUsd::transferWithAuthorizationCall {
            from: self.from,
            to: self.to,
            value: self.value,
            validAfter: U256::from(self.valid_after),
            validBefore: U256::from(self.valid_before),
            nonce: self.nonce,
            signature: self.signature().to_vec().into(),
        }
    }

    /// The `payload` object: signature and authorization.
    #[must_use]
    pub fn authorization(&self) -> Value {
        json!({
            "signature": hex::encode_prefixed(self.signature()),
            "authorization": {
                "from": self.from.to_checksum(None),
                "to": self.to.to_checksum(None),
                "value": self.value.to_string(),
                "validAfter": self.valid_after.to_string(),
                "validBefore": self.valid_before.to_string(),
                "nonce": self.nonce,
            },
        })
    }

    /// The whole `PaymentPayload`.
    #[must_use]
    pub fn payload(&self) -> Value {
        let mut payload =
            json!({"x402Version": 2, "accepted": self.accepted, "payload": self.authorization()});
        for (key, value) in [
            ("resource", &self.resource),
            ("extensions", &self.extensions),
        ] {
            if let Some(value) = value {
                payload[key] = value.clone();
            }
        }
        payload
    }

    /// The value of `PAYMENT-SIGNATURE`.
    #[must_use]
    pub fn header(&self) -> String {
        encode(&self.payload())
    }
}

/// An HTTP client that never follows a redirect and opens a connection for every call.
#[derive(Debug, Clone)]
pub struct Buyer {
    origin: String,
    http: reqwest::Client,
}

impl Buyer {
    /// A buyer at the seller with this origin, such as `http://127.0.0.1:4021`.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_secs(60))
            .build()
            .expect("an HTTP client");
        Self {
            origin: origin.trim_end_matches('/').to_owned(),
            http,
        }
    }

    /// Sends any request.
    ///
    /// # Errors
    /// When no whole answer comes back.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.origin))
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer {
            status,
            headers,
            body: response.bytes().await?,
        })
    }

    /// Sends any request and expects an answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let what = format!("{method} {path}");
        self.try_send(method, path, headers, body)
            .await
            .unwrap_or_else(|e| panic!("{what}: {e:?}"))
    }

    /// An unpaid GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// A GET with a payment header.
    pub async fn pay(&self, path: &str, header: &str) -> Answer {
        self.send(
            Method::GET,
            path,
            &[("PAYMENT-SIGNATURE", header)],
            Vec::new(),
        )
        .await
    }

    /// The terms that an unpaid GET is answered with.
    pub async fn terms(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(
            answer.status, 402,
            "{path} must ask for a payment: {answer:?}"
        );
        answer.required().expect("a 402 carries its terms")
    }

    /// A payment for what an unpaid GET asks.
    pub async fn payment(&self, payer: usize, path: &str, now: u64) -> Payment {
        Payment::new(payer, &self.terms(path).await, now)
    }
}

/// The present, Unix seconds.
#[must_use]
pub fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970")
        .as_secs()
}
