//! Approvals of Permit2 that go along with a payment: as the reference makes them, and only where they are needed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, B256, U256};
use alloy_signer_local::PrivateKeySigner;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use serde_json::{Value, json};
use x402_client::chain::{ChainReadError, ChainReader, Fees};
use x402_client::transport::{Transport, TransportError, TransportReply};
use x402_client::wallet::{NonceSource, SigningError};
use x402_client::{Approvals, Budget, Client, Policy, Wallet};
use x402_model::evm::{EvmPayload, GasSponsoring};
use x402_model::network::Network;
use x402_model::wire::headers::{DEFAULT_CAP, decode_value, encode};

/// A chain in a given state; `None` is a number that cannot be read.
#[derive(Clone, Default)]
struct Chain {
    allowance: Option<u64>,
    permit_nonce: Option<u64>,
    count: Option<u64>,
    fees: Option<Fees>,
    asked: Arc<Mutex<Vec<&'static str>>>,
}

impl Chain {
    fn read<T: Send + 'static>(
        &self,
        what: &'static str,
        value: Option<T>,
    ) -> BoxFuture<'static, Result<T, ChainReadError>> {
        self.asked.lock().unwrap().push(what);
        Box::pin(async move { value.ok_or(ChainReadError::Answer) })
    }
}

impl ChainReader for Chain {
    fn allowance<'a>(
        &'a self,
        network: &'a Network,
        _: Address,
        _: Address,
        spender: Address,
    ) -> BoxFuture<'a, Result<U256, ChainReadError>> {
        assert_eq!(*network, Network::BASE_SEPOLIA);
        assert_eq!(spender, x402_model::evm::permit2::PERMIT2);
        self.read("allowance", self.allowance.map(U256::from))
    }

    fn permit_nonce<'a>(
        &'a self,
        _: &'a Network,
        _: Address,
        _: Address,
    ) -> BoxFuture<'a, Result<U256, ChainReadError>> {
        self.read("permit nonce", self.permit_nonce.map(U256::from))
    }

    fn transaction_count<'a>(
        &'a self,
        _: &'a Network,
        _: Address,
    ) -> BoxFuture<'a, Result<u64, ChainReadError>> {
        self.read("count", self.count)
    }

    fn fees<'a>(&'a self, _: &'a Network) -> BoxFuture<'a, Result<Fees, ChainReadError>> {
        self.read("fees", self.fees)
    }
}

/// A seller in memory, because the recorded terms are for a place that is not this machine.
#[derive(Clone)]
struct Offering {
    terms: Value,
    paid: Arc<Mutex<Option<Value>>>,
}

impl Transport for Offering {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<TransportReply, TransportError>> {
        Box::pin(async move {
            if let Some(payment) = request.headers().get("payment-signature") {
                let payment = decode_value(payment.as_bytes(), 4 * DEFAULT_CAP).unwrap();
                *self.paid.lock().unwrap() = Some(payment);
                return Ok(TransportReply::new(StatusCode::OK, HeaderMap::new(), ""));
            }
            let mut headers = HeaderMap::new();
            let text = encode(&self.terms).unwrap();
            headers.insert("payment-required", HeaderValue::from_str(&text).unwrap());
            Ok(TransportReply::new(
                StatusCode::PAYMENT_REQUIRED,
                headers,
                "{}",
            ))
        })
    }
}

struct OneNonce(B256);

impl NonceSource for OneNonce {
    fn nonce(&self) -> Result<B256, SigningError> {
        Ok(self.0)
    }
}

/// The payment that a buyer with this chain makes for these terms.
async fn pay(terms: &Value, key: &str, nonce: B256, chain: Option<Chain>, policy: Policy) -> Value {
    let offering = Offering {
        terms: terms.clone(),
        paid: Arc::default(),
    };
    let key: PrivateKeySigner = key.parse().unwrap();
    let client = Client::builder()
        .wallet(Wallet::from_local_key(key))
        .budget(Budget::new("1 USD", "1 USD").unwrap())
        .policy(policy)
        .transport(offering.clone())
        .clock(x402_client::time::ManualClock::at_ms(1_790_000_000_000))
        .nonces(OneNonce(nonce))
        .terms_cap(4 * DEFAULT_CAP);
    let client = match chain {
        Some(chain) => client.chain(chain),
        None => client,
    };
    let answer = client.build().unwrap();
    let answer = answer.get("https://api.example.com/weather").send().await;
    assert!(answer.unwrap().is_success());
    let paid = offering.paid.lock().unwrap().clone();
    paid.unwrap()
}

struct Recorded {
    terms: Value,
    key: String,
    nonce: B256,
    chain: Chain,
    expected: Value,
}

