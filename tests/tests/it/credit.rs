//! Credit and kill -9: what was paid for is booked once, and what was served is taken once, wherever the process died.

use std::time::Duration;

use alloy_signer::SignerSync as _;
use http::Method;
use serde_json::Value;
use x402_model::extension::SignIn;
use x402_model::extension::siwx::Challenge;
use x402_tests::accounts::{self, PAYER};
use x402_tests::buyer::{Answer, Buyer, Payment, now};

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use x402_client::transport::{Transport, TransportError, TransportErrorKind, TransportReply};
use x402_client::{Budget, Client, ReqwestTransport, Wallet};
use x402_tests::seller::{Seller, Setup};
use x402_tests::world::World;

use crate::crash::{Process, Scene};

const BUY: &str = "/x402/credits";
const CALL: &str = "/archive/oslo";

/// What terms ask to be signed, signed.
fn sign(terms: &Value) -> String {
    let extensions = terms["extensions"].as_object();
    let challenge = Challenge::read(extensions).expect("a challenge");
    let message = challenge
        .message(&challenge.supported_chains[0], &accounts::text(PAYER))
        .unwrap();
    let text = message.text().unwrap();
    let signature = accounts::signer(PAYER)
        .sign_message_sync(text.as_bytes())
        .unwrap();
    let sign_in = SignIn {
        message,
        signature: format!("0x{}", alloy_primitives::hex::encode(signature.as_bytes())),
        signature_scheme: None,
    };
    sign_in.to_header().unwrap()
}

async fn show(buyer: &Buyer, path: &str, message: &str) -> Option<Answer> {
    let headers = [("SIGN-IN-WITH-X", message)];
    buyer
        .try_send(Method::GET, path, &headers, Vec::new())
        .await
        .ok()
}

async fn message(buyer: &Buyer, path: &str) -> String {
    sign(&buyer.get(path).await.required().expect("terms"))
}

/// What is left, held and spent.
async fn credit(buyer: &Buyer) -> [String; 3] {
    let message = message(buyer, BUY).await;
    let told = show(buyer, BUY, &message).await.expect("an answer").json();
    ["balance", "held", "spent"].map(|name| told["balances"][0][name].as_str().unwrap().to_owned())
}

/// Waits until the credit is this, and stays so.
async fn settles_at(buyer: &Buyer, wanted: [&str; 3], what: &str) {
    let mut found = credit(buyer).await;
    for _ in 0..300 {
        if found == wanted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        found = credit(buyer).await;
    }
    assert_eq!(found, wanted, "{what}");
}

async fn purchase(buyer: &Buyer) -> String {
    let unpaid = buyer.send(Method::POST, BUY, &[], Vec::new()).await;
    Payment::new(PAYER, &unpaid.required().expect("terms"), now()).header()
}

async fn pay(buyer: &Buyer, header: &str) -> Option<Answer> {
    let headers = [("PAYMENT-SIGNATURE", header)];
    buyer
        .try_send(Method::POST, BUY, &headers, Vec::new())
        .await
        .ok()
}

/// Dies at the point while it sells credit. The buyer does not come back, and then does.
async fn sale(point: &str) {
    let scene = Scene::new().await;
    let mut first = scene.seller(Some(point));
    let header = purchase(&first.buyer()).await;
    assert!(pay(&first.buyer(), &header).await.is_none(), "{point}");
    assert!(first.ended(), "{point}: the process lives");
    let second = scene.seller(None);
    // Booked without its buyer.
    settles_at(&second.buyer(), ["0.05", "0", "0"], point).await;
    assert_eq!(scene.payments().await, 1, "{point}");
    for _ in 0..2 {
        let again = pay(&second.buyer(), &header).await.expect("an answer");
        assert_eq!(
            (again.status, &again.json()["credit"]),
            (200, &Value::from("0.05")),
            "{point}"
        );
    }
    assert_eq!(
        credit(&second.buyer()).await,
        ["0.05", "0", "0"],
        "{point}: booked once"
    );
    assert_eq!(scene.payments().await, 1, "{point}: paid once");
}

