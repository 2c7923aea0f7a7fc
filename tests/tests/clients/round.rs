//! One language at work: a shop for each case, one driver for all of them, and what came of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::time::timeout;
use x402_codegen::model::{Encoding, EndpointModel};
use x402_model::asset::{AssetTable, parse_address};
use x402_model::network::Network;
use x402_tests::marketplace::key_file;
use x402_tests::shop::{BUYER, Manners, Quote, Sale, Settled, Shop, same};
use x402_tests::tools;

use crate::names::Method;
use crate::plan::{Call, Case};
use crate::table::{Row, Table};

/// How long a driver may take for all of its calls, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a driver says about one call.
#[derive(Debug, Deserialize)]
pub(crate) struct Said {
    case: String,
    call: usize,
    quote: Quote,
    /// One answer, or one for each page, as JSON that was made of it anew.
    values: Vec<Value>,
    receipts: Vec<Option<Receipt>>,
    error: Option<Failure>,
}

/// How a call failed.
#[derive(Debug, Deserialize)]
struct Failure {
    code: String,
    text: String,
    /// Whether the client says that it cost money: true, false or `maybe`.
    charged: Value,
    /// What it says that it paid for nothing.
    receipt: Option<Receipt>,
}

/// What a client says that it paid, in decimals of the token.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    amount: String,
    charged: Option<String>,
    network: String,
    asset: String,
    pay_to: String,
    transaction: Option<String>,
}

/// Lets a driver make all calls of all cases, alone in its folder: once with shops that ask for what is due, and once with shops
/// that ask for more, where none must be paid.
///
/// `driver` writes and builds it, and gives what starts it. `names` are the methods of the clients, for one that has to be told.
pub(crate) fn go(
    language: &'static str,
    cases: &[Case],
    names: Option<&[Vec<Method>]>,
    home: &Path,
    driver: impl FnOnce() -> Vec<PathBuf>,
) -> Table {
    let rounds = |start: &[PathBuf]| {
        Handle::current().block_on(async {
            let mut table = Table::default();
            for manners in [Manners::Honest, Manners::Greedy] {
                sell(language, cases, names, start, manners, &mut table).await;
            }
            table
        })
    };
    tokio::task::block_in_place(|| tools::alone_in(home, || rounds(&driver())))
}

/// Opens a shop for each case, and holds what the driver says of its calls against what the shops have sold.
async fn sell(
    language: &'static str,
    cases: &[Case],
    names: Option<&[Vec<Method>]>,
    start: &[PathBuf],
    manners: Manners,
    table: &mut Table,
) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut shops, mut plan) = (Vec::new(), Vec::new());
    for (at, case) in cases.iter().enumerate() {
        let shop = Shop::open(case.manifest.clone(), case.visits(), manners).await;
        let names = names.map(|names| names[at].as_slice());
        plan.push(planned(case, shop.origin(), names));
        shops.push(shop);
    }
    let mut driver = Command::new(&start[0]);
    driver.args(&start[1..]);
    let file = folder.path().join("plan.json");
    fs::write(&file, Value::from(plan).to_string()).expect("the plan");
    driver
        .env("PEER_PLAN", &file)
        .env("PEER_KEY_FILE", key_file(folder.path(), BUYER))
        // Everything is on this machine.
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .env("PYTHONUTF8", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(PATIENCE, driver.output()).await;
    let output = output.unwrap_or_else(|_| panic!("the driver of {language} does not end"));
    let output = output.unwrap_or_else(|error| panic!("{language} cannot be started: {error}"));
    let mut said: BTreeMap<String, Vec<Said>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let one: Said = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        said.entry(one.case.clone()).or_default().push(one);
    }
    if !output.status.success() {
        table.trouble += &String::from_utf8_lossy(&output.stderr);
    }
    for (case, shop) in cases.iter().zip(shops) {
        let said = said.remove(&case.name).unwrap_or_default();
        let sales = shop.close().await;
        let result = sales.and_then(|sales| {
            match manners {
                Manners::Honest => verdict(case, &said, &sales)?,
                Manners::Greedy => refused(case, &said, &sales)?,
            }
            Ok(sales)
        });
        // Whoever is refused and should not be says why.
        let ends = |one: &Said| {
            case.calls
                .get(one.call)
                .is_some_and(|call| call.ends.is_some())
        };
        let failed = said
            .iter()
            .filter(|one| manners == Manners::Honest && !ends(one));
        let failed = failed.filter_map(|one| one.error.as_ref()).next();
        let result = result.map_err(|why| format!("{why}\n{failed:?}"));
        table.rows.push(Row::new(case, language, manners, result));
    }
}

