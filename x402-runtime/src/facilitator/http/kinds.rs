//! What a provider supports: asked once for everybody who wants to know, and remembered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use x402_model::wire::SupportedResponse;

use super::auth::Operation;
use super::wire::from_now;
use super::{Inner, answer};
use crate::facilitator::FacilitatorError;
use crate::telemetry::event;

/// How often a provider that says "too many requests" is asked again.
const RETRIES: u32 = 3;
/// The longest pause before that, whatever the provider wants.
const MAX_PAUSE: Duration = Duration::from_secs(30);
const TOO_MANY_REQUESTS: u16 = 429;

/// The last answer, and the right to ask for the next one.
pub(super) struct Kinds {
    fresh_for: Duration,
    known: Mutex<Known>,
    flight: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Known {
    answer: Option<(Instant, SupportedResponse)>,
    failure: Option<(Instant, FacilitatorError)>,
}

impl Kinds {
    pub(super) fn new(fresh_for: Duration) -> Self {
        Self {
            fresh_for,
            known: Mutex::default(),
            flight: Arc::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last answer, and whether it is fresh.
    fn last(&self) -> Option<(SupportedResponse, bool)> {
        let known = self.known();
        let (at, answer) = known.answer.as_ref()?;
        Some((answer.clone(), at.elapsed() < self.fresh_for))
    }

    /// How the call failed that was under way at `since`, or later.
    fn failure_since(&self, since: Instant) -> Option<FacilitatorError> {
        let known = self.known();
        let (at, error) = known.failure.as_ref()?;
        (*at >= since).then(|| error.clone())
    }

    fn remember(&self, answer: &Result<SupportedResponse, FacilitatorError>) {
        let now = Instant::now();
        let mut known = self.known();
        match answer {
            Ok(answer) => known.answer = Some((now, answer.clone())),
            Err(error) => known.failure = Some((now, error.clone())),
        }
    }
}

/// The kinds: fresh from memory, old from memory while one task asks again, or from the provider, with one call for all who
/// wait.
pub(super) async fn supported(inner: &Arc<Inner>) -> Result<SupportedResponse, FacilitatorError> {
    let kinds = &inner.kinds;
    match kinds.last() {
        Some((answer, true)) => return Ok(answer),
        Some((answer, false)) => {
            if let Ok(turn) = Arc::clone(&kinds.flight).try_lock_owned() {
                let inner = Arc::clone(inner);
                tokio::spawn(async move {
                    let fetched = fetch(&inner).await;
                    remember(&inner, &fetched);
                    if let Err(error) = fetched {
                        tracing::warn!(name: event::FACILITATOR_FAILED, %error, "the facilitator's kinds are out of date");
                    }
                    drop(turn);
                });
            }
            return Ok(answer);
        }
        None => {}
    }
    let asked = Instant::now();
    let _turn = kinds.flight.lock().await;
    if let Some((answer, _)) = kinds.last() {
        return Ok(answer);
    }
    if let Some(error) = kinds.failure_since(asked) {
        return Err(error);
    }
    let fetched = fetch(inner).await;
    remember(inner, &fetched);
    fetched
}

fn remember(inner: &Inner, answer: &Result<SupportedResponse, FacilitatorError>) {
    inner.kinds.remember(answer);
    if answer.is_ok() {
        inner.wire.metrics().kinds_are_fresh();
    }
}

async fn fetch(inner: &Inner) -> Result<SupportedResponse, FacilitatorError> {
    let mut retry = 0;
    loop {
        let reply = inner
            .wire
            .exchange(
                Operation::Supported,
                None,
                None,
                from_now(inner.verify_deadline),
            )
            .await?;
        if reply.status != TOO_MANY_REQUESTS || retry == RETRIES {
            return answer::supported(&reply);
        }
        sleep(pause(retry, reply.retry_after)).await;
        retry += 1;
    }
}

/// As long as the provider wants, within bounds; one second, doubled with every retry, when it does not say.
fn pause(retry: u32, wanted: Option<Duration>) -> Duration {
    let doubled = || Duration::from_secs(1 << retry.min(5));
    wanted.unwrap_or_else(doubled).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_what_the_provider_wants_within_bounds() {
        let table = [
            (0, None, 1),
            (2, None, 4),
            (u32::MAX, None, 30),
            (0, Some(0), 0),
            (2, Some(7), 7),
            (0, Some(30), 30),
            (0, Some(u64::MAX), 30),
        ];
        for (retry, wanted, seconds) in table {
            let wanted = wanted.map(Duration::from_secs);
            assert_eq!(pause(retry, wanted), Duration::from_secs(seconds));
        }
    }
}
