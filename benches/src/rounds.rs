//! The measurement: the same load on every target in turn, round after round.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use crate::load::{Load, send};
use crate::payment::{paid_requests, request};
use crate::process::Server;
use crate::report::{self, Series};
use crate::server::{CAPTURED, FIXED};

/// Connections of the loads whose CPU time is measured.
const CONNECTIONS: usize = 32;
/// Buyers side by side of the load that compares ledgers.
const BUYERS: usize = 64;

/// How much is measured.
pub struct Plan {
    rounds: usize,
    unpaid: usize,
    paid: usize,
    ledger: usize,
}

impl Plan {
    /// Enough for figures that can be relied on.
    pub const FULL: Self = Self {
        rounds: 9,
        unpaid: 40_000,
        paid: 8_000,
        ledger: 6_000,
    };
    /// Enough to see that everything works.
    pub const QUICK: Self = Self {
        rounds: 3,
        unpaid: 8_000,
        paid: 2_000,
        ledger: 1_500,
    };
}

/// Runs everything and prints the table.
pub fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    let unpaid_targets = ["bare", "floor", "ours", "x402-axum"];
    let fixed = unpaid(plan, &unpaid_targets, FIXED)?;
    report::cpu("unpaid → 402, path without capture", &fixed, "bare");
    let captured = unpaid(plan, &unpaid_targets, CAPTURED)?;
    report::cpu("unpaid → 402, path with a capture", &captured, "bare");
    let paid = paid(
        plan,
        &[
            "floor",
            "ours",
            "ours-sqlite",
            "x402-axum",
            "x402-axum-checked",
        ],
    )?;
    report::cpu("paid → 200, every payment unique", &paid, "floor");
    let ledgers = ledgers(plan, &["ours", "ours-sqlite"])?;
    report::rate("paid, 64 buyers at once", &ledgers, "ours");
    let bytes = idle(plan)?;
    report::memory("an idle endpoint, of 2,001", bytes);
    Ok(())
}

/// Puts one load on one target, for a profiler.
pub fn load_one(target: &str, workload: &str, count: usize) -> Result<(), Box<dyn Error>> {
    let (requests, status) = match workload {
        "unpaid" => (vec![request(FIXED, "")], 402),
        "paid" => (paid_requests(CAPTURED, count), 200),
        _ => return Err("the workload is `unpaid` or `paid`".into()),
    };
    let server = Server::start(target)?;
    eprintln!("{target} is process {}", server.id());
    let load = Load {
        requests: Arc::new(requests),
        count,
        connections: CONNECTIONS,
        status,
    };
    let one = measure(&server, &load)?;
    println!(
        "{target} {workload}: {:.1} µs of CPU per request",
        one.micros
    );
    Ok(())
}

/// One load on one target.
struct One {
    micros: f64,
    per_second: f64,
}

fn measure(server: &Server, load: &Load) -> Result<One, Box<dyn Error>> {
    let before = server.cpu()?;
    let took = send(server.port, load)?;
    // What a request leaves to be done after its answer is its cost too.
    std::thread::sleep(Duration::from_millis(20));
    let used = server.cpu()?.saturating_sub(before);
    let count = load.count as f64;
    Ok(One {
        micros: used.as_secs_f64() * 1e6 / count,
        per_second: count / took.as_secs_f64(),
    })
}

fn start(targets: &[&'static str]) -> Result<Vec<(Series, Server)>, Box<dyn Error>> {
    targets
        .iter()
        .map(|target| Ok((Series::new(target), Server::start(target)?)))
        .collect()
}

/// Interleaves the targets, turning their order in every round, after one round that warms them up.
fn interleave(
    plan: &Plan,
    targets: &[&'static str],
    value: fn(&One) -> f64,
    mut load: impl FnMut(bool) -> Load,
) -> Result<Vec<Series>, Box<dyn Error>> {
    let mut servers = start(targets)?;
    for round in 0..=plan.rounds {
        let warm_up = round == 0;
        let load = load(warm_up);
        servers.rotate_left(1);
        for (series, server) in &mut servers {
            let load = Load {
                // The one that asks for no payment.
                status: if series.target == "bare" {
                    200
                } else {
                    load.status
                },
                ..load.clone()
            };
            let one = measure(server, &load)?;
            if !warm_up {
                series.values.push(value(&one));
            }
        }
    }
    let order = |series: &Series| targets.iter().position(|target| *target == series.target);
    let mut all: Vec<Series> = servers.into_iter().map(|(series, _)| series).collect();
    all.sort_by_key(order);
    Ok(all)
}

fn unpaid(
    plan: &Plan,
    targets: &[&'static str],
    path: &'static str,
) -> Result<Vec<Series>, Box<dyn Error>> {
    let requests = Arc::new(vec![request(path, "")]);
    interleave(
        plan,
        targets,
        |one| one.micros,
        |warm_up| Load {
            requests: Arc::clone(&requests),
            count: if warm_up {
                plan.unpaid / 4
            } else {
                plan.unpaid
            },
            connections: CONNECTIONS,
            status: 402,
        },
    )
}

fn paid(plan: &Plan, targets: &[&'static str]) -> Result<Vec<Series>, Box<dyn Error>> {
    interleave(
        plan,
        targets,
        |one| one.micros,
        |warm_up| payments(plan.paid, warm_up, CONNECTIONS),
    )
}

fn ledgers(plan: &Plan, targets: &[&'static str]) -> Result<Vec<Series>, Box<dyn Error>> {
    interleave(
        plan,
        targets,
        |one| one.per_second,
        |warm_up| payments(plan.ledger, warm_up, BUYERS),
    )
}

/// New payments for one round. They are signed before anything is measured, and are unknown to every target.
fn payments(count: usize, warm_up: bool, connections: usize) -> Load {
    let count = if warm_up { count / 4 } else { count };
    Load {
        requests: Arc::new(paid_requests(CAPTURED, count)),
        count,
        connections,
        status: 200,
    }
}

/// Bytes of resident memory that an endpoint adds.
fn idle(plan: &Plan) -> Result<f64, Box<dyn Error>> {
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
    Ok(report::median(&values))
}
