//! What things weigh that wait: endpoints and payments, in bytes of resident memory.

use std::error::Error;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::load::answer;
use crate::payment::{paid_requests, request};
use crate::process::Server;
use crate::report::median;
use crate::rounds::Plan;
use crate::server::{COUNT, HELD};

/// Payments in flight at once; a paywall takes up to 1,024 unless told otherwise.
const IN_FLIGHT: usize = 800;

/// What an endpoint adds that nobody asks for.
pub fn idle(plan: &Plan) -> Result<f64, Box<dyn Error>> {
    let mut values = Vec::new();
    for _ in 0..plan.rounds {
        let (one, many) = (
            Server::start("endpoints-1")?,
            Server::start("endpoints-2001")?,
        );
        std::thread::sleep(Duration::from_millis(100));
        let added = many.resident()?.saturating_sub(one.resident()?);
        values.push(added as f64 / 2_000.0);
    }
    Ok(median(&values))
}

/// What a payment adds whose handler runs, over its connection, which has got terms already.
pub fn held(plan: &Plan) -> Result<f64, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut values = Vec::new();
    for _ in 0..plan.rounds {
        let payments = paid_requests(HELD, IN_FLIGHT);
        let server = Server::start("ours-held")?;
        values.push(runtime.block_on(weigh(&server, &payments))? / IN_FLIGHT as f64);
    }
    Ok(median(&values))
}

async fn weigh(server: &Server, payments: &[Vec<u8>]) -> Result<f64, Box<dyn Error>> {
    let mut connections = Vec::new();
    let mut buffer = Vec::new();
    for _ in payments {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).await?;
        let status = ask(&mut stream, &request(HELD, ""), &mut buffer).await?;
        if status != 402 {
            return Err(format!("expected terms, got {status}").into());
        }
        connections.push(stream);
    }
    let before = server.resident()?;
    for (stream, payment) in connections.iter_mut().zip(payments) {
        stream.write_all(payment).await?;
    }
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).await?;
    let all = payments.len().to_string();
    for _ in 0..1_000 {
        sleep(Duration::from_millis(10)).await;
        ask(&mut stream, &request(COUNT, ""), &mut buffer).await?;
        if buffer.ends_with(all.as_bytes()) {
            return Ok(server.resident()?.saturating_sub(before) as f64);
        }
    }
    Err("not all payments reached their handler".into())
}

async fn ask(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> io::Result<u16> {
    stream.write_all(request).await?;
    answer(stream, buffer).await
}
