//! Seller, agent and chain in one process: one real paid call, printed step by step.
#![allow(
    clippy::print_stdout,
    reason = "printing the steps is what this program is for"
)]

use std::{error::Error, net::SocketAddr, path::Path, time::Instant};

use axum::{Json, extract};
use serde::Serialize;
use x402_client::{Budget, Client, Wallet};
use x402_model::{money::AtomicAmount, network::Network, wire};
use x402_runtime::{
    extract::Paid,
    ledger::SqliteLedger,
    paid,
    paywall::{Paywall, Rail},
    sandbox::Sandbox,
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
async fn weather(extract::Path(city): extract::Path<String>, paid: Paid) -> Json<Weather> {
    Json(Weather {
        city,
        celsius: 21,
        paid_by: paid.payer.to_string(),
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("1. A chain");
    let sandbox = Sandbox::new()?;
    let agent = sandbox.payer();
    println!(
        "   an EVM in this process, chain id 84532, with a test USDC at {}",
        sandbox.usdc()
    );
    let before = Balances::read(&sandbox)?;
    before.print(&sandbox);

    println!("2. A seller");
    let folder = tempfile::tempdir()?;
    let (paywall, origin) = open_shop(&sandbox, &folder.path().join("payments.sqlite")).await?;
    println!(
        "   {origin} sells GET /weather/{{city}} for 0.01 USDC; payments are recorded in SQLite"
    );

    println!("3. A call without payment");
    let url = format!("{origin}/weather/zurich");
    print_unpaid(&url).await?;

    println!("4. The same call by an agent with a budget of 0.05 USD, 0.02 USD per call");
    let wallet = Wallet::from_signer(sandbox.payer_signer());
    let client = Client::new(wallet, Budget::new("0.05 USD", "0.02 USD")?);
    let started = Instant::now();
    let answer = client.get(&url).send().await?;
    println!(
        "   {} in {} ms: {}",
        answer.status(),
        started.elapsed().as_millis(),
        answer.text()?
    );
    let receipt = answer.receipt().ok_or("the call was not charged")?;
    println!("   receipt: {} from {agent}", receipt.amount_text());
    println!(
        "   transaction {}",
        receipt.transaction.as_deref().unwrap_or("unknown")
    );
    let after = Balances::read(&sandbox)?;
    after.print(&sandbox);
    println!(
        "   budget left: {} of {}",
        client.budget().remaining(),
        client.budget().total()
    );

    println!("5. A call that may cost 0.005 USD at most");
    match client.get(&url).max("0.005 USD").send().await {
        Err(refusal) => println!("   refused before anything was signed: {refusal}"),
        Ok(_) => return Err("the agent paid more than it was allowed to".into()),
    }

    paywall.shutdown().await;
    let (paid, earned) = (
        before.agent.get() - after.agent.get(),
        after.seller.get() - before.seller.get(),
    );
    if paid != earned || paid != receipt.amount.get() {
        return Err("the balances do not match the receipt".into());
    }
    println!(
        "Done: one call served, one settlement, {} moved.",
        usdc(receipt.amount)
    );
    Ok(())
}

/// Serves the paid route on a free port; gives the paywall and its origin.
async fn open_shop(sandbox: &Sandbox, ledger: &Path) -> Result<(Paywall, String), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let paywall = Paywall::builder()
        .origin(&origin)
        .pay_to(sandbox.seller().to_string())
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator_arc(sandbox.facilitator())
        .ledger(SqliteLedger::open(ledger)?)
        .mount(weather)
        .build()
        .await?;
    let app = paywall.router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((paywall, origin))
}

async fn print_unpaid(url: &str) -> Result<(), Box<dyn Error>> {
    let unpaid = reqwest::get(url).await?;
    println!("   GET {url} answers {}", unpaid.status());
    let header = unpaid
        .headers()
        .get(wire::headers::PAYMENT_REQUIRED)
        .ok_or("no terms in the answer")?;
    let terms: wire::PaymentRequired =
        wire::headers::decode(header.as_bytes(), wire::headers::DEFAULT_CAP)?;
    for terms in terms.accepts.iter().filter_map(wire::Offered::view) {
        println!(
            "   terms: {} atomic units of {} on {} to {}",
            terms.amount, terms.asset, terms.network, terms.pay_to
        );
    }
    println!("   body:  {}", unpaid.text().await?);
    Ok(())
}

struct Balances {
    agent: AtomicAmount,
    seller: AtomicAmount,
}

impl Balances {
    fn read(sandbox: &Sandbox) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            agent: sandbox.token_balance(sandbox.payer())?,
            seller: sandbox.token_balance(sandbox.seller())?,
        })
    }

    fn print(&self, sandbox: &Sandbox) {
        println!("   agent  {} has {}", sandbox.payer(), usdc(self.agent));
        println!("   seller {} has {}", sandbox.seller(), usdc(self.seller));
    }
}

fn usdc(amount: AtomicAmount) -> String {
    format!("{} USDC", amount.to_decimal(6))
}
