//! A seller on a real socket that does exactly what a script says, and remembers every payment it was shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_signer_local::PrivateKeySigner;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use x402_client::{Budget, Client, ClientBuilder, RetryPolicy, Wallet};
use x402_model::wire::headers::{DEFAULT_CAP, decode_value, encode};

pub(crate) const TOKEN: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
pub(crate) const PAYEE: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// Used by every test here; no error, log line or debug text may contain it.
pub(crate) const KEY: &str = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// How many paid requests came before, if this one is paid.
    pub(crate) paid: Option<usize>,
}

impl Seen {
    pub(crate) fn payment(&self) -> Option<&String> {
        self.headers
            .get("payment-signature")
            .or_else(|| self.headers.get("x-payment"))
    }
}

/// What to do with one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Status, extra header lines, body.
    Answer(u16, Vec<(String, String)>, String),
    /// Close without a byte.
    Drop,
    /// Send these bytes, then close.
    Raw(String),
    /// Send bytes as they are given, then close.
    Parts(Arc<tokio::sync::Mutex<UnboundedReceiver<String>>>),
    /// Say nothing until the client gives up.
    Hang,
}

type Script = dyn Fn(&Seen) -> Act + Send + Sync;

pub(crate) struct Seller {
    pub(crate) origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Arc<Script>>>,
}

impl Seller {
    /// A seller whose every answer comes from `script`.
    pub(crate) async fn start(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Mutex<Arc<Script>>> = Arc::new(Mutex::new(Arc::new(script)));
        let seller = Self {
            origin,
            seen: Arc::clone(&seen),
            script: Arc::clone(&script),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&script)));
            }
        });
        seller
    }

    /// A seller that offers `option` for money and does `paid` with every paid request.
    pub(crate) async fn selling(paid: impl Fn(usize) -> Act + Send + Sync + 'static) -> Self {
        let seller = Self::start(|_| Act::Drop).await;
        let offer = offer(&seller.url(), &[option()]);
        seller.now(move |seen| seen.paid.map_or_else(|| offer.clone(), &paid));
        seller
    }

    /// Changes the script.
    pub(crate) fn now(&self, script: impl Fn(&Seen) -> Act + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/weather", self.origin)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many paid requests came, and how many different authorizations they carried.
    pub(crate) fn payments(&self) -> (usize, usize) {
        let seen = self.seen();
        let payments: Vec<_> = seen.iter().filter_map(Seen::payment).collect();
        let signatures: BTreeSet<_> = payments.iter().map(|payment| signature(payment)).collect();
        let headers: BTreeSet<_> = payments.iter().collect();
        assert_eq!(
            headers.len(),
            signatures.len(),
            "one authorization, one header"
        );
        (payments.len(), signatures.len())
    }
}

pub(crate) fn signature(payment: &str) -> String {
    let value = decode_value(payment.as_bytes(), 4 * DEFAULT_CAP).unwrap();
    value["payload"]["signature"].as_str().unwrap().to_owned()
}

async fn serve(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Arc<Script>>>,
) {
    let Some(mut request) = read(&mut stream).await else {
        return;
    };
    let act = {
        let mut seen = seen.lock().unwrap();
        let before = seen
            .iter()
            .filter(|other: &&Seen| other.paid.is_some())
            .count();
        request.paid = request.payment().map(|_| before);
        seen.push(request.clone());
        drop(seen);
        let script = Arc::clone(&script.lock().unwrap());
        script(&request)
    };
    match act {
        Act::Drop => {}
        Act::Hang => tokio::time::sleep(Duration::from_secs(30)).await,
        Act::Parts(parts) => {
            let mut parts = parts.lock().await;
            while let Some(part) = parts.recv().await {
                let _ = stream.write_all(part.as_bytes()).await;
            }
            let _ = stream.shutdown().await;
        }
        Act::Raw(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Act::Answer(status, headers, body) => {
            let mut text = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n",
                body.len()
            );
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            let _ = stream
                .write_all(format!("{text}\r\n{body}").as_bytes())
                .await;
            let _ = stream.shutdown().await;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut part = [0; 4096];
        let count = stream
            .read(&mut part)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        if bytes.first() == Some(&0x16) {
            return None; // A TLS handshake; this seller speaks plain HTTP.
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        let mut part = [0; 4096];
        let count = stream
            .read(&mut part)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        body.extend_from_slice(&part[..count]);
    }
    Some(Seen {
        line,
        headers,
        body,
        paid: None,
    })
}

/// One good option: 0.01 USDC on Base Sepolia.
pub(crate) fn option() -> Value {
    json!({
        "scheme": "exact", "network": "eip155:84532", "amount": "10000", "asset": TOKEN, "payTo": PAYEE,
        "maxTimeoutSeconds": 60, "extra": {"name": "USDC", "version": "2"},
    })
}

/// A 402 with these options for `url`.
pub(crate) fn offer(url: &str, options: &[Value]) -> Act {
    let terms = json!({
        "x402Version": 2, "error": "Payment required", "resource": {"url": url}, "accepts": options,
    });
    Act::Answer(
        402,
        vec![("PAYMENT-REQUIRED".into(), encode(&terms).unwrap())],
        "{}".into(),
    )
}

/// A PAYMENT-RESPONSE header.
pub(crate) fn report(value: &Value) -> (String, String) {
    ("PAYMENT-RESPONSE".into(), encode(value).unwrap())
}

pub(crate) fn settled() -> (String, String) {
    let hash = format!("0x{}", "ab".repeat(32));
    report(&json!({"success": true, "transaction": hash, "network": "eip155:84532"}))
}

/// 200 with a settlement report.
pub(crate) fn served() -> Act {
    Act::Answer(200, vec![settled()], "paid content".into())
}

pub(crate) fn problem(status: u16, body: &str) -> Act {
    Act::Answer(
        status,
        vec![("content-type".into(), "application/problem+json".into())],
        body.into(),
    )
}

/// A client with a dollar, and pauses short enough for tests.
pub(crate) fn client() -> Client {
    builder(Budget::new("1.00 USD", "1.00 USD").unwrap())
        .build()
        .unwrap()
}

pub(crate) fn builder(budget: Budget) -> ClientBuilder<Wallet, Budget> {
    let key: PrivateKeySigner = KEY.parse().unwrap();
    Client::builder()
        .wallet(Wallet::from_local_key(key))
        .budget(budget)
        .timeout(Duration::from_secs(30))
        .retry(quick())
}

pub(crate) fn quick() -> RetryPolicy {
    RetryPolicy {
        max_sends: 3,
        first_pause: Duration::from_millis(1),
        max_pause: Duration::from_millis(4),
        max_retry_after: Duration::from_millis(20),
        ..RetryPolicy::default()
    }
}
