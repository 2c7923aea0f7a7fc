//! One call as a pure state machine: what has happened decides what to do next, and signing is possible once.
//!
//! The machine does no IO and keeps no secrets. The driver in [`crate::Client`] performs each [`CallEffect`] and
//! feeds the result back as a [`CallEvent`].
//!
//! ```text
//! Ready ─▶ AskingPrice ─▶ Choosing ─▶ Reserving ─▶ Signing ─▶ Paying ◀─▶ Pausing
//!              │ no 402       │ none      │ over        │           │ answered, refused, redirected, unknown
//!              ▼              ▼           ▼             ▼           ▼
//!            Closed         Closed      Closed        Closed      Closed
//! ```
//!
//! There is no way back from `Paying` to `Signing`: whatever the seller answers, the same authorization is presented
//! again or the call ends.

use std::time::Duration;

mod reply;

pub(crate) use reply::{PaidAnswer, classify_paid, wants_approval};
pub use reply::{PaidReply, retry_after};

/// How often and how patiently one payment is presented while its outcome is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Most times one payment is sent, the first included. At least 1.
    pub max_sends: u32,
    /// Pause before the second send; doubles with each further one.
    pub first_pause: Duration,
    /// Longest pause that the client chooses by itself.
    pub max_pause: Duration,
    /// Longest `Retry-After` that is waited for; longer ones are shortened to this.
    pub max_retry_after: Duration,
    /// No send is started in the last moments before `validBefore`, because it could not settle any more.
    pub expiry_margin: Duration,
}

impl RetryPolicy {
    /// One send, no repetition: every open outcome goes straight to the caller.
    pub const fn once() -> Self {
        Self {
            max_sends: 1,
            ..Self::standard()
        }
    }

    const fn standard() -> Self {
        Self {
            max_sends: 5,
            first_pause: Duration::from_millis(500),
            max_pause: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(30),
            expiry_margin: Duration::from_secs(6),
        }
    }

