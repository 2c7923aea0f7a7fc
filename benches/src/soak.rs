//! A minute of payments on every ledger: nothing may fail.

use std::cell::RefCell;
use std::error::Error;
use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::load::answer;
use crate::payment::Signer;
use crate::process::Server;
use crate::server::CAPTURED;

/// Buyers side by side.
const BUYERS: usize = 64;

/// What the buyers saw.
#[derive(Default)]
struct Seen {
    micros: Vec<u32>,
    failures: usize,
    first: Option<String>,
}

/// Buys for so many seconds from a seller with each ledger. An error if anything but 200 came back.
pub fn run(seconds: u64) -> Result<(), Box<dyn Error>> {
    println!(
        "| target | payments | per second | p50 ms | p99 ms | slowest ms | µs of CPU each | MiB at the end | failures |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    let mut failed = 0;
    for target in ["ours", "ours-sqlite"] {
        failed += soak(target, Duration::from_secs(seconds))?;
    }
    if failed > 0 {
        return Err(format!("{failed} payments were not answered with 200").into());
    }
    Ok(())
}

fn soak(target: &str, time: Duration) -> Result<usize, Box<dyn Error>> {
    let server = Server::start(target)?;
    let before = server.cpu()?;
    let seen = Rc::new(RefCell::new(Seen::default()));
    let started = Instant::now();
    let end = started + time;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let buyers = tokio::task::LocalSet::new();
    let signer = Rc::new(RefCell::new(Signer::new()));
    for _ in 0..BUYERS {
        let (signer, seen) = (Rc::clone(&signer), Rc::clone(&seen));
        let port = server.port;
        buyers.spawn_local(async move {
            while Instant::now() < end {
                // A broken connection is a failure, and the buyer connects again.
                if let Err(error) = buy(port, end, &signer, &seen).await {
                    fail(&seen, error.to_string());
                }
            }
        });
    }
    runtime.block_on(buyers);
    let took = started.elapsed();
    let used = server.cpu()?.saturating_sub(before);
    let resident = server.resident()?;
    let mut seen = seen.take();
    seen.micros.sort_unstable();
    let count = seen.micros.len();
    println!(
        "| {target} | {count} | {:.0} | {:.1} | {:.1} | {:.1} | {:.0} | {} | {} |",
        count as f64 / took.as_secs_f64(),
        quantile(&seen.micros, 0.5),
        quantile(&seen.micros, 0.99),
        quantile(&seen.micros, 1.0),
        used.as_secs_f64() * 1e6 / count as f64,
        resident / 1024 / 1024,
        seen.failures,
    );
    if let Some(first) = &seen.first {
        eprintln!("{target}: the first failure: {first}");
    }
    Ok(seen.failures)
}

/// One buyer on one connection. Every payment is signed just before it is sent, outside of what is timed.
async fn buy(
    port: u16,
    end: Instant,
    signer: &RefCell<Signer>,
    seen: &RefCell<Seen>,
) -> io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    while Instant::now() < end {
        let request = signer.borrow_mut().request(CAPTURED);
        let sent = Instant::now();
        stream.write_all(&request).await?;
        let status = answer(&mut stream, &mut buffer).await?;
        let micros = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
        seen.borrow_mut().micros.push(micros);
        if status != 200 {
            fail(seen, String::from_utf8_lossy(&buffer).into_owned());
        }
    }
    Ok(())
}

fn fail(seen: &RefCell<Seen>, what: String) {
    let mut seen = seen.borrow_mut();
    seen.failures += 1;
    seen.first.get_or_insert(what);
}

/// Milliseconds that this share of all were not slower than.
fn quantile(sorted: &[u32], share: f64) -> f64 {
    let at = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted
        .get(at)
        .map_or(f64::NAN, |micros| f64::from(*micros) / 1_000.0)
}
