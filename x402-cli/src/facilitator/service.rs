//! Answers verify, settle, supported and health, whatever transport they came over.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::Address;
use http::StatusCode;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};
use x402_runtime::clock::{Clock, SystemClock};
use x402_runtime::evm::{EvmFacilitator, Identified, Repeat, codes};
use x402_runtime::facilitator::{Facilitator, FacilitatorRequest, SettleOutcome};
use x402_runtime::model::network::Network;
use x402_runtime::model::wire::{FacilitatorCall, SettleResponse, SupportedResponse};

use super::answer::{Answer, Operation, USED};
use super::claims::{Claimant, Claims, Lead, Part, Ticket};
use super::health::{self, Health};
use super::limiter::Limiter;
use super::options::{Options, Repeats};

/// When to come back for what the chain or the operator must change first.
const LATER: Duration = Duration::from_secs(30);
/// When to come back for a free place.
const SOON: Duration = Duration::from_secs(1);

/// The networks, the limits and what is going on.
pub(super) struct Service {
    networks: Vec<Arc<EvmFacilitator>>,
    pub(super) options: Options,
    pub(super) clients: Limiter<IpAddr>,
    callers: Limiter<Arc<str>>,
    payers: Limiter<(Address, Option<Accuser>)>,
    calls: Semaphore,
    claims: Arc<Claims>,
    health: Health,
}

/// Who says that a payment is a payer's, where no signature proves it: such calls do not use up the payer's own rate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Accuser {
    Caller(Arc<str>),
    Client(IpAddr),
}

/// Who makes a call.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The name of the token.
    pub(super) name: Option<Arc<str>>,
    /// The address the client is counted under.
    pub(super) client: IpAddr,
    /// The digest of the call's `Idempotency-Key`.
    pub(super) key: Option<[u8; 32]>,
}

/// One call on its way: what it is about, for its end and the log.
struct Call<'a> {
    operation: Operation,
    caller: &'a Caller,
    request: FacilitatorRequest,
    network: &'a Arc<EvmFacilitator>,
    asked: Option<Identified>,
    body_digest: [u8; 32],
}

impl Service {
    pub(super) fn new(networks: Vec<Arc<EvmFacilitator>>, options: Options) -> Self {
        let limits = &options.limits;
        Self {
            clients: Limiter::new(limits.client.per_minute, limits.client.burst),
            callers: Limiter::new(limits.token.per_minute, limits.token.burst),
            payers: Limiter::new(limits.payer.per_minute, limits.payer.burst),
            calls: Semaphore::new(limits.max_in_flight.min(Semaphore::MAX_PERMITS)),
            claims: Arc::new(Claims::new()),
            health: Health::default(),
            networks,
            options,
        }
    }

    /// How many settlements are going on, those included whose callers are gone.
    pub(super) fn settlements_in_flight(&self) -> usize {
        let all = self.networks.iter();
        all.map(|network| network.settlements_in_flight()).sum()
    }

    /// Takes one call of the caller's rate.
    ///
    /// # Errors
    /// The answer, when it has none left.
    pub(super) fn take_rate(&self, caller: &Caller) -> Result<(), Answer> {
        let now = Instant::now();
        match &caller.name {
            Some(name) => self.callers.take(Arc::clone(name), now),
            None => self.clients.take(caller.client, now),
        }
        .map_err(Answer::too_many)
    }

