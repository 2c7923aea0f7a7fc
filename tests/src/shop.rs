//! A seller of everything that a price manifest offers, on a sandbox chain of its own.
//!
//! Routes, prices and terms are those of the manifest, by the model's own evaluation and without any generated code. What calls
//! are given and what they are answered with is agreed on before; whatever else happens is a complaint.

mod goods;
mod order;
mod price;
mod till;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use alloy_primitives::{Address, U256};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use x402_model::asset::parse_address;
use x402_model::manifest::{EndpointEntry, Manifest};
use x402_model::money::AtomicAmount;
use x402_runtime::sandbox::Sandbox;

use crate::accounts;
use crate::token::{NETWORK, USDC};

pub use order::same;

/// The development account that buys in a shop. Those that manifests pay to are others.
pub const BUYER: usize = 4;

/// What the buyer has of each token of a manifest, in atomic units.
const FUNDS: u64 = 1_000_000_000;

/// One call that is expected.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Id of the endpoint.
    pub endpoint: String,
    /// What it is given, as in an example of a manifest: `path`, `query`, `header`, `body`. A body that is not JSON is a list of
    /// its bytes.
    pub input: Value,
    /// What it is answered with: JSON, a text, a list of bytes, or a list of the events of a stream.
    pub output: Value,
    /// The status of the answer, if it is not the one of the manifest.
    pub status: Option<u16>,
    /// What it is on the wire. Without it, the arguments are read as a manifest has them: one text for each value.
    pub wire: Option<Wire>,
}

/// A request as it is on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Wire {
    /// Its method, a blank, its path and its query.
    pub line: String,
    /// Some of its headers, and those that it must not have.
    pub headers: BTreeMap<String, Option<String>>,
    /// Its body, a character for each byte.
    pub body: String,
}

/// What the manifest says about the price of a request before it is made, in decimals of the manifest's currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Quote {
    /// `exact`, `up-to`, `within` or `unknown`.
    pub kind: String,
    /// The least, where that is not the most.
    pub least: Option<String>,
    /// The most.
    pub most: Option<String>,
}

/// One call that was answered.
#[derive(Debug, Clone)]
pub struct Sale {
    /// Id of the endpoint.
    pub endpoint: String,
    /// What could be known of its price before.
    pub quote: Quote,
    /// What was paid; nothing for a call that is free.
    pub payment: Option<Settled>,
}

/// One payment that was settled.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Network in CAIP-2 form.
    pub network: String,
    /// The token.
    pub asset: Address,
    /// Who was paid.
    pub pay_to: Address,
    /// Decimals of the token.
    pub decimals: u8,
    /// What the terms asked for: the price, or the ceiling of a metered one.
    pub offered: AtomicAmount,
    /// What was charged.
    pub charged: AtomicAmount,
    /// The transaction.
    pub transaction: String,
}

/// How a shop keeps the promises of its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// It asks for what is due. The answer to the first payment does not arrive, or not whole; the same payment gets it, presented
    /// again.
    Honest,
    /// It asks for the smallest unit more than the most that is promised, also where nothing is due. A payment is a complaint.
    Greedy,
}

/// What the shop knows while it is open.
struct Desk {
    manifest: Manifest,
    sandbox: Sandbox,
    visits: Vec<Visit>,
    manners: Manners,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    sales: Vec<Sale>,
    complaints: Vec<String>,
    lost: Option<till::Lost>,
}

/// An open shop. Dropping it closes it.
pub struct Shop {
    desk: Arc<Desk>,
    origin: String,
    held: BTreeMap<(Address, Address), U256>,
    sent: [u64; 2],
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Shop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shop").finish_non_exhaustive()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shop {
    /// Opens a shop on a free port. Calls must come in the order of `visits`.
    pub async fn open(manifest: Manifest, visits: Vec<Visit>, manners: Manners) -> Self {
        let sandbox = Sandbox::new().expect("the sandbox starts");
        stock(&sandbox, &manifest).await;
        let held = balances(&sandbox, &manifest);
        let sent = sent(&sandbox);
        let desk = Arc::new(Desk {
            manifest,
            sandbox,
            visits,
            manners,
            book: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let app = Router::new().fallback(serve).with_state(Arc::clone(&desk));
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("the shop serves");
        });
        Self {
            desk,
            origin: format!("http://{address}"),
            held,
            sent,
            task,
        }
    }

