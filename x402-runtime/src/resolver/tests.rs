use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::wire::{SupportedResponse, VerifyResponse};

use super::*;
use crate::clock::ManualClock;
use crate::facilitator::{
    BoxFuture, Facilitator, FacilitatorError, FacilitatorRequest, PaymentRef, SettleOutcome,
};
use crate::ledger::{Fingerprint, Ledger, MemoryLedger, NewPayment, PaymentKey, StoredAnswer};
use crate::paywall::Limits;
use crate::telemetry::PaywallMetrics;

const START_MS: u64 = 1_700_000_000_000;

/// Finds nothing on the chain, or never says.
struct Chain {
    silent: bool,
}

impl Facilitator for Chain {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        Box::pin(async { Err(FacilitatorError::Timeout) })
    }

    fn verify<'a>(
        &'a self,
        _: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        Box::pin(async { Err(FacilitatorError::Timeout) })
    }

    fn settle<'a>(&'a self, _: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        Box::pin(std::future::pending())
    }

    fn evidence<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        Box::pin(async move {
            if self.silent {
                std::future::pending::<()>().await;
            }
            let chain_time = payment.valid_before + 1;
            Evidence::Unused { chain_time }
        })
    }
}

/// A paywall with `count` payments that were served and have long expired.
async fn core(count: usize, silent: bool) -> (Arc<Core>, Arc<MemoryLedger>) {
    let (ledger, clock) = (
        Arc::new(MemoryLedger::new()),
        Arc::new(ManualClock::new(START_MS + 1_000_000)),
    );
    for n in 0..count {
        let key = PaymentKey {
            network: Network::BASE_SEPOLIA,
            asset: Address::ZERO,
            payer: Address::ZERO,
            nonce: B256::from(U256::from(n)),
        };
        let new = NewPayment {
            key: key.clone(),
            fingerprint: Fingerprint([0; 32]),
            endpoint: "e".into(),
            amount: AtomicAmount::from_u128(1),
            pay_to: Address::ZERO,
            valid_before: START_MS / 1000 + 300,
            request: FacilitatorRequest {
                x402_version: 2,
                payload: Default::default(),
                requirements: Default::default(),
            },
            owner: 1,
            lease_until_ms: START_MS,
            now_ms: START_MS,
        };
        ledger.begin(new).await.unwrap();
        let answer = StoredAnswer {
            status: 200,
            headers: vec![],
            body: Default::default(),
        };
        let answered = Event::Answered {
            owner: 1,
            answer: answer.into(),
            charge: None,
        };
        ledger.advance(&key, answered, START_MS).await.unwrap();
    }
    let limits = Limits {
        retention: Duration::ZERO,
        resolve_every: Duration::from_secs(3600),
        ..Limits::default()
    };
    let core = Core::new(
        Arc::new(Chain { silent }),
        ledger.clone(),
        clock,
        limits,
        Vec::new(),
        Vec::new(),
        PaywallMetrics::new(&[]),
    );
    (Arc::new(core), ledger)
}

/// One tick and one purge keep up with any number of payments: neither queue nor store grows without end.
#[tokio::test]
async fn a_tick_and_a_purge_do_all_there_is_to_do() {
    let count = BATCH * 8 + PURGE_BATCH;
    let (core, ledger) = core(count, false).await;
    spawn(&core);
    for _ in 0..2_000 {
        if ledger.due(u64::MAX, 1).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(ledger.due(u64::MAX, 1).await.unwrap().is_empty());
    assert_eq!(ledger.len(), count);
    core.closing.cancel();

    let core = Arc::new(Core::new(
        Arc::new(Chain { silent: false }),
        ledger.clone(),
        Arc::new(ManualClock::new(START_MS + 2_000_000)),
        Limits {
            retention: Duration::ZERO,
            ..Limits::default()
        },
        Vec::new(),
        Vec::new(),
        PaywallMetrics::new(&[]),
    ));
    purge(&core).await;
    assert!(ledger.is_empty(), "{} are left", ledger.len());
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_silent_chain() {
    let (core, ledger) = core(3, true).await;
    spawn(&core);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let drained = tokio::time::timeout(Duration::from_secs(10), core.drain()).await;
    assert_eq!(drained, Ok(true));
    assert_eq!(ledger.due(u64::MAX, 9).await.unwrap().len(), 3);
}
