//! Our client pays through Permit2 on a real chain: what it signs is what the contracts take, and what it costs is what moved.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::any};
use serde_json::{Map, Value, json};
use x402_client::{Charged, Client, Error, EvmKind, JsonRpcReader, Settlement};
use x402_model::evm::gas_sponsoring::{
    EIP2612_GAS_SPONSORING, ERC20_APPROVAL_GAS_SPONSORING, GasSponsoring, declaration,
};
use x402_model::evm::permit2::PERMIT2;
use x402_model::evm::reason::PERMIT2_ALLOWANCE_REQUIRED;
use x402_model::network::Network;
use x402_model::wire::PaymentPayload;
use x402_model::wire::headers::{DEFAULT_CAP, encode};
use x402_runtime::facilitator::{Facilitator, FacilitatorRequest, SettleOutcome};
use x402_tests::accounts::{self, PAYEE, PAYER, SETTLER};
use x402_tests::anvil::Anvil;
use x402_tests::permit2::{Rails, WRAPPED, builder};
use x402_tests::settler;
use x402_tests::token::{CHAIN_ID, USDC};

/// A chain with Permit2 and the proxies, and the facilitator that settles there.
struct Stage {
    chain: Anvil,
    facilitator: Arc<dyn Facilitator>,
}

impl Stage {
    async fn new() -> Self {
        let chain = Anvil::start().await;
        chain.place_permit2().await;
        let facilitator = settler::facilitator(chain.url()).await;
        Self { chain, facilitator }
    }

    async fn balance(&self, token: Address) -> U256 {
        self.chain.balance_of(token, accounts::address(PAYEE)).await
    }

    /// A buyer that reads the chain through its node.
    fn reading_client(&self) -> Client {
        let reader = JsonRpcReader::new()
            .endpoint(Network::BASE_SEPOLIA, self.chain.url())
            .unwrap();
        builder().chain(reader).build().unwrap()
    }
}

/// What a seller sells, and what it charges of it.
#[derive(Clone)]
struct Sale {
    facilitator: Arc<dyn Facilitator>,
    terms: Value,
    extensions: Map<String, Value>,
    charge: Option<&'static str>,
}

/// Terms of `amount` atomic units of a token.
fn terms(scheme: &str, token: Address, amount: &str) -> Value {
    let mut extra = json!({"assetTransferMethod": "permit2"});
    if token == USDC {
        extra["name"] = json!("USDC");
        extra["version"] = json!("2");
    }
    if scheme == "upto" {
        extra["facilitatorAddress"] = json!(accounts::text(SETTLER));
    }
    json!({
        "scheme": scheme, "network": format!("eip155:{CHAIN_ID}"), "amount": amount,
        "asset": token.to_checksum(None), "payTo": accounts::text(PAYEE), "maxTimeoutSeconds": 120, "extra": extra,
    })
}

impl Sale {
    fn new(stage: &Stage, terms: Value) -> Self {
        Self {
            facilitator: Arc::clone(&stage.facilitator),
            terms,
            extensions: Map::new(),
            charge: None,
        }
    }

    fn sponsoring(mut self, key: &str) -> Self {
        self.extensions
            .insert(key.to_owned(), declaration(key).unwrap());
        self
    }

    fn charging(mut self, amount: &'static str) -> Self {
        self.charge = Some(amount);
        self
    }

    /// Sells at an origin of its own.
    async fn start(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let state = (self, origin.clone());
        let app: Router = Router::new()
            .route("/data", any(sell))
            .with_state(Arc::new(state));
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("{origin}/data")
    }

    fn required(&self, status: StatusCode, error: &str, origin: &str) -> Response {
        let required = json!({
            "x402Version": 2, "error": error, "resource": {"url": format!("{origin}/data")},
            "accepts": [self.terms], "extensions": self.extensions,
        });
        (
            status,
            [("payment-required", encode(&required).unwrap())],
            "{}",
        )
            .into_response()
    }

    fn request(&self, payment: &PaymentPayload, terms: &Value) -> FacilitatorRequest {
        FacilitatorRequest {
            x402_version: 2,
            payload: payment.to_value().unwrap().into(),
            requirements: terms.clone().into(),
        }
    }
}

/// As the reference's server does it: verify, serve, settle for what was used.
async fn sell(State(state): State<Arc<(Sale, String)>>, request: Request) -> Response {
    let (sale, origin) = state.as_ref();
    let Some(header) = request.headers().get("payment-signature") else {
        return sale.required(StatusCode::PAYMENT_REQUIRED, "Payment required", origin);
    };
    let payment = PaymentPayload::from_header(header.as_bytes(), 4 * DEFAULT_CAP).unwrap();
    let verify = sale.request(&payment, &sale.terms);
    let verified = sale.facilitator.verify(&verify).await.unwrap();
    if !verified.is_valid {
        let reason = verified.invalid_reason.unwrap();
        let status = match reason.as_str() {
            PERMIT2_ALLOWANCE_REQUIRED => StatusCode::PRECONDITION_FAILED,
            _ => StatusCode::PAYMENT_REQUIRED,
        };
        return sale.required(status, &reason, origin);
    }
    let mut terms = sale.terms.clone();
    if let Some(charge) = sale.charge {
        terms["amount"] = json!(charge);
    }
    match sale
        .facilitator
        .settle(&sale.request(&payment, &terms))
        .await
    {
        SettleOutcome::Settled(report) => {
            ([("payment-response", encode(&report).unwrap())], "data").into_response()
        }
        other => panic!("not settled: {other:?}"),
    }
}

async fn buy(client: &Client, url: &str) -> x402_client::Receipt {
    let answer = client
        .get(url)
        .send()
        .await
        .unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(answer.text(), Ok("data"));
    answer.receipt().unwrap().clone()
}

