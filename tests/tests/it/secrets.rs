//! Keys and payments never reach a log, and nothing of the seller's inside reaches a buyer (T9, G18).

use std::sync::Arc;

use alloy_primitives::hex;
use x402_client::{Budget, Client, Wallet};
use x402_runtime::facilitator::FacilitatorError;
use x402_tests::accounts::{self, KEYS, PAYER, SETTLER};
use x402_tests::anvil::Anvil;
use x402_tests::doubles::{Double, OnSettle, OnVerify};
use x402_tests::logs::Logs;
use x402_tests::rpc_double::{Misdeed, RpcDouble};
use x402_tests::seller::{Seller, Setup};
use x402_tests::settler;
use x402_tests::world::World;

use crate::failures::settled_answer;

const PATH: &str = "/weather/oslo";

/// Fails if the log holds a key of ours, or this payment in any form that could be presented.
fn assert_clean(log: &str, payments: &[String]) {
    let lower = log.to_ascii_lowercase();
    for key in [KEYS[PAYER], KEYS[SETTLER]] {
        assert!(
            !lower.contains(key.trim_start_matches("0x")),
            "a private key is logged"
        );
    }
    for header in payments {
        assert!(!log.contains(&header[..120]), "a payment header is logged");
        let payment = x402_tests::buyer::decode(header).expect("a payment");
        let signature = payment["payload"]["signature"]
            .as_str()
            .expect("a signature")
            .trim_start_matches("0x");
        assert!(!lower.contains(signature), "a signature is logged");
        let bytes: Vec<u8> = hex::decode(signature).expect("hex");
        assert!(
            !log.contains(&format!("{bytes:?}")),
            "a signature is logged as a list"
        );
    }
}

#[tokio::test]
async fn t09_no_log_line_holds_a_key_or_a_payment() {
    let (logs, _guard) = Logs::collect();
    let chain = Anvil::start().await;
    let node = RpcDouble::start(chain.url()).await;
    let world = World::over(chain, settler::facilitator(node.url()).await);
    let double = Double::new(world.facilitator());
    let facilitator: Arc<Double> = Arc::clone(&double);
    let seller = Seller::start(Setup {
        facilitator,
        ..Setup::on(&world)
    })
    .await;
    let buyer = seller.buyer();
    let mut payments = Vec::new();
    let mut present = async |payment: x402_tests::buyer::Payment| {
        let header = payment.header();
        payments.push(header.clone());
        settled_answer(&buyer, PATH, &header).await
    };
    let good = buyer.payment(PAYER, PATH, world.now()).await;
    assert_eq!(present(good.clone()).await.status, 200);
    let mut forged = buyer.payment(PAYER, PATH, world.now()).await;
    forged.signer = accounts::OTHER;
    assert_eq!(present(forged).await.status, 402);
    double.on_verify([OnVerify::Fail(FacilitatorError::Timeout)]);
    double.on_settle([OnSettle::LoseRequest]);
    assert_eq!(
        present(buyer.payment(PAYER, PATH, world.now()).await)
            .await
            .status,
        200
    );
    node.misbehave("eth_sendRawTransaction", 1, Misdeed::LoseAnswer);
    assert_eq!(
        present(buyer.payment(PAYER, PATH, world.now()).await)
            .await
            .status,
        200
    );

    let log = logs.text();
    assert!(log.contains("x402.payment"), "the log was collected: {log}");
    assert_clean(&log, &payments);
}

#[tokio::test]
async fn t09_the_client_logs_no_key_and_shows_none() {
    let (logs, _guard) = Logs::collect();
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let wallet = Wallet::from_local_key(accounts::signer(PAYER));
    assert_clean(&format!("{wallet:?} {wallet:#?}"), &[]);
    let client = Client::new(wallet, Budget::new("0.01 USD", "0.01 USD").unwrap());
    let url = format!("{}{PATH}", seller.origin());
    let paid = client.get(&url).send().await.unwrap();
    let broke = client.get(&url).send().await.unwrap_err();
    assert_clean(&format!("{client:?} {paid:?} {broke:?} {broke}"), &[]);
    assert_clean(&logs.text(), &[]);
}

#[tokio::test]
async fn g18_what_a_node_says_stays_inside() {
    let chain = Anvil::start().await;
    let node = RpcDouble::start(chain.url()).await;
    let world = World::over(chain, settler::facilitator(node.url()).await);
    let seller = Seller::start(Setup::on(&world)).await;
    let secret = "key-of-the-node-at-10.0.0.7";
    for method in [
        "eth_call",
        "eth_getCode",
        "eth_estimateGas",
        "eth_sendRawTransaction",
    ] {
        node.misbehave(method, 1, Misdeed::Error(-32603, secret.to_owned()));
        let header = seller
            .buyer()
            .payment(PAYER, PATH, world.now())
            .await
            .header();
        let answer = seller.buyer().pay(PATH, &header).await;
        node.behave();
        let receipt = answer
            .receipt()
            .map(|receipt| receipt.to_string())
            .unwrap_or_default();
        let terms = answer
            .required()
            .map(|terms| terms.to_string())
            .unwrap_or_default();
        let shown = format!("{:?} {} {receipt} {terms}", answer.headers, answer.json());
        assert!(
            !shown.contains(secret) && !shown.contains("10.0.0.7"),
            "{method}: {shown}"
        );
        assert!(
            !shown.contains(&node.url()["http://".len()..]),
            "{method}: {shown}"
        );
    }
}
