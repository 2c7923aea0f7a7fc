//! A facilitator that does as it is told and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use alloy_primitives::Address;
use tokio::sync::Semaphore;
use x402_runtime::facilitator::{
    BoxFuture, Evidence, Facilitator, FacilitatorError, FacilitatorRequest, PaymentRef,
    SettleOutcome,
};
use x402_runtime::model::network::Network;
use x402_runtime::model::wire::{SettleResponse, SupportedKind, SupportedResponse, VerifyResponse};

/// How one settle call ends.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a handful of them in a test")]
pub enum Script {
    /// Settled, as it should be.
    Settle,
    /// Whatever the test says.
    Say(SettleOutcome),
    /// Never ends.
    Hang,
    /// Ends when the test says so, and well.
    Wait,
}

pub struct Double {
    pub scripts: Mutex<VecDeque<Script>>,
    pub evidence: Mutex<Evidence>,
    pub verdict: Mutex<Result<VerifyResponse, FacilitatorError>>,
    pub check_first: AtomicBool,
    pub contract: AtomicBool,
    pub settled: AtomicUsize,
    pub verified: AtomicUsize,
    pub asked: AtomicUsize,
    pub supported: Mutex<Result<SupportedResponse, FacilitatorError>>,
    pub gate: Semaphore,
    /// What it was asked to settle, in order.
    pub requests: Mutex<Vec<FacilitatorRequest>>,
}

impl Default for Double {
    fn default() -> Self {
        let kind = SupportedKind {
            x402_version: 2,
            scheme: "exact".into(),
            network: "eip155:*".into(),
            extra: None,
        };
        Self {
            scripts: Mutex::default(),
            evidence: Mutex::new(Evidence::Unavailable {
                reason: "test".to_owned(),
            }),
            verdict: Mutex::new(Ok(VerifyResponse {
                is_valid: true,
                ..VerifyResponse::default()
            })),
            check_first: AtomicBool::new(false),
            contract: AtomicBool::new(false),
            settled: AtomicUsize::new(0),
            verified: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            supported: Mutex::new(Ok(SupportedResponse {
                kinds: vec![kind],
                ..SupportedResponse::default()
            })),
            gate: Semaphore::new(0),
            requests: Mutex::default(),
        }
    }
}

impl Double {
    pub fn script(&self, scripts: impl IntoIterator<Item = Script>) {
        self.scripts.lock().unwrap().extend(scripts);
    }

    pub fn settles(&self) -> usize {
        self.settled.load(Ordering::SeqCst)
    }

    pub fn show(&self, evidence: Evidence) {
        *self.evidence.lock().unwrap() = evidence;
    }

    pub fn refuse_check(&self, reason: &str) {
        self.check_first.store(true, Ordering::SeqCst);
        *self.verdict.lock().unwrap() = Ok(VerifyResponse {
            is_valid: false,
            invalid_reason: Some(reason.to_owned()),
            invalid_message: Some("CANARY upstream text".to_owned()),
            ..VerifyResponse::default()
        });
    }
}

/// A proper settlement of a request.
pub fn settlement(request: &FacilitatorRequest) -> SettleResponse {
    SettleResponse {
        success: true,
        transaction: "0x".to_owned() + &"ab".repeat(32),
        network: request.network().unwrap(),
        payer: request.payer(),
        ..SettleResponse::default()
    }
}

pub fn refusal(reason: &str) -> SettleOutcome {
    SettleOutcome::Refused(SettleResponse {
        success: false,
        error_reason: Some(reason.to_owned()),
        error_message: Some("CANARY upstream text".to_owned()),
        network: "eip155:84532".to_owned(),
        ..SettleResponse::default()
    })
}

pub fn silence() -> Script {
    Script::Say(SettleOutcome::Unknown {
        transaction: None,
        reason: "test".to_owned(),
    })
}

impl Facilitator for Double {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        let supported = self.supported.lock().unwrap().clone();
        Box::pin(async move { supported })
    }

    fn verify<'a>(
        &'a self,
        _: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        self.verified.fetch_add(1, Ordering::SeqCst);
        let verdict = self.verdict.lock().unwrap().clone();
        Box::pin(async move { verdict })
    }

    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        self.settled.fetch_add(1, Ordering::SeqCst);
        self.requests.lock().unwrap().push(request.clone());
        let script = self
            .scripts
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Script::Settle);
        Box::pin(async move {
            match script {
                Script::Settle => SettleOutcome::Settled(settlement(request)),
                Script::Say(outcome) => outcome,
                Script::Hang => {
                    tokio::time::sleep(Duration::from_secs(3600)).await;
                    SettleOutcome::Settled(settlement(request))
                }
                Script::Wait => {
                    self.gate.acquire().await.unwrap().forget();
                    SettleOutcome::Settled(settlement(request))
                }
            }
        })
    }

    fn evidence<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let evidence = self.evidence.lock().unwrap().clone();
        Box::pin(async move { evidence })
    }

    fn payer_is_contract<'a>(
        &'a self,
        _: &'a Network,
        _: Address,
    ) -> BoxFuture<'a, Result<bool, FacilitatorError>> {
        let contract = self.contract.load(Ordering::SeqCst);
        Box::pin(async move { Ok(contract) })
    }

    fn check_before_serving(&self) -> bool {
        self.check_first.load(Ordering::SeqCst)
    }
}