/// The cases of `gas_sponsoring.json` in which a buyer pays.
fn recorded() -> BTreeMap<String, Recorded> {
    let text = include_str!("../../../x402-model/tests/data/gas_sponsoring.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let paying = cases.filter(|case| case["name"].as_str().unwrap().starts_with("client_"));
    paying
        .map(|case| {
            let (input, expected) = (&case["input"], &case["expected"]["payload"]);
            let payload = EvmPayload::parse(&expected["payload"]).unwrap();
            let state = &input["chainState"];
            let number = |key: &str| state[key].as_str().and_then(|text| text.parse().ok());
            let fee = |key: &str| state[key].as_str().and_then(|text| text.parse().ok());
            let fees = fee("maxFeePerGas").zip(fee("maxPriorityFeePerGas"));
            let chain = Chain {
                allowance: number("allowance"),
                permit_nonce: number("nonces"),
                count: state["txCount"].as_u64(),
                fees: fees.map(|(max_fee_per_gas, max_priority_fee_per_gas)| Fees {
                    max_fee_per_gas,
                    max_priority_fee_per_gas,
                }),
                ..Chain::default()
            };
            let recorded = Recorded {
                terms: input["paymentRequired"].clone(),
                key: input["privateKey"].as_str().unwrap().to_owned(),
                nonce: payload.nonce(),
                chain,
                expected: expected.clone(),
            };
            (case["name"].as_str().unwrap().to_owned(), recorded)
        })
        .collect()
}

async fn paid_by(case: &Recorded, chain: Option<Chain>, policy: Policy) -> Value {
    pay(&case.terms, &case.key, case.nonce, chain, policy).await
}

#[tokio::test]
async fn payments_with_an_approval_equal_the_reference_bit_for_bit() {
    let cases = recorded();
    assert_eq!(cases.len(), 2);
    for (name, case) in &cases {
        let paid = paid_by(
            case,
            Some(case.chain.clone()),
            Policy::default().approvals(Approvals::Any),
        )
        .await;
        assert_eq!(paid, case.expected, "{name}");
    }
}

fn approval(paid: &Value) -> Option<GasSponsoring> {
    GasSponsoring::find(paid["extensions"].as_object()).unwrap()
}

#[tokio::test]
async fn a14_nothing_is_approved_that_need_not_be() {
    for (name, case) in recorded() {
        let enough = Chain {
            allowance: Some(10_000),
            ..case.chain.clone()
        };
        let unreadable = Chain {
            allowance: None,
            ..case.chain.clone()
        };
        for (chain, policy) in [
            (None, Policy::default()),
            (Some(enough), Policy::default()),
            (Some(unreadable), Policy::default()),
            (
                Some(case.chain.clone()),
                Policy::default().approvals(Approvals::Never),
            ),
        ] {
            let paid = paid_by(&case, chain, policy).await;
            assert_eq!(approval(&paid), None, "{name}");
            assert_eq!(
                paid["extensions"], case.terms["extensions"],
                "{name}: echoed as read"
            );
            assert_eq!(paid["payload"], case.expected["payload"], "{name}");
        }
        // What was not declared is not asked for either.
        let mut silent = case.terms.clone();
        silent.as_object_mut().unwrap().remove("extensions");
        let chain = case.chain.clone();
        let asked = Arc::clone(&chain.asked);
        asked.lock().unwrap().clear();
        let paid = pay(
            &silent,
            &case.key,
            case.nonce,
            Some(chain),
            Policy::default(),
        )
        .await;
        assert!(paid.get("extensions").is_none() && asked.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a14_a_permit_is_preferred_and_an_unlimited_approval_can_be_forbidden() {
    let cases = recorded();
    let permit = &cases["client_eip2612_permit_attached"];
    let transaction = &cases["client_erc20_approval_tx_attached"];
    let mut both = permit.terms.clone();
    let key = "erc20ApprovalGasSponsoring";
    both["extensions"][key] = transaction.terms["extensions"][key].clone();
    let chain = Chain {
        permit_nonce: Some(7),
        ..transaction.chain.clone()
    };
    let paid = pay(
        &both,
        &permit.key,
        permit.nonce,
        Some(chain),
        Policy::default(),
    )
    .await;
    assert!(matches!(approval(&paid), Some(GasSponsoring::Eip2612(_))));
    assert_eq!(
        paid["extensions"][key], both["extensions"][key],
        "the other one is echoed"
    );

    let permits_only = Policy::default().approvals(Approvals::Permits);
    let paid = paid_by(
        transaction,
        Some(transaction.chain.clone()),
        permits_only.clone(),
    )
    .await;
    assert_eq!(approval(&paid), None);
    let paid = paid_by(permit, Some(permit.chain.clone()), permits_only).await;
    assert!(approval(&paid).is_some());
}

#[tokio::test]
async fn a_version_that_is_not_known_is_not_answered() {
    for (name, mut case) in recorded() {
        for (_, extension) in case.terms["extensions"].as_object_mut().unwrap() {
            extension["info"]["version"] = json!("2");
        }
        let paid = paid_by(&case, Some(case.chain.clone()), Policy::default()).await;
        assert_eq!(paid["extensions"], case.terms["extensions"], "{name}");
    }
}

#[tokio::test]
async fn eip3009_needs_no_approval_and_asks_no_chain() {
    let case = &recorded()["client_eip2612_permit_attached"];
    let mut terms = case.terms.clone();
    terms["accepts"][0]["extra"]
        .as_object_mut()
        .unwrap()
        .remove("assetTransferMethod");
    let chain = case.chain.clone();
    let asked = Arc::clone(&chain.asked);
    let paid = pay(
        &terms,
        &case.key,
        case.nonce,
        Some(chain),
        Policy::default(),
    )
    .await;
    assert_eq!(approval(&paid), None);
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn fees_that_cannot_be_read_are_the_usual_ones() {
    let case = &recorded()["client_erc20_approval_tx_attached"];
    let chain = Chain {
        fees: None,
        ..case.chain.clone()
    };
    let paid = paid_by(
        case,
        Some(chain),
        Policy::default().approvals(Approvals::Any),
    )
    .await;
    let Some(GasSponsoring::Erc20Approval(info)) = approval(&paid) else {
        panic!("no approval");
    };
    let signed = x402_model::evm::SignedCall::decode(&info.signed_transaction).unwrap();
    assert_eq!(
        signed.transaction.max_fee_per_gas,
        Fees::FALLBACK.max_fee_per_gas
    );
    assert_eq!(signed.transaction.nonce, 3);
}