/// Dies at the point while it serves a call from credit, and the holder sends the same message again.
async fn call(point: &str, served: bool) {
    let scene = Scene::new().await;
    let mut process = scene.seller(None);
    let header = purchase(&process.buyer()).await;
    let bought = pay(&process.buyer(), &header).await.expect("an answer");
    assert_eq!(bought.status, 200, "{bought:?}");
    process.kill();

    let mut dying = scene.seller(Some(point));
    let message = message(&dying.buyer(), CALL).await;
    assert!(
        show(&dying.buyer(), CALL, &message).await.is_none(),
        "{point}"
    );
    assert!(dying.ended(), "{point}: the process lives");

    let back = scene.seller(None);
    let mut answer = show(&back.buyer(), CALL, &message)
        .await
        .expect("an answer");
    for _ in 0..300 {
        if ![409, 503].contains(&answer.status) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = show(&back.buyer(), CALL, &message)
            .await
            .expect("an answer");
    }
    let (status, left) = match served {
        true => (200, ["0.04", "0", "0.01"]),
        // The handler may have run; nothing was taken, and a new message is asked for.
        false => (402, ["0.05", "0", "0"]),
    };
    assert_eq!(answer.status, status, "{point}: {answer:?}");
    settles_at(&back.buyer(), left, point).await;
    let again = show(&back.buyer(), CALL, &message)
        .await
        .expect("an answer");
    assert_eq!(again.status, status, "{point}");
    if served {
        assert_eq!(again.body, answer.body, "{point}: the same bytes");
        assert_eq!(scene.runs(), 1, "{point}: the handler ran once");
    }
    assert_eq!(credit(&back.buyer()).await, left, "{point}: taken once");
}

macro_rules! crashes {
    ($($name:ident $what:ident($($argument:expr),*);)*) => {$(
        #[tokio::test]
        async fn $name() {
            $what($($argument),*).await;
        }
    )*};
}

crashes! {
    credit_is_booked_once_after_c3_answer_stored sale("c3_answer_stored");
    credit_is_booked_once_after_c4_intent_stored sale("c4_intent_stored");
    credit_is_booked_once_after_c5_sent sale("c5_sent");
    credit_is_booked_once_after_c6_answer_received sale("c6_answer_received");
    credit_is_booked_once_after_c7_settled sale("c7_settled");
    credit_is_booked_once_after_c8_before_response sale("c8_before_response");
    credit_is_not_taken_after_c1_reserved call("c1_reserved", false);
    credit_is_not_taken_after_c2_handler_ran call("c2_handler_ran", false);
    credit_is_taken_once_after_c3_answer_stored call("c3_answer_stored", true);
    credit_is_taken_once_after_c4_intent_stored call("c4_intent_stored", true);
    credit_is_taken_once_after_c6_answer_received call("c6_answer_received", true);
    credit_is_taken_once_after_c7_settled call("c7_settled", true);
}

/// No matter when the process is killed: what is left and what was taken are all that was bought, and nothing stays held.
#[tokio::test]
async fn killed_at_any_moment_credit_is_taken_for_what_was_served_only() {
    let scene = Scene::new().await;
    let mut seller: Process = scene.seller(None);
    let header = purchase(&seller.buyer()).await;
    assert_eq!(
        pay(&seller.buyer(), &header)
            .await
            .expect("an answer")
            .status,
        200
    );
    let mut messages = Vec::new();
    for delay in [0_u64, 1, 2, 4, 7] {
        let message = message(&seller.buyer(), CALL).await;
        let call = tokio::spawn({
            let (buyer, message) = (seller.buyer(), message.clone());
            async move { show(&buyer, CALL, &message).await }
        });
        tokio::time::sleep(Duration::from_millis(delay)).await;
        seller.kill();
        let _ = call.await;
        seller = scene.seller(None);
        messages.push(message);
    }
    let mut served = 0;
    for message in &messages {
        let mut answer = show(&seller.buyer(), CALL, message)
            .await
            .expect("an answer");
        for _ in 0..300 {
            if ![409, 503].contains(&answer.status) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer = show(&seller.buyer(), CALL, message)
                .await
                .expect("an answer");
        }
        assert!([200, 402].contains(&answer.status), "{answer:?}");
        served += u32::from(answer.status == 200);
    }
    let text = |hundredths: u32| match hundredths {
        0 => "0".to_owned(),
        n => format!("0.0{n}"),
    };
    let (left, spent) = (text(5 - served), text(served));
    settles_at(&seller.buyer(), [&left, "0", &spent], "in the end").await;
}

