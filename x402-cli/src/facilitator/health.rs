//! Whether settlements are possible: what `GET /health` says, and how often the chain is asked for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Mutex;
use x402_runtime::evm::EvmFacilitator;

/// How long an answer of the chain is good for, so that asking for health is no load on the node.
const FRESH: Duration = Duration::from_secs(5);

/// What stands in the way of settling on a network; `None` when nothing does.
type Trouble = Option<&'static str>;

/// What the chains said last.
#[derive(Debug, Default)]
pub(super) struct Health {
    seen: Mutex<Option<(Instant, Vec<Trouble>)>>,
}

impl Health {
    /// The state of every network, in their order.
    pub(super) async fn look(&self, networks: &[Arc<EvmFacilitator>]) -> Vec<Trouble> {
        let mut seen = self.seen.lock().await;
        let chains = match &*seen {
            Some((at, chains)) if at.elapsed() < FRESH => chains.clone(),
            _ => {
                let mut chains = Vec::with_capacity(networks.len());
                for network in networks {
                    chains.push(ask(network).await);
                }
                *seen = Some((Instant::now(), chains.clone()));
                chains
            }
        };
        let budgets = networks.iter().map(|network| {
            let pause = network.fee_budget_pause();
            pause.map(|_| "fee_budget_spent")
        });
        chains
            .into_iter()
            .zip(budgets)
            .map(|(chain, budget)| chain.or(budget))
            .collect()
    }
}

async fn ask(network: &EvmFacilitator) -> Trouble {
    let mut trouble = "settlers_empty";
    for account in network.settlers() {
        match network.native_balance(account).await {
            Ok(wei) if wei.is_zero() => {}
            Ok(_) => return None,
            Err(_) => trouble = "chain_unreachable",
        }
    }
    Some(trouble)
}

/// The whole state in one word, and the state of each network.
pub(super) fn describe(
    networks: &[Arc<EvmFacilitator>],
    troubles: &[Trouble],
) -> (&'static str, Value) {
    let working = troubles.iter().filter(|trouble| trouble.is_none()).count();
    let status = match working {
        0 => "down",
        some if some == troubles.len() => "ok",
        _ => "degraded",
    };
    let one = |(network, trouble): (&Arc<EvmFacilitator>, &Trouble)| {
        let network = network.network().to_string();
        match trouble {
            None => json!({ "network": network, "settling": true }),
            Some(reason) => json!({ "network": network, "settling": false, "reason": reason }),
        }
    };
    let networks: Vec<Value> = networks.iter().zip(troubles).map(one).collect();
    (status, json!({ "status": status, "networks": networks }))
}