    pub(crate) fn pause_after(&self, sends: u32, retry_after: Option<Duration>) -> Duration {
        let doubled = 1_u32
            .checked_shl(sends.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let own = self.first_pause.saturating_mul(doubled).min(self.max_pause);
        retry_after.map_or(own, |asked| {
            asked.clamp(self.first_pause, self.max_retry_after.max(self.first_pause))
        })
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::standard()
    }
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Nothing was sent.
    Ready,
    /// The unpaid request is on its way.
    AskingPrice,
    /// Terms are known; nothing is reserved.
    Choosing,
    /// An option is chosen; room in the budget is being taken.
    Reserving,
    /// Room is taken; the buyer's hook and then the signer are asked.
    Signing,
    /// The paid request is on its way.
    Paying(Attempt),
    /// Waiting to present the same payment again.
    Pausing(Attempt),
    /// The call is over.
    Closed,
}

impl CallState {
    /// The state of a payment that was signed earlier and is to be presented again. It answers
    /// [`CallEvent::Woke`] with a send.
    pub const fn resuming(valid_before_ms: u64, retry: RetryPolicy) -> Self {
        Self::Pausing(Attempt {
            sends: 0,
            valid_before_ms,
            may_have_arrived: true,
            retry,
        })
    }
}

/// Book-keeping of one signed payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How often the payment was sent.
    pub sends: u32,
    /// End of the authorization, in milliseconds since the Unix epoch.
    pub valid_before_ms: u64,
    /// Whether some send can have reached the seller.
    pub may_have_arrived: bool,
    /// Limits of this call.
    pub retry: RetryPolicy,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEvent {
    /// The caller asked for the call.
    Begin,
    /// The unpaid request was answered with something other than 402: the call is free or failed by itself.
    AnsweredFree,
    /// The unpaid request was answered with 402 and readable terms.
    TermsOffered,
    /// The unpaid request was answered with 402 but the terms cannot be used.
    TermsUnreadable,
    /// The unpaid request got no answer.
    AskFailed,
    /// An option fits the policy.
    Chosen,
    /// No option fits the policy.
    NothingAcceptable,
    /// The buyer's hook chose nothing, or does not let it be signed.
    Declined,
    /// The budget has room and it is now taken.
    Reserved,
    /// The budget has no room any more.
    OverBudget,
    /// The signer answered.
    Signed {
        /// End of the authorization, in milliseconds since the Unix epoch.
        valid_before_ms: u64,
        /// Limits for presenting it.
        retry: RetryPolicy,
    },
    /// The signer refused or failed.
    SignFailed,
    /// The paid request was answered.
    PaidAnswered {
        /// What the answer means.
        reply: PaidReply,
        /// When it came.
        now_ms: u64,
    },
    /// The paid request got no answer.
    PayFailed {
        /// Whether the request can have arrived.
        may_have_arrived: bool,
        /// When the failure was noticed.
        now_ms: u64,
    },
    /// The pause is over.
    Woke,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEffect {
    /// Send the request without payment.
    AskPrice,
    /// Pick an option from the terms.
    Choose,
    /// Take room in the budget.
    Reserve,
    /// Ask the buyer's hook, charge the budget and sign, the one time.
    Sign,
    /// Send the request with the payment header made by [`CallEffect::Sign`].
    Pay,
    /// Wait, then report [`CallEvent::Woke`].
    Pause(Duration),
    /// Hand the result to the caller.
    Finish(Ending),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The answer to the unpaid request.
    Free,
    /// The unpaid request got no answer.
    AskFailed,
    /// A 402 without usable terms.
    TermsUnreadable,
    /// No option fits.
    NothingAcceptable,
    /// The buyer's hook said no.
    Declined,
    /// No room in the budget.
    OverBudget,
    /// No signature; nothing can be charged.
    SignFailed,
    /// The seller's answer to the paid request.
    Answered,
    /// The seller refused the payment.
    Refused,
    /// The seller sent the paid request elsewhere; it was not followed.
    Redirected,
    /// No send can have arrived: the authorization never left.
    NeverSent,
    /// The payment was sent and nobody has said what became of it.
    Unknown,
    /// The event does not belong to the state; the driver is wrong.
    Misuse,
}

/// Moves a call by one event. Total: an event that does not belong to the state ends the call with
/// [`Ending::Misuse`].
///
/// # Example
/// ```
/// use x402_client::flow::{step, CallEffect, CallEvent, CallState};
///
/// let (state, effect) = step(CallState::Ready, CallEvent::Begin);
/// assert_eq!(effect, CallEffect::AskPrice);
/// let (_, effect) = step(state, CallEvent::TermsOffered);
/// assert_eq!(effect, CallEffect::Choose);
/// ```
pub fn step(state: CallState, event: CallEvent) -> (CallState, CallEffect) {
    use CallEvent as E;
    use CallState as S;
    match (state, event) {
        (S::Ready, E::Begin) => (S::AskingPrice, CallEffect::AskPrice),
        (S::AskingPrice, E::AnsweredFree) => close(Ending::Free),
        (S::AskingPrice, E::AskFailed) => close(Ending::AskFailed),
        (S::AskingPrice, E::TermsUnreadable) => close(Ending::TermsUnreadable),
        (S::AskingPrice, E::TermsOffered) => (S::Choosing, CallEffect::Choose),
        (S::Choosing, E::NothingAcceptable) => close(Ending::NothingAcceptable),
        (S::Choosing | S::Signing, E::Declined) => close(Ending::Declined),
        (S::Choosing, E::Chosen) => (S::Reserving, CallEffect::Reserve),
        (S::Reserving, E::OverBudget) => close(Ending::OverBudget),
        (S::Reserving, E::Reserved) => (S::Signing, CallEffect::Sign),
        (S::Signing, E::SignFailed) => close(Ending::SignFailed),
        (
            S::Signing,
            E::Signed {
                valid_before_ms,
                retry,
            },
        ) => {
            let attempt = Attempt {
                sends: 1,
                valid_before_ms,
                may_have_arrived: false,
                retry,
            };
            (S::Paying(attempt), CallEffect::Pay)
        }
        (S::Paying(attempt), E::PaidAnswered { reply, now_ms }) => {
            after_answer(attempt, reply, now_ms)
        }
        (
            S::Paying(attempt),
            E::PayFailed {
                may_have_arrived,
                now_ms,
            },
        ) => {
            let may_have_arrived = attempt.may_have_arrived || may_have_arrived;
            present_again(
                Attempt {
                    may_have_arrived,
                    ..attempt
                },
                None,
                now_ms,
            )
        }
        (S::Pausing(attempt), E::Woke) => {
            let attempt = Attempt {
                sends: attempt.sends.saturating_add(1),
                ..attempt
            };
            (S::Paying(attempt), CallEffect::Pay)
        }
        _ => close(Ending::Misuse),
    }
}

const fn close(ending: Ending) -> (CallState, CallEffect) {
    (CallState::Closed, CallEffect::Finish(ending))
}

fn after_answer(attempt: Attempt, reply: PaidReply, now_ms: u64) -> (CallState, CallEffect) {
    let attempt = Attempt {
        may_have_arrived: true,
        ..attempt
    };
    match reply {
        PaidReply::Answered => close(Ending::Answered),
        PaidReply::Refused => close(Ending::Refused),
        PaidReply::Redirected => close(Ending::Redirected),
        PaidReply::TryAgain { retry_after } => present_again(attempt, retry_after, now_ms),
    }
}

fn present_again(
    attempt: Attempt,
    retry_after: Option<Duration>,
    now_ms: u64,
) -> (CallState, CallEffect) {
    let pause = attempt.retry.pause_after(attempt.sends, retry_after);
    let resume_at = now_ms
        .saturating_add(millis(pause))
        .saturating_add(millis(attempt.retry.expiry_margin));
    if attempt.sends >= attempt.retry.max_sends || resume_at >= attempt.valid_before_ms {
        return close(if attempt.may_have_arrived {
            Ending::Unknown
        } else {
            Ending::NeverSent
        });
    }
    (CallState::Pausing(attempt), CallEffect::Pause(pause))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
