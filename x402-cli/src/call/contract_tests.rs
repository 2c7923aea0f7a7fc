//! The last look before a signature, without the looks before it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use x402_client::transport::{Transport, TransportError, TransportReply};
use x402_client::{Budget, Client, Error, Wallet};
use x402_runtime::model::manifest::Document;
use x402_runtime::model::wire::headers::encode;

use super::contract::{Contract, Guard, Quote};
use crate::source::Found;
use crate::vouched::Vouched;

const EXAMPLE: &str = include_str!("../../../x402-model/tests/manifest/manifest.json");
const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const USDC: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
const PAYEE: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// Asks for an amount to a payee, whatever is asked for.
struct Asks {
    amount: &'static str,
    pay_to: &'static str,
}

impl Transport for Asks {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<TransportReply, TransportError>> + Send + '_>>
    {
        let is_paid = request.headers().contains_key("payment-signature");
        let terms = json!({ "x402Version": 2, "resource": { "url": request.uri().to_string() }, "accepts": [{
            "scheme": "exact", "network": "eip155:84532", "amount": self.amount, "maxTimeoutSeconds": 60,
            "asset": USDC, "payTo": self.pay_to, "extra": { "name": "USDC", "version": "2" },
        }] });
        let mut headers = HeaderMap::new();
        headers.insert("payment-required", encode(&terms).unwrap().parse().unwrap());
        let status = if is_paid {
            StatusCode::OK
        } else {
            StatusCode::PAYMENT_REQUIRED
        };
        Box::pin(async move { Ok(TransportReply::new(status, headers, Bytes::new())) })
    }
}

/// The promise of the example about its first endpoint: a thousandth of a dollar, to the payee.
fn contract() -> Arc<Contract> {
    let mut value: Value = serde_json::from_str(EXAMPLE).unwrap();
    value["assets"]["usdc-base"]["network"] = json!("eip155:84532");
    value["assets"]["usdc-base"]["address"] = json!(USDC);
    value["rails"]["base-exact"]["payTo"] = json!(PAYEE);
    let document = Document::from_value(value).unwrap();
    let found = Found {
        bytes: Vec::new(),
        place: "-".to_owned(),
        origin: None,
    };
    let vouched = Vouched::check(&document, &found);
    let endpoint = &document.manifest().endpoints[0];
    Arc::new(Contract::new(&document, &vouched, endpoint, Quote::Within))
}

async fn pays(amount: &'static str, pay_to: &'static str) -> Result<(), String> {
    let client = Client::builder()
        .wallet(Wallet::from_local_key(KEY.parse().unwrap()))
        .budget(Budget::new("5 USD", "5 USD").unwrap())
        .transport(Asks { amount, pay_to })
        .hook(Guard(contract()))
        .build()
        .unwrap();
    match client.get("https://api.example.com/x").send().await {
        Ok(_) => Ok(()),
        Err(Error::Declined(declined)) => Err(declined.code().to_owned()),
        Err(other) => Err(other.to_string()),
    }
}

#[tokio::test]
async fn m08_nothing_is_signed_that_the_manifest_does_not_promise() {
    assert_eq!(pays("1000", PAYEE).await, Ok(()));
    let breach = Err("contract_breach".to_owned());
    assert_eq!(pays("1001", PAYEE).await, breach);
    let other = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
    assert_eq!(pays("1000", other).await, breach);
}