#[tokio::test]
async fn an_approved_token_is_paid_by_exact_and_by_upto() {
    let stage = Stage::new().await;
    stage.chain.allow_permit2(USDC, 1_000_000).await;
    let client = builder().build().unwrap();

    let exact = Sale::new(&stage, terms("exact", USDC, "10000"))
        .start()
        .await;
    let receipt = buy(&client, &exact).await;
    assert_eq!(
        (receipt.kind, receipt.is_settled()),
        (EvmKind::Permit2Exact, true)
    );
    assert_eq!(stage.balance(USDC).await, U256::from(10_000));
    assert_eq!(client.budget().spent(), "0.01");

    let upto = Sale::new(&stage, terms("upto", USDC, "50000")).charging("12345");
    let receipt = buy(&client, &upto.start().await).await;
    assert_eq!(receipt.charged_text().as_deref(), Some("0.012345 USDC"));
    assert_eq!(stage.balance(USDC).await, U256::from(22_345));
    assert_eq!(client.budget().spent(), "0.022345");

    let free = Sale::new(&stage, terms("upto", USDC, "50000")).charging("0");
    let receipt = buy(&client, &free.start().await).await;
    assert_eq!(receipt.settlement, Settlement::Unused);
    assert_eq!(stage.balance(USDC).await, U256::from(22_345));
    assert_eq!(
        client.budget().spent(),
        "0.072345",
        "it could still be charged"
    );
}

#[tokio::test]
async fn a_missing_permit_is_signed_along_for_exactly_the_payment() {
    let stage = Stage::new().await;
    let client = stage.reading_client();
    for (scheme, charge) in [("exact", None), ("upto", Some("300"))] {
        let before = stage.balance(USDC).await;
        let mut sale = Sale::new(&stage, terms(scheme, USDC, "10000"))
            .sponsoring(EIP2612_GAS_SPONSORING)
            .sponsoring(ERC20_APPROVAL_GAS_SPONSORING);
        sale.charge = charge;
        let receipt = buy(&client, &sale.start().await).await;
        assert!(receipt.is_settled());
        let moved: u64 = charge.unwrap_or("10000").parse().unwrap();
        assert_eq!(
            stage.balance(USDC).await - before,
            U256::from(moved),
            "{scheme}"
        );
    }
    // The payer sent nothing itself.
    assert_eq!(
        stage
            .chain
            .transaction_count(accounts::address(PAYER))
            .await,
        0
    );
}

#[tokio::test]
async fn a_token_without_permits_is_approved_by_a_transaction_that_the_seller_sends() {
    let stage = Stage::new().await;
    let client = stage.reading_client();
    let sale = || {
        Sale::new(&stage, terms("exact", WRAPPED, "10000"))
            .sponsoring(ERC20_APPROVAL_GAS_SPONSORING)
    };
    for paid in 1..=2_u64 {
        assert!(buy(&client, &sale().start().await).await.is_settled());
        assert_eq!(stage.balance(WRAPPED).await, U256::from(10_000 * paid));
        // Approved once and for all, so the second payment needs no second transaction.
        assert_eq!(
            stage
                .chain
                .transaction_count(accounts::address(PAYER))
                .await,
            1
        );
    }
}

#[tokio::test]
async fn without_an_approval_nothing_is_charged_until_there_is_one() {
    let stage = Stage::new().await;
    let client = builder().build().unwrap();
    let url = Sale::new(&stage, terms("exact", USDC, "10000"))
        .start()
        .await;
    let error = client.get(&url).send().await.unwrap_err();
    assert_eq!(
        (error.code(), error.charged()),
        ("approval_required", Charged::No)
    );
    let Error::ApprovalRequired(required) = error else {
        panic!("another error");
    };
    assert_eq!((required.token(), required.spender()), (USDC, PERMIT2));
    assert_eq!(stage.balance(USDC).await, U256::ZERO);

    let amount = required.receipt.amount.to_string().parse().unwrap();
    stage.chain.allow_permit2(required.token(), amount).await;
    let answer = client.resume(required.pending).await.unwrap();
    assert!(answer.receipt().unwrap().is_settled());
    assert_eq!(stage.balance(USDC).await, U256::from(10_000));
    assert_eq!(client.budget().spent(), "0.01");
}

#[tokio::test]
async fn an_allowance_that_does_is_left_alone() {
    let stage = Stage::new().await;
    stage.chain.allow_permit2(USDC, 10_000).await;
    let client = stage.reading_client();
    let sale = Sale::new(&stage, terms("exact", USDC, "10000")).sponsoring(EIP2612_GAS_SPONSORING);
    let seen: Arc<std::sync::Mutex<Option<Value>>> = Arc::default();
    let recorded = Arc::clone(&seen);
    let recording = builder()
        .chain(
            JsonRpcReader::new()
                .endpoint(Network::BASE_SEPOLIA, stage.chain.url())
                .unwrap(),
        )
        .record(move |payment| {
            *recorded.lock().unwrap() = Some(serde_json::to_value(payment)?);
            Ok(())
        })
        .build()
        .unwrap();
    let url = sale.start().await;
    assert!(buy(&recording, &url).await.is_settled());
    let stored = seen.lock().unwrap().clone().unwrap();
    let header = stored["payment"].as_str().unwrap();
    let payment = PaymentPayload::from_header(header.as_bytes(), 4 * DEFAULT_CAP).unwrap();
    assert_eq!(GasSponsoring::find(payment.extensions.as_ref()), Ok(None));
    // The allowance is used up now, and the next payment brings a permit along.
    assert!(buy(&client, &url).await.is_settled());
    assert_eq!(stage.balance(USDC).await, U256::from(20_000));
}
