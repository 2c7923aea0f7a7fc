//! Buys with x402-reqwest: version 2, exact and upto, and version 1 from sellers that speak nothing else.

use std::sync::Arc;

use alloy_signer_local::PrivateKeySigner;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use x402_chain_eip155::{V1Eip155ExactClient, V2Eip155ExactClient, V2Eip155UptoClient};
use x402_reqwest::{ReqwestWithPayments, ReqwestWithPaymentsBuild, X402Client};
use x402_types::scheme::client::{PaymentCandidate, PaymentSelector};

use crate::setting;

/// Takes the first offer, in one token if the test names it.
struct InToken(Option<String>);

impl PaymentSelector for InToken {
    fn select<'a>(&self, candidates: &'a [PaymentCandidate]) -> Option<&'a PaymentCandidate> {
        candidates.iter().find(|candidate| {
            let token = self.0.as_ref();
            token.is_none_or(|token| token.eq_ignore_ascii_case(&candidate.asset))
        })
    }
}

pub(crate) async fn run() {
    let key = std::fs::read_to_string(setting("PEER_KEY_FILE")).expect("the file of the key");
    let signer: Arc<PrivateKeySigner> = Arc::new(key.trim().parse().expect("a key"));
    let wallet = X402Client::new()
        .with_selector(InToken(std::env::var("PEER_ASSET").ok()))
        .register(V2Eip155ExactClient::new(signer.clone()))
        .register(V1Eip155ExactClient::new(signer.clone()));
    let upto = V2Eip155UptoClient::new(signer);
    // With a node it signs permits for Permit2 where the seller takes them.
    let wallet = match std::env::var("PEER_RPC_URL") {
        Ok(node) => {
            let node: reqwest::Url = node.parse().expect("a URL");
            wallet.register(upto.with_provider(node))
        }
        Err(_) => wallet.register(upto),
    };
    let plain = reqwest::Client::builder().no_proxy().build();
    let http = plain.expect("an HTTP client").with_payments(wallet).build();
    let method = setting("PEER_METHOD").parse().expect("a method");
    let mut request = http.request(method, setting("PEER_URL"));
    if let Ok(body) = std::env::var("PEER_BODY") {
        request = request
            .header("content-type", "application/json")
            .body(body);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let receipt = ["payment-response", "x-payment-response"]
        .into_iter()
        .find_map(|name| Some((name, answer.headers().get(name)?.clone())));
    let (header, receipt) = receipt.map_or((Value::Null, Value::Null), |(name, value)| {
        let bytes = STANDARD.decode(value).expect("base64");
        (name.into(), serde_json::from_slice(&bytes).expect("JSON"))
    });
    let body = answer.text().await.expect("the body");
    println!(
        "{}",
        json!({"status": status, "body": body, "header": header, "receipt": receipt})
    );
}
