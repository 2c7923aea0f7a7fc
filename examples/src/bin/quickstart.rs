//! Seller, agent and chain in one process: one real paid call, printed step by step.
#![allow(clippy::print_stdout, reason = "printing the steps is what this program is for")]

use std::{error::Error, net::SocketAddr, time::Instant};

use axum::{Json, extract::Path};
use serde::Serialize;
use x402_client::{Budget, Client, Wallet};
use x402_model::{money::AtomicAmount, network::Network};
use x402_runtime::{
    extract::Paid, ledger::SqliteLedger, paid, paywall::{Paywall, Rail}, sandbox::Sandbox,
};

/// What the seller sells.
#[derive(Debug, Serialize)]
struct Weather {
    city: String,
    celsius: i16,
    paid_by: String,
}

/// Current weather for a city.
#[paid(GET "/weather/{city}", price = "0.01 USDC")]
async fn weather(Path(city): Path<String>, paid: Paid) -> Json<Weather> {
    Json(Weather { city, celsius: 21, paid_by: paid.payer.to_checksum(None) })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("1. chain");
    let sandbox = Sandbox::new()?;
    let (agent_key, agent) = (sandbox.payer_signer(), sandbox.payer());
    let seller = sandbox.seller();
    println!("   in-process EVM, chain id 84532, test token USDC at {}", sandbox.usdc());
    println!("   agent  {agent} has {}", usdc(sandbox.balance(agent)?));
    println!("   seller {seller} has {}", usdc(sandbox.balance(seller)?));

    println!("2. seller");
    let folder = tempfile::tempdir()?;
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let paywall = Paywall::builder()
        .origin(&origin)
        .pay_to(&seller.to_string())
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator(sandbox.facilitator())
        .ledger(SqliteLedger::open(folder.path().join("payments.sqlite"))?)
        .mount(weather)
        .build()
        .await?;
    let app = paywall.router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    println!("   {origin} sells GET /weather/{{city}} for 0.01 USDC, ledger in SQLite");

    println!("3. a call without payment");
    let url = format!("{origin}/weather/zurich");
    let unpaid = reqwest::get(&url).await?;
    println!("   GET {url}");
    println!("   {} {}", unpaid.status(), unpaid.text().await?);

    println!("4. the agent pays");
    let budget = Budget::new("0.05 USD")?.per_call("0.02 USD")?;
    let client = Client::new(Wallet::from_signer(agent_key), budget);
    let started = Instant::now();
    let answer = client.get(&url).send().await?;
    println!("   {} in {} ms: {}", answer.status(), started.elapsed().as_millis(), answer.text()?);
    let receipt = answer.receipt().ok_or("the call was not charged")?;
    println!("   transaction {}", receipt.transaction.as_deref().unwrap_or("unknown"));
    println!("   agent  {agent} has {}", usdc(sandbox.balance(agent)?));
    println!("   seller {seller} has {}", usdc(sandbox.balance(seller)?));
    println!("   budget left: {} of 0.05 USD", client.budget().remaining());

    paywall.shutdown().await;
    println!("done: one call, one settlement, exactly 0.01 USDC moved");
    Ok(())
}

fn usdc(amount: AtomicAmount) -> String {
    format!("{} USDC", amount.to_decimal(6))
}
