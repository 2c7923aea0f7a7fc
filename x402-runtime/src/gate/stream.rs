//! Answers of metered calls that leave while they are made (server-sent events). They cannot be held back until they are paid, so
//! this is the order of things:
//!
//! 1. The ceiling is signed, verified and reserved, and the handler has begun its answer: so far as for any other call.
//! 2. What is due is recorded **before the first byte leaves**, and again each second while more is counted. From then on it is
//!    due even if this process dies; what a crash loses is what was counted since, and nobody is charged for that.
//! 3. When the answer ends, or the buyer goes away, or the time is over, the handler's stream is dropped: nothing more is counted.
//!    The answer is stored with what it came to, which is settled at once, and the last event tells the settlement.
//! 4. A stream that fails is not charged at all, whatever has left of it.
//!
//! The buyer is never charged more than was signed, nor for what was not counted. The seller risks the ceiling of one call: a
//! payer who empties its account while the answer leaves.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::response::Parts;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, stream};
use http_body_util::BodyExt as _;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};
use tracing::Instrument as _;
use x402_model::money::AtomicAmount;
use x402_model::problem::ProblemCode;

use super::Gate;
use super::answers::{self, Outcome};
use super::checks::Refusal;
use super::core::Place;
use super::flow::{after, ledger_down};
use super::metering::Metering;
use super::seller;
use super::settle::first_attempt;
use crate::events::EVENTS;
use crate::hooks::Call;
use crate::ledger::{Advanced, Event, Fingerprint, PaymentKey};
use crate::paywall::PROTOCOL_MARGIN_SECONDS;

/// The last event of a paid stream: its data is the value that the `PAYMENT-RESPONSE` header has elsewhere.
pub(super) const SETTLEMENT_EVENT: &str = "x402-payment-response";

/// The last event of a stream whose payment did not end: its data is the problem, as in the body of any refusal.
pub(super) const PROBLEM_EVENT: &str = "x402-problem";

/// Chunks that wait for a buyer who reads slowly.
const CHUNKS: usize = 8;

/// Pause between records of what is due.
const RECORD_EVERY: Duration = Duration::from_secs(1);

/// For how long a stream's owner may be assumed to be alive after its last record.
const LEASE_MS: u64 = 15_000;

/// After how much of its lease it is renewed though nothing new is due.
const RENEW_MS: u64 = LEASE_MS / 3;

/// How long a buyer's connection may take the last event.
const LAST_WORD: Duration = Duration::from_secs(5);

/// Whether an answer leaves while it is made: events, after success.
pub(super) fn is_stream(parts: &Parts) -> bool {
    let kind = parts.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    parts.status.is_success() && kind.eq_ignore_ascii_case(EVENTS)
}

/// A payment whose handler has begun its answer.
pub(super) struct Running {
    pub(super) gate: Arc<Gate>,
    pub(super) key: PaymentKey,
    pub(super) owner: u64,
    pub(super) fingerprint: Fingerprint,
    pub(super) valid_before: u64,
    pub(super) call: Option<Arc<Call>>,
    pub(super) place: Place,
}

/// Records what is due already and lets the answer leave.
pub(super) async fn begin(
    running: Running,
    metering: Option<Metering>,
    head: (Parts, Body),
) -> Result<Outcome, Refusal> {
    let (parts, body) = head;
    // Only metered answers are streamed; without a meter nothing could be due.
    let Some(metering) = metering else {
        return Err(ProblemCode::Internal.into());
    };
    let mut stream = Stream {
        running,
        metering,
        recorded: AtomicAmount::ZERO,
        recorded_ms: 0,
        kept: Some(BytesMut::new()),
        ends_event: true,
    };
    match stream.record().await {
        Ok(()) => {}
        Err(End::Failed(code)) => {
            stream.release().await;
            return Err(code.into());
        }
        // Nothing has left, so nothing is lost when the reservation went to somebody else meanwhile.
        Err(_) => return Err(ProblemCode::PaymentInProgress.into()),
    }
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let streamed = Response::from_parts(parts.clone(), body_of(receiver));
    let tasks = stream.running.gate.core.tasks.clone();
    tasks.spawn(stream.run(parts, body, sender).in_current_span());
    Ok(Outcome::Streams(streamed))
}

