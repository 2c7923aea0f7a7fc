//! The measurement: the same load on every target in turn, round after round.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use crate::load::{Load, send};
use crate::payment::{paid_requests, request};
use crate::process::Server;
use crate::report::{self, Goal, Series, Table};
use crate::server::{CAPTURED, FIXED};
use crate::weigh;

/// Connections of the loads whose CPU time is measured.
pub const CONNECTIONS: usize = 32;
/// Buyers side by side of the load that compares ledgers.
const BUYERS: usize = 64;

/// How much is measured.
pub struct Plan {
    /// How often everything is done.
    pub rounds: usize,
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

/// Runs everything and prints the tables.
pub fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    let cpu = "µs of CPU";
    for (title, path) in [
        ("unpaid → 402, path without capture", FIXED),
        ("unpaid → 402, path with a capture", CAPTURED),
    ] {
        let table = Table {
            title,
            unit: cpu,
            to: "bare",
            goal: ("ours", Goal::AtMost(1.10)),
        };
        let targets = ["bare", "floor", "ours", "x402-axum", "r402"];
        table.print(&unpaid(plan, &targets, path)?);
    }
    let table = Table {
        title: "paid → 200, facilitator in the process, every payment unique",
        unit: cpu,
        to: "floor",
        goal: ("ours", Goal::AtMost(1.35)),
    };
    let targets = [
        "floor",
        "ours",
        "ours-sqlite",
        "x402-axum",
        "x402-axum-checked",
        "r402",
    ];
    table.print(&paid(plan, &targets)?);
    let table = Table {
        title: "paid → 200, facilitator over HTTP",
        unit: cpu,
        to: "x402-axum-http",
        goal: ("ours-http", Goal::AtMost(1.0)),
    };
    table.print(&paid(plan, &["x402-axum-http", "ours-http", "r402-http"])?);
    let table = Table {
        title: "paid, 64 buyers at once",
        unit: "requests/s",
        to: "ours",
        goal: ("ours-sqlite", Goal::AtLeast(0.5)),
    };
    table.print(&ledgers(plan, &["ours", "ours-sqlite"])?);
    let kib = 1024.0;
    report::memory("an idle endpoint, of 2,001", weigh::idle(plan)?, 64.0 * kib);
    report::memory(
        "a payment in flight, of 800",
        weigh::held(plan)?,
        16.0 * kib,
    );
    Ok(())
}

/// Puts one load on one target, for a profiler.
pub fn load_one(
    target: &str,
    workload: &str,
    count: usize,
    connections: usize,
) -> Result<(), Box<dyn Error>> {
    let (requests, status) =
        match workload {
            "unpaid" => (vec![request(FIXED, "")], unpaid_status(target)),
            "captured" => (vec![request(CAPTURED, "")], unpaid_status(target)),
            "paid" => (paid_requests(CAPTURED, count), 200),
            _ => return Err(
                "the workload is `unpaid`, `captured` (unpaid, at a path with a capture) or `paid`"
                    .into(),
            ),
        };
    let facilitator = facilitator_of(&[target])?;
    let server = Server::start_with(target, facilitator.as_ref().map(|it| it.port))?;
    eprintln!("{target} is process {}", server.id());
    let load = Load {
        requests: Arc::new(requests),
        count,
        connections,
        status,
    };
    let one = measure(&server, &load)?;
    println!(
        "{target} {workload}: {:.1} µs of CPU per request, {:.0} per second",
        one.micros, one.per_second
    );
    Ok(())
}

/// What a target answers to a request without a payment.
fn unpaid_status(target: &str) -> u16 {
    if target == "bare" { 200 } else { 402 }
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

/// The facilitator in a process of its own, if one of the targets calls it.
fn facilitator_of(targets: &[&str]) -> Result<Option<Server>, Box<dyn Error>> {
    let called = targets.iter().any(|target| target.ends_with("-http"));
    called.then(|| Server::start("facilitator")).transpose()
}

fn start(
    targets: &[&'static str],
    facilitator: Option<u16>,
) -> Result<Vec<(Series, Server)>, Box<dyn Error>> {
    targets
        .iter()
        .map(|target| {
            let server = Server::start_with(target, facilitator)?;
            Ok((Series::new(target), server))
        })
        .collect()
}

/// Interleaves the targets, turning their order in every round, after one round that warms them up.
fn interleave(
    plan: &Plan,
    targets: &[&'static str],
    value: fn(&One) -> f64,
    mut load: impl FnMut(bool) -> Load,
) -> Result<Vec<Series>, Box<dyn Error>> {
    let facilitator = facilitator_of(targets)?;
    let mut servers = start(targets, facilitator.as_ref().map(|it| it.port))?;
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
