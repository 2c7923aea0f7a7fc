//! A facilitator in front of the facilitator: loses, delays, refuses or forges the answers it is told to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::Address;
use x402_model::network::Network;
use x402_model::wire::{SettleResponse, SupportedResponse, VerifyResponse};
use x402_runtime::facilitator::{
    BoxFuture, Evidence, Facilitator, FacilitatorError, FacilitatorRequest, PaymentRef,
    SettleOutcome,
};

/// What happens to a verify call.
#[derive(Debug, Clone)]
pub enum OnVerify {
    /// The real facilitator answers.
    Honest,
    /// There is no answer.
    Fail(FacilitatorError),
    /// The payment is refused for this reason.
    Invalid(String),
    /// The payment is declared good without a look at it.
    Wave,
}

/// What happens to a settle call.
#[derive(Debug, Clone)]
pub enum OnSettle {
    /// The real facilitator answers.
    Honest,
    /// The money moves, but the answer is lost.
    LoseAnswer,
    /// Nothing is sent, and the caller cannot know that.
    LoseRequest,
    /// Nothing is sent, and the caller is told so.
    Refuse(Box<SettleResponse>),
    /// The money moves after this time, and the answer comes then.
    Late(Duration),
    /// The call never ends; nothing is sent.
    Hang,
    /// The money is said to have moved, and has not.
    Claim(Box<SettleResponse>),
}

/// Scripts the answers of another facilitator and counts the calls.
pub struct Double {
    inner: Arc<dyn Facilitator>,
    verify: Mutex<VecDeque<OnVerify>>,
    settle: Mutex<VecDeque<OnSettle>>,
    blind: Mutex<bool>,
    verifies: AtomicUsize,
    settles: AtomicUsize,
}

impl std::fmt::Debug for Double {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Double")
            .field("settles", &self.settles)
            .finish_non_exhaustive()
    }
}

impl Double {
    /// A double that is honest until told otherwise.
    #[must_use]
    pub fn new(inner: Arc<dyn Facilitator>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            verify: Mutex::default(),
            settle: Mutex::default(),
            blind: Mutex::new(false),
            verifies: AtomicUsize::new(0),
            settles: AtomicUsize::new(0),
        })
    }

    /// What the next verify calls meet, in order; after that it is honest.
    pub fn on_verify(&self, script: impl IntoIterator<Item = OnVerify>) {
        *self.verify.lock().expect("the script") = script.into_iter().collect();
    }

    /// What the next settle calls meet, in order; after that it is honest.
    pub fn on_settle(&self, script: impl IntoIterator<Item = OnSettle>) {
        *self.settle.lock().expect("the script") = script.into_iter().collect();
    }

    /// Whether the chain can be asked for evidence.
    pub fn set_blind(&self, blind: bool) {
        *self.blind.lock().expect("the switch") = blind;
    }

    /// How often verify was called.
    #[must_use]
    pub fn verifies(&self) -> usize {
        self.verifies.load(Ordering::SeqCst)
    }

    /// How often settle was called.
    #[must_use]
    pub fn settles(&self) -> usize {
        self.settles.load(Ordering::SeqCst)
    }

    fn next_verify(&self) -> OnVerify {
        self.verifies.fetch_add(1, Ordering::SeqCst);
        self.verify
            .lock()
            .expect("the script")
            .pop_front()
            .unwrap_or(OnVerify::Honest)
    }

    fn next_settle(&self) -> OnSettle {
        self.settles.fetch_add(1, Ordering::SeqCst);
        self.settle
            .lock()
            .expect("the script")
            .pop_front()
            .unwrap_or(OnSettle::Honest)
    }
}

fn lost() -> SettleOutcome {
    SettleOutcome::Unknown {
        transaction: None,
        reason: "the double lost the answer".into(),
    }
}

impl Facilitator for Double {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        self.inner.supported()
    }

    fn verify<'a>(
        &'a self,
        request: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        match self.next_verify() {
            OnVerify::Honest => self.inner.verify(request),
            OnVerify::Fail(error) => Box::pin(std::future::ready(Err(error))),
            OnVerify::Invalid(reason) => Box::pin(std::future::ready(Ok(VerifyResponse {
                is_valid: false,
                invalid_reason: Some(reason),
                ..VerifyResponse::default()
            }))),
            OnVerify::Wave => Box::pin(std::future::ready(Ok(VerifyResponse {
                is_valid: true,
                ..VerifyResponse::default()
            }))),
        }
    }

    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        match self.next_settle() {
            OnSettle::Honest => self.inner.settle(request),
            OnSettle::LoseAnswer => Box::pin(async move {
                self.inner.settle(request).await;
                lost()
            }),
            OnSettle::LoseRequest => Box::pin(std::future::ready(lost())),
            OnSettle::Refuse(response) => {
                Box::pin(std::future::ready(SettleOutcome::Refused(*response)))
            }
            OnSettle::Claim(response) => {
                Box::pin(std::future::ready(SettleOutcome::Settled(*response)))
            }
            OnSettle::Late(time) => Box::pin(async move {
                tokio::time::sleep(time).await;
                self.inner.settle(request).await
            }),
            OnSettle::Hang => Box::pin(std::future::pending()),
        }
    }

    fn evidence<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        if *self.blind.lock().expect("the switch") {
            let reason = "the double does not look".to_owned();
            return Box::pin(std::future::ready(Evidence::Unavailable { reason }));
        }
        self.inner.evidence(payment)
    }

    fn payer_is_contract<'a>(
        &'a self,
        network: &'a Network,
        payer: Address,
    ) -> BoxFuture<'a, Result<bool, FacilitatorError>> {
        self.inner.payer_is_contract(network, payer)
    }

    fn check_before_serving(&self) -> bool {
        self.inner.check_before_serving()
    }
}