/// What a driver is told about a case.
fn planned(case: &Case, origin: &str, names: Option<&[Method]>) -> Value {
    let builtin = AssetTable::builtin();
    let unknown = case.manifest.assets.values().filter(|asset| {
        let network: Network = asset.network.parse().expect("a network");
        let address = parse_address(&asset.address).expect("an address");
        builtin.get(&network, address).is_none()
    });
    let tokens: Vec<Value> = unknown
        .map(|asset| serde_json::to_value(asset).expect("JSON"))
        .collect();
    let unit = match case.manifest.currency.as_str() {
        "USD" => "USD".to_owned(),
        _ => tokens[0]["symbol"].as_str().expect("a symbol").to_owned(),
    };
    let body = |endpoint: &EndpointModel, encoding| {
        let body = endpoint.body.as_ref();
        body.is_some_and(|body| body.encoding == encoding)
    };
    let calls = case.calls.iter().enumerate().map(|(number, call)| {
        let endpoint = &case.model.endpoints[call.endpoint];
        let mut planned = json!({
            "number": number,
            "id": endpoint.id,
            "endpoint": call.endpoint,
            "arguments": case.arguments(call),
            "bytes": body(endpoint, Encoding::Bytes),
            "parts": body(endpoint, Encoding::Parts),
            "cap": call.cap,
            "headers": call.headers,
        });
        if let Some(method) = names.map(|names| &names[call.endpoint]) {
            planned["method"] = match (&call.cap, &method.pages) {
                (Some(_), Some(pages)) => json!(pages),
                _ => json!(method.name),
            };
            planned["quote"] = json!(method.name);
            planned["members"] = json!(method.request.as_ref().map(|(_, members)| members));
        }
        planned
    });
    let calls: Vec<Value> = calls.collect();
    json!({"name": case.name, "origin": origin, "unit": unit, "tokens": tokens, "calls": calls})
}

/// Holds what a driver says against what the shop has sold, call by call.
pub(crate) fn verdict(case: &Case, said: &[Said], sales: &[Sale]) -> Result<(), String> {
    let mut sales = sales.iter();
    for (number, call) in case.calls.iter().enumerate() {
        let id = &case.model.endpoints[call.endpoint].id;
        let told = |why: String| format!("call {number} of {id}: {why}");
        let one = said.get(number).filter(|said| said.call == number);
        let one = one.ok_or_else(|| told("was not made".to_owned()))?;
        let own: Vec<&Sale> = sales.by_ref().take(call.visits.len()).collect();
        check(call, one, &own).map_err(told)?;
    }
    if let Some(more) = sales.next() {
        return Err(format!("{} was sold once more", more.endpoint));
    }
    if said.len() != case.calls.len() {
        return Err(format!("{} calls were reported", said.len()));
    }
    Ok(())
}

/// Holds what a driver says against a shop that asked for too much: every call has failed, and for that reason.
pub(crate) fn refused(case: &Case, said: &[Said], sales: &[Sale]) -> Result<(), String> {
    if said.len() != case.calls.len() || !sales.is_empty() {
        return Err(format!(
            "{} calls were reported, and {} paid",
            said.len(),
            sales.len()
        ));
    }
    for (call, one) in case.calls.iter().zip(said) {
        let endpoint = &case.model.endpoints[call.endpoint];
        let failure = one.error.as_ref();
        let code = failure.map_or("an answer", |failure| &failure.code);
        if failure.is_some_and(|failure| failure.charged != false) {
            return Err(format!("{} is said to have cost something", endpoint.id));
        }
        if code != "price_above_contract" || !one.values.is_empty() {
            return Err(format!("{} ended with {code}", endpoint.id));
        }
    }
    Ok(())
}

