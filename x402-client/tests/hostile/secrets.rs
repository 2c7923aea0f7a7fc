//! Canaries: neither key nor salt nor payment nor the caller's own secrets appear in anything that is printed.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing::{Dispatch, Event, Metadata, Subscriber};
use x402_client::Client;
use x402_client::telemetry::{EVENTS, SPANS, event, span};

use crate::seller::{Act, KEY, Seen, Seller, client, problem, served, signature};

/// Collects every field of every event and span.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.name(span.metadata());
        span.record(&mut Fields(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        self.name(event.metadata());
        event.record(&mut Fields(&mut self.0.lock().unwrap()));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Log {
    /// Names and fields of ours are in the tables.
    fn name(&self, metadata: &Metadata<'_>) {
        if metadata.name().starts_with("x402.") {
            let known = SPANS.iter().chain(EVENTS);
            let known = known.clone().find(|known| known.name == metadata.name());
            let known = known.expect("a name in the tables");
            assert_eq!(
                metadata.level().as_str().to_ascii_lowercase(),
                known.level,
                "{}",
                known.name
            );
            for field in metadata.fields().iter().filter(|f| f.name() != "message") {
                assert!(known.fields.contains(&field.name()), "{field}");
            }
        }
        let _ = write!(self.0.lock().unwrap(), "\n{}", metadata.name());
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

async fn print_everything(client: &Client, seller: &Seller, log: &Log) {
    let call = client
        .post(&format!("{}?api_key=CANARY-query", seller.url()))
        .header("authorization", "Bearer CANARY-header")
        .body("CANARY-body")
        .idempotency_key("order");
    let mut printed = format!(
        "{call:?} {:?} {:?} {:?}",
        client,
        client.wallet(),
        client.budget()
    );
    match call.send().await {
        Ok(answer) => {
            let _ = write!(printed, "{answer:?} {:#?}", answer.receipt());
        }
        Err(error) => {
            let _ = write!(
                printed,
                "{error} {error:?} {error:#?} {:?}",
                error.pending()
            );
        }
    }
    log.0.lock().unwrap().push_str(&printed);
}

/// `tracing` remembers for each place in the code whether anybody listens there. While only one subscriber lives, it asks the
/// thread that comes by first, which may be another test's and have none. Two that stay alive make it ask all of them.
fn listen(log: &Log) -> DefaultGuard {
    static KEPT: OnceLock<[Dispatch; 2]> = OnceLock::new();
    KEPT.get_or_init(|| [(); 2].map(|()| Dispatch::new(NoSubscriber::new())));
    tracing::subscriber::set_default(log.clone())
}

#[tokio::test]
async fn t09_canaries_appear_nowhere() {
    let log = Log::default();
    let _guard = listen(&log);
    let mut secrets = vec![
        KEY.to_owned(),
        "CANARY".to_owned(),
        "paid content".to_owned(),
    ];
    for act in [
        served(),
        Act::Drop,
        Act::Raw("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\npaid content".into()),
        Act::Answer(
            302,
            vec![("location".into(), "https://evil.test/CANARY".into())],
            String::new(),
        ),
        Act::Answer(503, vec![], "paid content".into()),
        problem(402, r#"{"code":"settlement_refused","charged":false}"#),
    ] {
        let seller = Seller::selling(move |_| act.clone()).await;
        print_everything(&client(), &seller, &log).await;
        let payments: Vec<_> = seller
            .seen()
            .iter()
            .filter_map(Seen::payment)
            .cloned()
            .collect();
        assert!(!payments.is_empty());
        for payment in payments {
            secrets.push(signature(&payment).trim_start_matches("0x")[..32].to_owned());
            secrets.push(payment[40..80].to_owned());
        }
    }
    let printed = log.0.lock().unwrap().clone();
    assert!(
        printed.contains("paid request answered"),
        "the log is live: {printed}"
    );
    let decimal = alloy_primitives::U256::from_str_radix(KEY, 16)
        .unwrap()
        .to_string();
    secrets.extend([KEY.to_uppercase(), decimal]);
    for secret in secrets {
        assert!(!printed.contains(&secret), "{secret} in {printed}");
    }
}

#[tokio::test]
async fn a_call_is_a_span_that_names_the_payment_and_its_end() {
    let seller = Seller::selling(|_| served()).await;
    let log = Log::default();
    let guard = listen(&log);
    let answer = client()
        .get(&format!("{}?api_key=CANARY-query", seller.url()))
        .send()
        .await
        .unwrap();
    drop(guard);
    let (text, receipt) = (log.text(), answer.receipt().unwrap());
    let host = seller.origin.strip_prefix("http://").unwrap();
    for expected in [
        format!("\n{}", span::CALL),
        format!("\n{}", event::CHOSEN),
        format!("\n{}", event::ANSWERED),
        format!(" host={host:?}"),
        " method=\"GET\"".to_owned(),
        " network=eip155:84532".to_owned(),
        " asset=\"USDC\"".to_owned(),
        " amount=\"0.01 USDC\"".to_owned(),
        format!(" nonce={}", receipt.nonce),
        " sends=1".to_owned(),
        " outcome=\"answered\"".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected} in {text}");
    }
    assert!(
        !text.contains("CANARY") && !text.contains("/weather"),
        "{text}"
    );
    let payer = receipt.payer.to_string();
    assert!(!text.contains(&payer), "{text}");
}

#[tokio::test]
async fn a_resumed_payment_is_a_span_too() {
    let seller = Seller::selling(|_| Act::Drop).await;
    let client = client();
    let error = client.get(&seller.url()).send().await.unwrap_err();
    let pending = error.pending().unwrap().clone();
    seller.now(|_| served());
    let log = Log::default();
    let guard = listen(&log);
    let nonce = pending.nonce();
    client.resume(pending).await.unwrap();
    drop(guard);
    let text = log.text();
    for expected in [
        span::CALL.to_owned(),
        format!(" nonce={nonce}"),
        " method=\"GET\"".to_owned(),
        " outcome=\"answered\"".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected} in {text}");
    }
}