/// The body that the buyer's connection reads.
fn body_of(chunks: Receiver<Bytes>) -> Body {
    let next = |mut chunks: Receiver<Bytes>| async move {
        let chunk = chunks.recv().await?;
        Some((Ok::<_, Infallible>(chunk), chunks))
    };
    Body::from_stream(stream::unfold(chunks, next))
}

/// Why a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It was at its end.
    Done,
    /// The buyer went away, the time is over, or the server shuts down.
    Cut,
    /// The handler's stream failed.
    Failed(ProblemCode),
    /// Somebody else has the payment.
    Lost,
}

struct Stream {
    running: Running,
    metering: Metering,
    recorded: AtomicAmount,
    recorded_ms: u64,
    /// What has left, to be shown again; none once it is longer than what is kept of an answer.
    kept: Option<BytesMut>,
    /// Whether what has left ends with a whole event.
    ends_event: bool,
}

impl Stream {
    async fn run(mut self, head: Parts, body: Body, sender: Sender<Bytes>) {
        let end = self.forward(body, &sender).await;
        let gate = Arc::clone(&self.running.gate);
        let (ends_event, call) = (self.ends_event, self.running.call.clone());
        let outcome = self.end(end, &head).await.unwrap_or_else(Outcome::Refused);
        answers::tell(&gate, &outcome);
        if let Some(call) = &call {
            seller::ended(&gate, call, &outcome);
        }
        let break_off = if ends_event { "" } else { "\n\n" };
        let last = format!("{break_off}{}", answers::last_event(&outcome));
        // A buyer who is gone learns it by presenting the payment again.
        let _ = timeout(LAST_WORD, sender.send(Bytes::from(last))).await;
    }

    /// Passes the handler's chunks on until there are no more, or nobody wants them. Consumes the stream, so that nothing is
    /// counted afterwards.
    async fn forward(&mut self, mut body: Body, sender: &Sender<Bytes>) -> End {
        let mut pace = Pace::new(&self.running);
        loop {
            let frame = AssertUnwindSafe(body.frame()).catch_unwind();
            let chunk = match pace.meanwhile(self, sender, frame).await {
                Ok(Ok(None)) => return End::Done,
                Ok(Ok(Some(Ok(frame)))) => match frame.into_data() {
                    Ok(chunk) => chunk,
                    Err(_trailers) => continue,
                },
                Ok(Ok(Some(Err(_))) | Err(_)) => return End::Failed(ProblemCode::HandlerPanicked),
                Err(end) => return end,
            };
            self.keep(&chunk);
            match pace.meanwhile(self, sender, sender.send(chunk)).await {
                Ok(Ok(())) => {}
                Ok(Err(_gone)) => return End::Cut,
                Err(end) => return end,
            }
        }
    }

    fn keep(&mut self, chunk: &Bytes) {
        let cap = self.running.gate.core.limits.answer_cap;
        self.kept = self.kept.take().and_then(|mut kept| {
            kept.extend_from_slice(chunk);
            (kept.len() <= cap).then_some(kept)
        });
        if !chunk.is_empty() {
            self.ends_event = chunk.ends_with(b"\n\n") || chunk.ends_with(b"\r\n\r\n");
        }
    }