fn check(call: &Call, said: &Said, sales: &[&Sale]) -> Result<(), String> {
    ended(call, said.error.as_ref(), sales.last().copied())?;
    let pages = call.visits.len();
    let read = pages - usize::from(call.ends.is_some_and(|end| end.broken));
    let counts = [sales.len(), said.values.len(), said.receipts.len()];
    if counts != [pages; 3] && counts != [pages, read, read] {
        return Err(format!("{pages} answers became {counts:?}"));
    }
    let quote = &sales[0].quote;
    let unknown = said.quote.kind == "unknown" && sales[0].payment.is_none();
    if said.quote != *quote && !unknown {
        return Err(format!(
            "the quote is {:?} instead of {quote:?}",
            said.quote
        ));
    }
    for (page, sale) in sales.iter().enumerate() {
        // Of one that was not given, the error has the receipt.
        let Some(value) = said.values.get(page) else {
            continue;
        };
        let output = &call.visits[page].output;
        if !same(&strict(call, page, value), &strict(call, page, output)) {
            return Err(format!("{output} was read as {value}"));
        }
        receipt(sale.payment.as_ref(), said.receipts[page].as_ref())?;
        let charged = sale
            .payment
            .as_ref()
            .map(|paid| paid.charged.to_decimal(paid.decimals));
        let cost = call.cost.map(|cost| cost.normalized().to_string());
        if cost.is_some() && cost != charged {
            return Err(format!("{charged:?} was charged instead of {cost:?}"));
        }
    }
    Ok(())
}

/// Whether a call ended as it should, and its error says what became of the money for the last answer.
fn ended(call: &Call, failure: Option<&Failure>, last: Option<&Sale>) -> Result<(), String> {
    let told = |failure: &Failure| format!("{} ({})", failure.code, failure.text);
    let (end, failure) = match (call.ends, failure) {
        (None, None) => return Ok(()),
        (Some(end), Some(failure)) if failure.code == end.code => (end, failure),
        (end, failure) => {
            let failure = failure.map(told);
            return Err(format!("it ended with {failure:?} instead of {end:?}"));
        }
    };
    if failure.charged != end.charged {
        let (failure, charged) = (told(failure), &failure.charged);
        return Err(format!("{failure} says {charged} of whether it cost money"));
    }
    let settled = last.and_then(|sale| sale.payment.as_ref());
    receipt(settled.filter(|_| end.charged), failure.receipt.as_ref())
}

/// An answer without what clients may read in different ways.
fn strict(call: &Call, page: usize, answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let (Some(members), Some(loose)) = (answer.as_object_mut(), call.loose.get(page)) {
        members.retain(|name, _| !loose.contains(name));
    }
    answer
}

/// Whether a receipt says what was settled.
fn receipt(settled: Option<&Settled>, receipt: Option<&Receipt>) -> Result<(), String> {
    let (Some(settled), Some(receipt)) = (settled, receipt) else {
        let neither = settled.is_none() && receipt.is_none();
        return if neither {
            Ok(())
        } else {
            Err(format!("{settled:?} came with {receipt:?}"))
        };
    };
    let amounts = [settled.offered, settled.charged].map(|a| a.to_decimal(settled.decimals));
    let same = [
        receipt.amount == amounts[0],
        receipt.charged.as_ref() == Some(&amounts[1]),
        receipt.network == settled.network,
        parse_address(&receipt.asset).is_ok_and(|asset| asset == settled.asset),
        parse_address(&receipt.pay_to).is_ok_and(|payee| payee == settled.pay_to),
        receipt.transaction.as_ref() == Some(&settled.transaction),
    ];
    if same.iter().all(|same| *same) {
        return Ok(());
    }
    Err(format!("{receipt:?} is no receipt of {settled:?}"))
}