    /// A place among the calls that are worked on; the body is only read by who has one.
    ///
    /// # Errors
    /// The answer, when all are taken.
    pub(super) fn take_place(&self) -> Result<SemaphorePermit<'_>, Answer> {
        self.calls
            .try_acquire()
            .map_err(|_| Answer::busy("busy", SOON))
    }

    /// Answers a verify or settle call.
    pub(super) async fn call(&self, operation: Operation, caller: &Caller, body: &[u8]) -> Answer {
        let request = match FacilitatorCall::read(body) {
            Ok(call) => FacilitatorRequest::from(call),
            Err(fault) => {
                tracing::debug!(
                    operation = operation.as_str(),
                    code = fault.code(),
                    "malformed"
                );
                return Answer::malformed(operation, fault);
            }
        };
        let (Some(network), known) = self.network_of(&request) else {
            return Answer::busy("no_network", LATER);
        };
        let call = Call {
            operation,
            caller,
            asked: network.identify(&request),
            network,
            request,
            body_digest: Sha256::digest(body).into(),
        };
        let answer = match self.take_payer(&call) {
            Err(pause) => Answer::too_many(pause),
            Ok(()) if operation == Operation::Verify => verify(&call).await,
            Ok(()) => self.settle(&call, known).await,
        };
        call.log(&answer);
        answer
    }

    /// The facilitator of a request's network, and whether it is the one that the request names. Any other refuses the
    /// request, with the code of its first fault.
    fn network_of(&self, request: &FacilitatorRequest) -> (Option<&Arc<EvmFacilitator>>, bool) {
        let named = request.network();
        let named = named.and_then(|name| Network::parse_any(&name).ok());
        let found = self
            .networks
            .iter()
            .find(|network| Some(network.network()) == named.as_ref());
        (found.or_else(|| self.networks.first()), found.is_some())
    }

    fn take_payer(&self, call: &Call<'_>) -> Result<(), Duration> {
        let Some(asked) = &call.asked else {
            return Ok(());
        };
        // Anybody can name a payer; only the payer can sign. What is not signed counts against who sends it as well.
        let accuser = (!asked.signed_by_payer).then(|| match &call.caller.name {
            Some(name) => Accuser::Caller(Arc::clone(name)),
            None => Accuser::Client(call.caller.client),
        });
        self.payers
            .take((asked.payment.payer, accuser), Instant::now())
    }

    async fn settle(&self, call: &Call<'_>, known: bool) -> Answer {
        let Some(asked) = call.asked.as_ref().filter(|_| known) else {
            let mut outcome = call.network.settle_as(&call.request, Repeat::Refused).await;
            if let (SettleOutcome::Refused(response), false) = (&mut outcome, known) {
                response.network = named_network(&call.request);
            }
            return call.answer(outcome);
        };
        let repeats = self.options.repeats;
        if repeats == Repeats::Always {
            let outcome = call.network.settle_as(&call.request, Repeat::Success).await;
            return call.answer(outcome);
        }
        let claimant = Claimant {
            caller: call.caller.name.clone(),
            ticket: match call.caller.key {
                Some(key) if repeats == Repeats::Keyed => Ticket::Key(key),
                _ => Ticket::Body(call.body_digest),
            },
        };
        loop {
            match self
                .claims
                .enter(asked.into(), &claimant, SystemClock.now_seconds())
            {
                Part::Lead(lead, repeat) => match call.lead(lead, repeat).await {
                    // Nothing moved and nothing was used up: there is no success that could be heard twice.
                    Some(SettleOutcome::Settled(response)) if response.transaction.is_empty() => {
                        return Answer::settled(response);
                    }
                    // It is heard by whoever enters first; the others of the same caller are too late.
                    Some(SettleOutcome::Settled(_)) => {}
                    Some(outcome) => return call.answer(outcome),
                    None => return Answer::busy("busy", SOON),
                },
                Part::Wait(mut bell) => {
                    // An error means that the claim is gone, which is a change too.
                    let _ = bell.changed().await;
                }
                Part::Success(response) => return Answer::settled(*response),
                Part::Used => return call.answer(call.used()),
                Part::Apart(transaction) => return call.verify_only(transaction).await,
            }
        }
    }

    /// What is settled. Networks whose fees of the hour are spent are left out until there is room again.
    pub(super) async fn supported(&self) -> Answer {
        let mut all = SupportedResponse::default();
        for network in &self.networks {
            let Ok(one) = network.supported().await else {
                continue;
            };
            if network.fee_budget_pause().is_none() {
                all.kinds.extend(one.kinds);
            }
            all.signers.extend(one.signers);
            for extension in one.extensions {
                if !all.extensions.contains(&extension) {
                    all.extensions.push(extension);
                }
            }
        }
        Answer::ok(serde_json::to_value(all).unwrap_or_default())
    }

    /// Whether settlements are possible. 503 when none is.
    pub(super) async fn health(&self) -> Answer {
        let troubles = self.health.look(&self.networks).await;
        let (status, body) = health::describe(&self.networks, &troubles);
        let mut answer = Answer::ok(body);
        if status == "down" {
            answer.status = StatusCode::SERVICE_UNAVAILABLE;
        }
        answer
    }
}