    /// Records what is due, if that is news.
    async fn record(&mut self) -> Result<(), End> {
        let Running {
            gate, key, owner, ..
        } = &self.running;
        let charge = self.metering.so_far(gate).map_err(End::Failed)?;
        let now_ms = gate.core.clock.now_ms();
        let fresh = now_ms < self.recorded_ms.saturating_add(RENEW_MS);
        if fresh && charge == self.recorded {
            return Ok(());
        }
        let event = Event::Metered {
            owner: *owner,
            charge,
            lease_until_ms: now_ms.saturating_add(LEASE_MS),
        };
        match gate.core.ledger.advance(key, event, now_ms).await {
            Ok(Advanced::Done(_)) => {}
            Ok(Advanced::Lost(_) | Advanced::Removed) => return Err(End::Lost),
            Err(error) => {
                let code = ledger_down(&gate.core, &error).code;
                return match now_ms < self.recorded_ms.saturating_add(LEASE_MS) {
                    // It is still this task's: what is due is recorded next time, or at the end.
                    true => Ok(()),
                    false if self.recorded_ms == 0 => Err(End::Failed(code)),
                    false => Err(End::Lost),
                };
            }
        }
        (self.recorded, self.recorded_ms) = (charge, now_ms);
        Ok(())
    }

    /// Settles what was counted, unless the stream failed.
    async fn end(self, end: End, head: &Parts) -> Result<Outcome, Refusal> {
        let charge = match end {
            End::Lost => return Err(ProblemCode::SettlementPending.into()),
            End::Failed(code) => Err(code),
            End::Done | End::Cut => self.metering.so_far(&self.running.gate),
        };
        let charge = match charge {
            Ok(charge) => charge,
            Err(code) if self.release().await => return Err(code.into()),
            // Somebody took it for dead, and may have settled what was recorded.
            Err(_) => return Err(ProblemCode::SettlementPending.into()),
        };
        let Running {
            gate,
            key,
            owner,
            fingerprint,
            place,
            ..
        } = self.running;
        let core = &gate.core;
        let done = match self.kept {
            Some(kept) => {
                let answer = answers::store(head, kept.freeze());
                Event::answered(owner, answer, Some(charge))
            }
            // Too long to be kept: it was seen once.
            None => Event::Metered {
                owner,
                charge,
                lease_until_ms: core.clock.now_ms().saturating_add(LEASE_MS),
            },
        };
        let attempt = first_attempt(core, &key, done).await;
        drop(place);
        match attempt {
            Ok(None) => Err(ProblemCode::SettlementPending.into()),
            Ok(Some(attempt)) => after(core, Ok(attempt), &fingerprint).await,
            Err(error) => after(core, Err(error), &fingerprint).await,
        }
    }

    /// Makes the payment free again. `false` if somebody else has it, or the store fails: then what was recorded stays due.
    async fn release(&self) -> bool {
        let Running {
            gate, key, owner, ..
        } = &self.running;
        let failed = Event::HandlerFailed { owner: *owner };
        let now_ms = gate.core.clock.now_ms();
        match gate.core.ledger.advance(key, failed, now_ms).await {
            Ok(advanced) => matches!(advanced, Advanced::Removed),
            Err(error) => {
                gate.core.ledger_failed(&error);
                false
            }
        }
    }
}

/// What goes on while a stream waits.
struct Pace {
    gate: Arc<Gate>,
    ticks: Interval,
    /// When the payment must be settled, or it expires.
    until: Instant,
}

impl Pace {
    fn new(running: &Running) -> Self {
        let now = running.gate.core.clock.now_ms() / 1000;
        let left = running
            .valid_before
            .saturating_sub(now)
            .saturating_sub(PROTOCOL_MARGIN_SECONDS);
        let mut ticks = interval(RECORD_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            gate: Arc::clone(&running.gate),
            ticks,
            until: Instant::now() + Duration::from_secs(left),
        }
    }

    /// Waits for `work`, recording what is due all the while. The error is why it is not waited for any more.
    async fn meanwhile<T>(
        &mut self,
        stream: &mut Stream,
        buyer: &Sender<Bytes>,
        work: impl Future<Output = T>,
    ) -> Result<T, End> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                () = self.gate.core.closing.cancelled() => return Err(End::Cut),
                () = sleep_until(self.until) => return Err(End::Cut),
                () = buyer.closed() => return Err(End::Cut),
                _ = self.ticks.tick() => stream.record().await?,
                done = &mut work => return Ok(done),
            }
        }
    }
}
