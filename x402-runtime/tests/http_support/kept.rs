//! A provider that keeps its connections, or does to them what it is told, and remembers what it read on which of them.

use std::future::Future;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What is done with a request that has been read.
#[derive(Debug, Clone)]
pub enum Then {
    /// Sends this and waits for the next request.
    Keep(Vec<u8>),
    /// Sends this and closes.
    Close(Vec<u8>),
    /// Sends this, and the rest as soon as the test says so.
    Later(Vec<u8>, Vec<u8>),
    /// Sends the first, and the second over and over again.
    Forever(Vec<u8>, Vec<u8>),
    /// Sends this, and says nothing more.
    Hang(Vec<u8>),
}

/// A request: the number of its connection, and the first word of its body's transaction.
pub struct Kept {
    pub url: String,
    port: u16,
    log: Arc<Mutex<Vec<usize>>>,
    /// For [`Then::Later`].
    pub now: Arc<Notify>,
    /// A connection ended, or said what it had to say later.
    pub done: Arc<Notify>,
}

impl Kept {
    /// Asks `script` what to do, by the number of the connection and of the request on it, both from 0.
    pub async fn start(script: impl Fn(usize, usize) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log: Arc<Mutex<Vec<usize>>> = Arc::default();
        let (now, done) = (Arc::<Notify>::default(), Arc::<Notify>::default());
        let (script, seen) = (Arc::new(script), Arc::clone(&log));
        let (start, end) = (Arc::clone(&now), Arc::clone(&done));
        tokio::spawn(async move {
            let mut count = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                let (start, end, number) = (Arc::clone(&start), Arc::clone(&end), count);
                // A look of the test itself sends nothing, and is no connection of the client.
                let Some(stream) = speaks(stream).await else {
                    continue;
                };
                count += 1;
                tokio::spawn(async move {
                    serve(stream, number, &*script, &seen, &start, &end).await;
                    end.notify_one();
                });
            }
        });
        Self {
            url: format!("http://127.0.0.1:{port}/x402"),
            port,
            log,
            now,
            done,
        }
    }

    /// The connections on which requests were read, in their order.
    pub fn seen(&self) -> Vec<usize> {
        self.log.lock().unwrap().clone()
    }

    /// Waits until this runtime knows what has happened on all its sockets so far: it cannot learn that a connection is there
    /// without learning what came before.
    pub async fn look(&self) {
        drop(TcpStream::connect(("127.0.0.1", self.port)).await.unwrap());
    }

    /// Waits until a connection is done with, and until this runtime knows.
    pub async fn done(&self) {
        self.done.notified().await;
        self.look().await;
    }
}

async fn speaks(stream: TcpStream) -> Option<TcpStream> {
    (stream.peek(&mut [0]).await.ok()? > 0).then_some(stream)
}

async fn serve(
    mut stream: TcpStream,
    number: usize,
    script: &(impl Fn(usize, usize) -> Then + Send + Sync),
    seen: &Mutex<Vec<usize>>,
    start: &Notify,
    end: &Notify,
) {
    for request in 0.. {
        if read(&mut stream).await.is_none() {
            return;
        }
        seen.lock().unwrap().push(number);
        match script(number, request) {
            Then::Keep(bytes) => stream.write_all(&bytes).await.unwrap(),
            Then::Close(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                return;
            }
            Then::Later(bytes, more) => {
                stream.write_all(&bytes).await.unwrap();
                start.notified().await;
                stream.write_all(&more).await.unwrap();
                end.notify_one();
            }
            Then::Forever(bytes, more) => {
                let _ = stream.write_all(&bytes).await;
                while stream.write_all(&more).await.is_ok() {}
                return;
            }
            Then::Hang(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                let _ = stream.read(&mut [0]).await;
                return;
            }
        }
    }
}

/// Reads one request, whose length is declared.
async fn read(stream: &mut TcpStream) -> Option<()> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    assert_eq!(bytes.len(), head + length, "one request at a time");
    Some(())
}

/// A settlement whose transaction tells it apart from others.
pub fn settled(transaction: &str) -> Value {
    json!({ "success": true, "transaction": transaction, "network": "eip155:84532" })
}

/// A whole answer of this settlement, with more header lines.
pub fn answer(lines: &str, transaction: &str) -> Vec<u8> {
    let body = settled(transaction).to_string();
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{lines}\r\n{body}").into_bytes()
}

/// Waits for what must come, without trusting that it does.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    let long = std::time::Duration::from_secs(60);
    tokio::time::timeout(long, what).await.unwrap()
}