async fn verify(call: &Call<'_>) -> Answer {
    match call.network.verify(&call.request).await {
        Ok(response) => {
            if let Some(message) = &response.invalid_message {
                tracing::debug!(message, "not valid");
            }
            Answer::verified(response)
        }
        Err(error) => {
            tracing::warn!(%error, "the chain cannot be asked");
            Answer::busy("chain_unavailable", Duration::from_secs(5))
        }
    }
}

/// The network that a request names, if it is short enough to be one.
fn named_network(request: &FacilitatorRequest) -> String {
    request
        .network()
        .filter(|name| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic()))
        .unwrap_or_default()
}

impl Call<'_> {
    /// The protocol's name of the network: short in version 1.
    fn network_name(&self) -> String {
        let network = self.network.network();
        let short = network
            .short_name()
            .filter(|_| self.request.x402_version == 1);
        short.map_or_else(|| network.to_string(), str::to_owned)
    }

    fn payer(&self) -> Option<String> {
        self.asked.as_ref().and_then(|_| self.request.payer())
    }

    /// Settles in a task of its own, so that the outcome is kept also when the caller goes away. `None` when the task was lost.
    async fn lead(&self, lead: Lead, repeat: Repeat) -> Option<SettleOutcome> {
        let (network, request) = (Arc::clone(self.network), self.request.clone());
        let task = tokio::spawn(async move {
            let outcome = network.settle_as(&request, repeat).await;
            lead.ended(&outcome);
            outcome
        });
        task.await.ok()
    }

    /// What a caller hears of its own request while the settlement of the payment is another's.
    async fn verify_only(&self, transaction: Option<String>) -> Answer {
        match self.network.verify_charge(&self.request).await {
            Ok(response) if response.is_valid => {
                Answer::pending(self.network_name(), self.payer(), transaction)
            }
            Ok(response) => Answer::settled(SettleResponse {
                error_reason: response.invalid_reason,
                payer: response.payer,
                network: self.network_name(),
                ..SettleResponse::default()
            }),
            Err(error) => {
                tracing::warn!(%error, "the chain cannot be asked");
                Answer::pending(self.network_name(), self.payer(), None)
            }
        }
    }

    fn used(&self) -> SettleOutcome {
        SettleOutcome::Refused(SettleResponse {
            error_reason: Some(USED.to_owned()),
            payer: self.payer(),
            network: self.network_name(),
            ..SettleResponse::default()
        })
    }

    fn answer(&self, outcome: SettleOutcome) -> Answer {
        match outcome {
            SettleOutcome::Settled(response) => Answer::settled(response),
            SettleOutcome::Refused(response) => {
                if let Some(message) = &response.error_message {
                    tracing::debug!(message, "not settled");
                }
                match response.error_reason.as_deref() {
                    Some(codes::FEE_BUDGET_SPENT) => {
                        let pause = self.network.fee_budget_pause().unwrap_or(LATER);
                        Answer::busy(codes::FEE_BUDGET_SPENT, pause)
                    }
                    Some(codes::FEE_ABOVE_CAP) => Answer::busy(codes::FEE_ABOVE_CAP, LATER),
                    Some(codes::SETTLER_FUNDS) => Answer::busy(codes::SETTLER_FUNDS, LATER),
                    _ => Answer::settled(response),
                }
            }
            SettleOutcome::Unknown {
                transaction,
                reason,
            } => {
                tracing::warn!(transaction, reason, "the outcome of a settlement is open");
                Answer::pending(self.network_name(), self.payer(), transaction)
            }
        }
    }

    /// One line per call. Never the signature: it is money until the payment is settled.
    fn log(&self, answer: &Answer) {
        let payment = self.asked.as_ref().map(|asked| &asked.payment);
        let transaction = answer.body.get("transaction").and_then(Value::as_str);
        tracing::info!(
            operation = self.operation.as_str(),
            caller = self.caller.name.as_deref(),
            network = %self.network.network(),
            payer = payment.map(|payment| tracing::field::display(payment.payer)),
            nonce = payment.map(|payment| tracing::field::display(payment.nonce)),
            asset = payment.map(|payment| tracing::field::display(payment.asset)),
            amount = payment.map(|payment| tracing::field::display(payment.amount)),
            transaction = transaction.filter(|hash| !hash.is_empty()),
            status = answer.status.as_u16(),
            code = answer.code(),
            "call"
        );
    }
}