    /// `http://host:port`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Closes the shop and gives its sales, each of which the chain proves.
    ///
    /// # Errors
    /// What was otherwise than agreed on, or is not on the chain.
    pub async fn close(self) -> Result<Vec<Sale>, String> {
        let (sales, complaints) = {
            let book = self.desk.book();
            (book.sales.clone(), book.complaints.clone())
        };
        if !complaints.is_empty() {
            return Err(complaints.join("\n"));
        }
        if self.desk.book().lost.is_some() {
            return Err("nobody asked for an answer that was paid for".to_owned());
        }
        let paid: Vec<&Settled> = sales.iter().filter_map(|s| s.payment.as_ref()).collect();
        for payment in &paid {
            till::proven(&self.desk.sandbox, payment).await?;
        }
        let mut due = self.held.clone();
        for payment in &paid {
            *due.entry((payment.asset, payment.pay_to)).or_default() += payment.charged.get();
        }
        let held = balances(&self.desk.sandbox, &self.desk.manifest);
        if held != due {
            return Err(format!("payees hold {held:?} instead of {due:?}"));
        }
        let (settlements, sent) = (paid.len() as u64, sent(&self.desk.sandbox));
        if sent != [self.sent[0] + settlements, self.sent[1]] {
            let before = self.sent;
            return Err(format!(
                "settler and buyer had sent {before:?} and then {sent:?} transactions for {settlements} settlements"
            ));
        }
        Ok(sales)
    }
}

/// How many transactions settler and buyer have sent.
fn sent(sandbox: &Sandbox) -> [u64; 2] {
    let buyer = accounts::address(BUYER);
    [sandbox.settler(), buyer].map(|account| sandbox.transaction_count(account))
}

/// The tokens of a manifest that are on the test chain, with their symbols and domains.
fn tokens(
    manifest: &Manifest,
) -> impl Iterator<Item = (Address, &x402_model::manifest::AssetEntry)> {
    let here = manifest.assets.values().filter(|a| a.network == NETWORK);
    here.map(|asset| (parse_address(&asset.address).expect("an address"), asset))
}

/// Puts the tokens of a manifest on the chain, and gives the buyer some of each.
async fn stock(sandbox: &Sandbox, manifest: &Manifest) {
    let buyer = accounts::address(BUYER);
    let code = sandbox.chain().code(USDC).await.expect("the token's code");
    for (address, asset) in tokens(manifest) {
        if address != USDC {
            let domain = asset.eip712.as_ref().expect("a signing domain");
            sandbox
                .place_token(
                    address,
                    code.clone(),
                    &domain.name,
                    &asset.symbol,
                    &domain.version,
                )
                .expect("the token can be placed");
        }
        sandbox
            .mint(address, buyer, FUNDS)
            .expect("the buyer gets tokens");
        sandbox
            .approve_permit2(address, buyer, U256::MAX)
            .expect("the buyer approves Permit2");
    }
}

/// What the payees of a manifest hold, by token and account.
fn balances(sandbox: &Sandbox, manifest: &Manifest) -> BTreeMap<(Address, Address), U256> {
    let rails = manifest.rails.values().filter_map(|rail| {
        let asset = manifest.assets.get(&rail.asset)?;
        let place =
            [&asset.address, &rail.pay_to].map(|text| parse_address(text).expect("an address"));
        (asset.network == NETWORK).then_some(place)
    });
    rails
        .map(|[asset, payee]| {
            let held = sandbox.balance_of(asset, payee).expect("the token answers");
            ((asset, payee), held.get())
        })
        .collect()
}

async fn serve(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let answer = match desk.manners {
        Manners::Honest => desk.answer(request).await,
        Manners::Greedy => desk.demand(request).await,
    };
    match answer {
        Ok(response) => response,
        Err(complaint) => {
            let mut book = desk.book();
            book.complaints.push(complaint.clone());
            (StatusCode::IM_A_TEAPOT, complaint).into_response()
        }
    }
}

impl Desk {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("the book")
    }

    /// The next call that is expected.
    fn next(&self) -> Option<&Visit> {
        let done = self.book().sales.len();
        self.visits.get(done)
    }

    fn sold(&self, endpoint: &EndpointEntry, quote: Quote, payment: Option<Settled>) {
        self.book().sales.push(Sale {
            endpoint: endpoint.id.clone(),
            quote,
            payment,
        });
    }
}
