//! A seller with six paid routes and a free one: what a small x402 business looks like.

mod completion;
mod routes;
mod settings;

use std::sync::Arc;

use axum::{Router, routing::get};
use x402_model::{asset::Asset, network::Network};
use x402_runtime::{
    evm::{EvmConfig, EvmFacilitator, RpcChain},
    facilitator::{Facilitator, http::HttpFacilitator},
    ledger::{Ledger, MemoryLedger, SqliteLedger},
    manifest::Service,
    paywall::{Paywall, Rail},
    sandbox::Sandbox,
};

pub use routes::{Sales, Summary, Weather};
pub use settings::{LedgerChoice, ProviderKey, Settings, SettingsError, Settlement, SettlerFile};

/// What can go wrong between settings and a running server.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the seller until the process is told to stop; calls `ready` with one line once it listens.
///
/// # Errors
/// When a setting is wrong, the chain cannot be reached, or the address is taken.
pub async fn run(settings: Settings, ready: impl FnOnce(String) + Send) -> Result<(), StartError> {
    let listener = tokio::net::TcpListener::bind(settings.listen).await?;
    let address = listener.local_addr()?;
    let origin = settings
        .origin
        .clone()
        .unwrap_or_else(|| format!("http://{address}"));
    let seller = Seller::open(&settings, &origin).await?;
    ready(format!(
        "marketplace ready on http://{address}: origin {origin}, {} on {}, ledger {}{}",
        seller.rails.join(" and "),
        seller.chain,
        settings.ledger,
        if seller.metered {
            ""
        } else {
            "; without /complete, because metered payments are not settled there"
        },
    ));
    axum::serve(listener, seller.app.clone())
        .with_graceful_shutdown(stop_signal())
        .await?;
    seller.paywall.shutdown().await;
    Ok(())
}

/// A marketplace that is ready to serve.
#[derive(Debug)]
pub struct Seller {
    /// The routes, paid and free.
    pub app: Router,
    /// The gate behind them; shut it down to drain payments in flight.
    pub paywall: Paywall<Arc<Sales>>,
    rails: Vec<String>,
    chain: &'static str,
    metered: bool,
}

impl Seller {
    /// Connects chain and ledger and mounts the routes.
    ///
    /// # Errors
    /// When a setting is wrong or the chain cannot be reached.
    pub async fn open(settings: &Settings, origin: &str) -> Result<Self, StartError> {
        let place = Place::open(settings).await?;
        let metered = sells_by_the_meter(&*place.facilitator, &settings.network).await?;
        let sales = Arc::new(Sales::default());
        let mut builder = Paywall::builder()
            .service(about())
            .origin(origin)
            .pay_to(place.pay_to)
            .facilitator_arc(place.facilitator)
            .ledger_arc(ledger(&settings.ledger)?);
        let first = Rail::default_of(&settings.network)
            .ok_or_else(|| format!("no known token on {}", settings.network))?;
        let mut rails = vec![first.to_string()];
        builder = builder.accept(first);
        if let Some(asset) = place.second_asset {
            let second = Rail::custom(asset);
            rails.push(second.to_string());
            builder = builder.accept(second);
        }
        if metered {
            builder = builder.mount(completion::complete);
        }
        let paywall = builder
            .mount(routes::weather)
            .mount(routes::summarize)
            .mount(routes::report)
            .mount(routes::quote)
            .mount(routes::sample)
            .build()
            .await?;
        let app = paywall
            .router()
            .route("/health", get(routes::health))
            .with_state(sales);
        Ok(Self {
            app,
            paywall,
            rails,
            chain: place.chain,
            metered,
        })
    }
}

/// What the manifest says of the whole.
fn about() -> Service {
    Service::new("com.example.marketplace", "Marketplace", "1.0.0")
        .issued(1, "2026-11-26T00:00:00Z")
        .description("Weather, summaries, completions and proverbs: one of each way to price a call.")
        .guidance("Every call answers 402 with its terms until it is paid. Try GET /weather/{city} first.")
        .tags(["weather", "text"])
        .contact("seller@example.com")
}

/// Whether the facilitator settles metered payments there: not all do, and the other routes need it not.
async fn sells_by_the_meter(
    facilitator: &dyn Facilitator,
    network: &Network,
) -> Result<bool, StartError> {
    let supported = facilitator.supported().await?;
    let mut kinds = supported.kinds.iter();
    Ok(kinds.any(|kind| {
        kind.x402_version == 2 && kind.scheme == "upto" && network.matches(&kind.network)
    }))
}

/// Where money moves: a real network or the sandbox.
struct Place {
    facilitator: Arc<dyn Facilitator>,
    pay_to: String,
    second_asset: Option<Asset>,
    chain: &'static str,
}

impl Place {
    async fn open(settings: &Settings) -> Result<Self, StartError> {
        match &settings.settlement {
            Settlement::Rpc { url, settler } => {
                let chain = RpcChain::connect(url).await?;
                let facilitator =
                    EvmFacilitator::new(Arc::new(chain), settler.load()?, EvmConfig::default())
                        .await?;
                Ok(Self {
                    facilitator: Arc::new(facilitator),
                    pay_to: pay_to(settings)?,
                    second_asset: settings.second_asset.clone(),
                    chain: "JSON-RPC",
                })
            }
            Settlement::Provider { url, key } => Ok(Self {
                facilitator: Arc::new(provider(url, key.as_ref())?),
                pay_to: pay_to(settings)?,
                second_asset: settings.second_asset.clone(),
                chain: "a provider",
            }),
            Settlement::Sandbox => {
                let sandbox = Sandbox::new()?;
                Ok(Self {
                    facilitator: sandbox.facilitator(),
                    pay_to: settings
                        .pay_to
                        .clone()
                        .unwrap_or_else(|| sandbox.seller().to_string()),
                    second_asset: Some(sandbox.second_asset()),
                    chain: "the in-process sandbox",
                })
            }
        }
    }
}

fn provider(url: &str, key: Option<&ProviderKey>) -> Result<HttpFacilitator, StartError> {
    let builder = HttpFacilitator::builder(url);
    let builder = match key {
        Some(key) => builder.auth(key.load()?),
        None => builder,
    };
    Ok(builder.build()?)
}

/// There is no default where money is real.
fn pay_to(settings: &Settings) -> Result<String, StartError> {
    let pay_to = settings.pay_to.clone();
    Ok(pay_to.ok_or("set X402_PAY_TO to the address that receives the payments")?)
}

fn ledger(choice: &LedgerChoice) -> Result<Arc<dyn Ledger>, StartError> {
    Ok(match choice {
        LedgerChoice::Memory => Arc::new(MemoryLedger::default()),
        LedgerChoice::Sqlite(path) => Arc::new(SqliteLedger::open(path)?),
    })
}

async fn stop_signal() {
    // Without a signal handler the server runs until it is killed, which the ledger survives.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
