//! A seller with seven paid routes and a free one: what a small x402 business looks like.

mod completion;
mod routes;
mod settings;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Router, routing::get};
use x402_model::{asset::Asset, network::Network};
use x402_runtime::{
    evm::{EvmConfig, EvmFacilitator, RpcChain},
    facilitator::{Facilitator, http::HttpFacilitator},
    ledger::{Ledger, MemoryLedger, SqliteLedger},
    manifest::Service,
    paywall::{Paywall, PaywallBuilder, Rail},
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
    let origin = origin(&settings, address);
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
        let (shelf, rails) = shelf(settings, &place.terms, origin, metered)?;
        let paywall = shelf
            .facilitator_arc(place.facilitator)
            .ledger_arc(ledger(&settings.ledger)?)
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

/// The marketplace before anybody settles for it and before it records anything: its manifest can be asked for.
///
/// ```
/// use x402_examples::marketplace::{Settings, offer};
///
/// let settings = Settings::from_lookup(|_| None)?;
/// let manifest = offer(&settings)?.manifest()?;
/// assert_eq!(manifest.manifest().service.origin, "http://127.0.0.1:4021");
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// When a setting is wrong.
pub fn offer(settings: &Settings) -> Result<PaywallBuilder<Arc<Sales>>, StartError> {
    let terms = match settings.settlement {
        Settlement::Sandbox => Terms::on(&Sandbox::new()?, settings),
        _ => Terms::of(settings)?,
    };
    let origin = origin(settings, settings.listen);
    let (shelf, _) = shelf(settings, &terms, &origin, true)?;
    Ok(shelf)
}

/// Everything that is sold, and the names of what is taken for it.
fn shelf(
    settings: &Settings,
    terms: &Terms,
    origin: &str,
    metered: bool,
) -> Result<(PaywallBuilder<Arc<Sales>>, Vec<String>), StartError> {
    let first = Rail::default_of(&settings.network)
        .ok_or_else(|| format!("no known token on {}", settings.network))?;
    let second = terms.second_asset.clone().map(Rail::custom);
    let rails: Vec<Rail> = [Some(first), second].into_iter().flatten().collect();
    let names = rails.iter().map(ToString::to_string).collect();
    let mut builder = Paywall::builder()
        .service(about())
        .origin(origin)
        .pay_to(&terms.pay_to);
    for rail in rails {
        builder = builder.accept(rail);
    }
    if metered {
        builder = builder
            .mount(completion::complete)
            .mount(completion::complete_streamed);
    }
    let builder = builder
        .mount(routes::weather)
        .mount(routes::summarize)
        .mount(routes::report)
        .mount(routes::quote)
        .mount(routes::sample);
    Ok((builder, names))
}

fn origin(settings: &Settings, listens: SocketAddr) -> String {
    let own = || format!("http://{listens}");
    settings.origin.clone().unwrap_or_else(own)
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
    terms: Terms,
    chain: &'static str,
}

/// Who is paid, and in what besides the usual token of the network.
struct Terms {
    pay_to: String,
    second_asset: Option<Asset>,
}

impl Terms {
    /// There is no default where money is real.
    fn of(settings: &Settings) -> Result<Self, StartError> {
        let pay_to = settings.pay_to.clone();
        Ok(Self {
            pay_to: pay_to.ok_or("set X402_PAY_TO to the address that receives the payments")?,
            second_asset: settings.second_asset.clone(),
        })
    }

    fn on(sandbox: &Sandbox, settings: &Settings) -> Self {
        let own = || sandbox.seller().to_string();
        Self {
            pay_to: settings.pay_to.clone().unwrap_or_else(own),
            second_asset: Some(sandbox.second_asset()),
        }
    }
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
                    terms: Terms::of(settings)?,
                    chain: "JSON-RPC",
                })
            }
            Settlement::Provider { url, key } => Ok(Self {
                facilitator: Arc::new(provider(url, key.as_ref())?),
                terms: Terms::of(settings)?,
                chain: "a provider",
            }),
            Settlement::Sandbox => {
                let sandbox = Sandbox::new()?;
                Ok(Self {
                    facilitator: sandbox.facilitator(),
                    terms: Terms::on(&sandbox, settings),
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
