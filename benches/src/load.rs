//! Sends requests over a fixed number of kept connections and checks the status of every answer.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is sent: request after request until `count` are answered; a short list is sent again and again.
#[derive(Clone)]
pub struct Load {
    /// Whole requests.
    pub requests: Arc<Vec<Vec<u8>>>,
    /// How many requests are sent in all.
    pub count: usize,
    /// Connections side by side.
    pub connections: usize,
    /// The status that every answer must have.
    pub status: u16,
}

/// Sends the load and tells how long it took.
pub fn send(port: u16, load: &Load) -> io::Result<Duration> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(all(port, load))
}

async fn all(port: u16, load: &Load) -> io::Result<Duration> {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let connections: Vec<_> = (0..load.connections)
        .map(|_| tokio::spawn(connection(port, load.clone(), Arc::clone(&next))))
        .collect();
    for connection in connections {
        connection.await.map_err(io::Error::other)??;
    }
    Ok(started.elapsed())
}

async fn connection(port: u16, load: Load, next: Arc<AtomicUsize>) -> io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= load.count {
            return Ok(());
        }
        let request = &load.requests[at % load.requests.len()];
        stream.write_all(request).await?;
        let status = answer(&mut stream, &mut buffer).await?;
        if status != load.status {
            let text = String::from_utf8_lossy(&buffer).into_owned();
            return Err(io::Error::other(format!(
                "expected {}, got {text}",
                load.status
            )));
        }
    }
}

/// Reads one answer with a declared length into the buffer, and tells its status.
pub async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<u16> {
    buffer.clear();
    let head = loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text =
        std::str::from_utf8(&buffer[..head]).map_err(|_| io::Error::other("head is not text"))?;
    let status = text.get(9..12).and_then(|status| status.parse().ok());
    let length: usize = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .ok_or_else(|| io::Error::other(format!("no length in {text}")))?;
    while buffer.len() < head + length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    status.ok_or_else(|| io::Error::other("no status"))
}