/// Our own client buys once and spends without paying; its budget is charged for the purchase alone.
#[tokio::test]
async fn our_client_buys_credit_and_spends_it() {
    let world = World::sandbox();
    let books = world.books().await;
    let seller = Seller::start(Setup::on(&world)).await;
    let budget = Budget::new("0.05 USD", "0.05 USD").unwrap();
    let client = Client::new(Wallet::from_local_key(accounts::signer(PAYER)), budget);
    let (sold_at, call) = (
        format!("{}{BUY}", seller.origin()),
        format!("{}{CALL}", seller.origin()),
    );
    let bought = client.credits().buy(&sold_at, None).await.unwrap();
    assert_eq!((&*bought.credit, &*bought.unit), ("0.05", "USDC"));
    assert!(bought.receipt.expect("a receipt").is_settled());
    books.moved(&world, 40_000, 1).await;
    for left in ["0.04", "0.03", "0.02", "0.01", "0"] {
        let answer = client.get(&call).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert!(answer.receipt().is_none(), "no payment");
        let told: Value =
            serde_json::from_slice(answer.headers()["x402-credit"].as_bytes()).unwrap();
        assert_eq!(
            (&told["charged"], &told["left"]),
            (&Value::from("0.01"), &Value::from(left))
        );
    }
    let balances = client.credits().balances(&sold_at).await.unwrap();
    assert_eq!((&*balances[0].balance, &*balances[0].spent), ("0", "0.05"));
    books.moved(&world, 40_000, 1).await;
    // Then it pays again, as far as the budget goes.
    let answer = client.get(&call).send().await.unwrap();
    assert!(answer.receipt().is_some());
    books.moved(&world, 50_000, 2).await;
    let broke = client.get(&call).send().await.unwrap_err();
    assert_eq!(broke.code(), "nothing_acceptable", "{broke}");
    assert_eq!(seller.desk.runs("archive"), 6);
}

/// Loses the first answer to every signed message, after the seller gave it.
struct Lossy {
    inner: ReqwestTransport,
    seen: Arc<Mutex<HashSet<Vec<u8>>>>,
}

impl Default for Lossy {
    fn default() -> Self {
        Self {
            inner: ReqwestTransport::new(),
            seen: Arc::default(),
        }
    }
}

impl Transport for Lossy {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<TransportReply, TransportError>> + Send + '_>> {
        let message = request.headers().get("sign-in-with-x");
        let message = message.map(|value| value.as_bytes().to_vec());
        let first = message.is_some_and(|message| self.seen.lock().unwrap().insert(message));
        Box::pin(async move {
            let reply = self.inner.send(request).await?;
            if first {
                return Err(TransportError::new(TransportErrorKind::Interrupted, "lost"));
            }
            Ok(reply)
        })
    }
}

/// Every answer to a signed message is lost once: the call is served once and taken once.
#[tokio::test]
async fn our_client_asks_for_a_lost_answer_with_the_same_message() {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    let budget = Budget::new("0.05 USD", "0.05 USD").unwrap();
    let wallet = Wallet::from_local_key(accounts::signer(PAYER));
    let retry = x402_client::RetryPolicy {
        first_pause: Duration::from_millis(20),
        ..x402_client::RetryPolicy::default()
    };
    let client = Client::builder()
        .wallet(wallet)
        .budget(budget)
        .transport(Lossy::default())
        .retry(retry)
        .build()
        .unwrap();
    let sold_at = format!("{}{BUY}", seller.origin());
    client.credits().buy(&sold_at, None).await.unwrap();
    for left in ["0.04", "0.03"] {
        let call = format!("{}{CALL}", seller.origin());
        let answer = client.get(&call).send().await.unwrap();
        let told: Value =
            serde_json::from_slice(answer.headers()["x402-credit"].as_bytes()).unwrap();
        assert_eq!(
            (answer.status().as_u16(), &told["left"]),
            (200, &Value::from(left))
        );
    }
    assert_eq!(seller.desk.runs("archive"), 2);
}
