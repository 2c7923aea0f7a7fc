//! Measures what a payment gate costs: CPU time per request of server processes, as ratios, in one run.
//!
//! `benches/README.md` tells what is measured and how to read it.

mod load;
mod payment;
mod process;
mod report;
mod rounds;
mod server;
mod soak;
mod weigh;

use std::error::Error;

use rounds::Plan;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        [] => rounds::run(&Plan::FULL),
        ["quick"] => rounds::run(&Plan::QUICK),
        ["load", target, workload, count] => {
            rounds::load_one(target, workload, count.parse()?, rounds::CONNECTIONS)
        }
        ["load", target, workload, count, connections] => {
            rounds::load_one(target, workload, count.parse()?, connections.parse()?)
        }
        // How this program starts its servers.
        ["serve", target] => server::run(target, None),
        ["serve", target, facilitator] => server::run(target, Some(facilitator.parse()?)),
        ["soak"] => soak::run(60),
        ["soak", seconds] => soak::run(seconds.parse()?),
        _ => Err("arguments: none, `quick`, `soak [seconds]`, or `load <target> <unpaid|captured|paid> <requests> [connections]`".into()),
    }
}
