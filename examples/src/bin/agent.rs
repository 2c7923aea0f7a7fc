//! An agent with a small task and a budget: it knows what each call costs before it makes it, and buys with the generated client.
#![allow(
    clippy::print_stdout,
    reason = "telling what it decides is what this program is for"
)]

use std::{error::Error, net::SocketAddr, sync::Arc};

use marketplace_client::{Call, Client, Paid, Quality, Quote, SummaryRequest, WeatherRequest};
use x402_client::{Budget, Wallet};
use x402_examples::marketplace::{self, Sales, Settings};
use x402_model::money::{AtomicAmount, Decimal};
use x402_runtime::{ledger::MemoryLedger, paywall::Paywall, sandbox::Sandbox};

type Failure = Box<dyn Error + Send + Sync>;

/// What the agent may spend, together and for one call.
const TOTAL: &str = "0.15 USD";
const PER_CALL: &str = "0.10 USD";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let sandbox = Sandbox::new()?;
    let (paywall, origin) = open_market(&sandbox).await?;
    let before = sandbox.token_balance(sandbox.payer())?;
    println!(
        "The marketplace sells on {origin}, and the agent has {TOTAL}, {PER_CALL} for a call."
    );
    println!("Its task: two sentences on where it is warmer, Zurich or Oslo.");

    let wallet = Wallet::from_signer(sandbox.payer_signer());
    let client = Client::new(wallet, Budget::new(TOTAL, PER_CALL)?)?.at(&origin);
    let agent = Agent { client };
    let mut notes = String::new();
    for city in ["Zurich", "Oslo"] {
        let request = WeatherRequest::new(city.to_owned());
        let what = format!("Weather of {city}");
        let weather = agent.buy(&what, agent.client.weather(&request)).await?;
        let celsius = weather.value.celsius;
        notes.push_str(&format!("In {city} it is {celsius} degrees. "));
    }
    let report = agent.buy(
        "Report of what the marketplace has sold",
        agent.client.report(),
    );
    let readings = report.await?.value.readings;
    notes.push_str(&format!(
        "The marketplace has sold {readings} readings of its weather. "
    ));
    let summary = agent.summarize(&notes).await?;
    println!("Done: {summary}");

    agent.overspend().await?;
    paywall.shutdown().await;
    let paid = before.get() - sandbox.token_balance(sandbox.payer())?.get();
    let paid = AtomicAmount::new(paid).to_decimal(6);
    let (spent, left) = (agent.budget().spent(), agent.budget().remaining());
    println!(
        "The chain says: {paid} USDC in {} settlements; the agent says: {spent} spent, {left} left.",
        sandbox.transaction_count(sandbox.settler()),
    );
    if paid != spent {
        return Err("the chain and the budget do not agree".into());
    }
    Ok(())
}

/// The marketplace on a free port, paid on this chain.
async fn open_market(sandbox: &Sandbox) -> Result<(Paywall<Arc<Sales>>, String), Failure> {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let paywall = marketplace::offer(&Settings::from_lookup(|_| None)?)?
        .origin(&origin)
        .facilitator_arc(sandbox.facilitator())
        .ledger(MemoryLedger::default())
        .build()
        .await?;
    let app = paywall.router().with_state(Arc::new(Sales::default()));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((paywall, origin))
}

struct Agent {
    client: Client,
}

impl Agent {
    fn budget(&self) -> &Budget {
        self.client.inner().budget()
    }

    /// Makes a call if it fits into what is left.
    async fn buy<T>(&self, what: &str, call: Call<'_, T>) -> Result<Paid<T>, Failure> {
        let quote = call.quote()?;
        println!("{what}: {}", said(&quote));
        if !self.affords(&quote)? {
            return Err(format!("no money for this: {what}").into());
        }
        let paid = call.send().await?;
        let receipt = paid.receipt.as_ref().ok_or("the call was not charged")?;
        println!(
            "   paid {} in {}, {} of {} left",
            receipt.amount_text(),
            receipt.transaction.as_deref().unwrap_or("no transaction"),
            self.budget().remaining(),
            self.budget().total(),
        );
        Ok(paid)
    }

    /// The best summary that there is money for.
    async fn summarize(&self, text: &str) -> Result<String, Failure> {
        let mut request = SummaryRequest::new(text.to_owned());
        request.sentences = Some(2);
        for quality in [Quality::Best, Quality::Fast] {
            request.quality = Some(quality);
            let call = self.client.summarize(&request);
            let quote = call.quote()?;
            let what = format!(
                "Summary, {}",
                request.quality.as_ref().map_or("", Quality::as_str)
            );
            if self.affords(&quote)? {
                return Ok(self.buy(&what, call).await?.value.summary);
            }
            println!("{what}: {}, which is too much", said(&quote));
        }
        Err("no money for any summary".into())
    }

    /// Tries to buy what there is no money for: the budget refuses, whatever the agent decides.
    async fn overspend(&self) -> Result<(), Failure> {
        let call = self.client.report();
        let left = self.budget().remaining();
        println!(
            "One more report: {}, and {left} is left",
            said(&call.quote()?)
        );
        match call.send().await {
            Err(refusal) => println!("   refused before anything was signed: {refusal}"),
            Ok(_) => return Err("the agent spent more than its budget".into()),
        }
        Ok(())
    }

    /// Whether the most that a call can cost fits into one call and into what is left.
    fn affords(&self, quote: &Quote) -> Result<bool, Failure> {
        let Some(most) = quote.most() else {
            return Ok(false);
        };
        let left: Decimal = self.budget().remaining().parse()?;
        let per_call: Decimal = PER_CALL.trim_end_matches(" USD").parse()?;
        Ok(most.amount <= left && most.amount <= per_call)
    }
}

fn said(quote: &Quote) -> String {
    match quote {
        Quote::Exact(price) => format!("costs {price}"),
        Quote::UpTo(price) => format!("costs {price} at most"),
        Quote::Within(bounds) => format!("costs {} to {}", bounds.min, bounds.max),
        Quote::Unknown => "costs nobody knows what".to_owned(),
    }
}
