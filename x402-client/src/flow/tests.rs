//! Every (state, event) pair, and properties over random event sequences.

use proptest::prelude::*;

use super::*;

const VALID_BEFORE: u64 = 1_000_000;

fn retry() -> RetryPolicy {
    RetryPolicy::default()
}

fn attempt(sends: u32, may_have_arrived: bool) -> Attempt {
    Attempt {
        sends,
        valid_before_ms: VALID_BEFORE,
        may_have_arrived,
        retry: retry(),
    }
}

fn states() -> Vec<CallState> {
    vec![
        CallState::Ready,
        CallState::AskingPrice,
        CallState::Choosing,
        CallState::Reserving,
        CallState::Signing,
        CallState::Paying(attempt(1, false)),
        CallState::Pausing(attempt(1, true)),
        CallState::Closed,
    ]
}

fn replies() -> Vec<PaidReply> {
    vec![
        PaidReply::Answered,
        PaidReply::Refused,
        PaidReply::Redirected,
        PaidReply::TryAgain { retry_after: None },
        PaidReply::TryAgain {
            retry_after: Some(Duration::from_secs(2)),
        },
    ]
}

fn events() -> Vec<CallEvent> {
    let mut events = vec![
        CallEvent::Begin,
        CallEvent::AnsweredFree,
        CallEvent::TermsOffered,
        CallEvent::TermsUnreadable,
        CallEvent::AskFailed,
        CallEvent::Chosen,
        CallEvent::NothingAcceptable,
        CallEvent::Declined,
        CallEvent::Reserved,
        CallEvent::OverBudget,
        CallEvent::Signed {
            valid_before_ms: VALID_BEFORE,
            retry: retry(),
        },
        CallEvent::SignFailed,
        CallEvent::PayFailed {
            may_have_arrived: false,
            now_ms: 0,
        },
        CallEvent::PayFailed {
            may_have_arrived: true,
            now_ms: 0,
        },
        CallEvent::Woke,
    ];
    events.extend(
        replies()
            .into_iter()
            .map(|reply| CallEvent::PaidAnswered { reply, now_ms: 0 }),
    );
    events
}

/// The whole table of allowed moves; everything else must be `Misuse`.
fn allowed(state: CallState, event: CallEvent) -> Option<CallEffect> {
    use CallEffect::{AskPrice, Choose, Finish, Pause, Pay, Reserve, Sign};
    use CallEvent as E;
    use CallState as S;
    let half = Duration::from_millis(500);
    Some(match (state, event) {
        (S::Ready, E::Begin) => AskPrice,
        (S::AskingPrice, E::AnsweredFree) => Finish(Ending::Free),
        (S::AskingPrice, E::TermsOffered) => Choose,
        (S::AskingPrice, E::TermsUnreadable) => Finish(Ending::TermsUnreadable),
        (S::AskingPrice, E::AskFailed) => Finish(Ending::AskFailed),
        (S::Choosing, E::Chosen) => Reserve,
        (S::Choosing | S::Signing, E::Declined) => Finish(Ending::Declined),
        (S::Choosing, E::NothingAcceptable) => Finish(Ending::NothingAcceptable),
        (S::Reserving, E::Reserved) => Sign,
        (S::Reserving, E::OverBudget) => Finish(Ending::OverBudget),
        (S::Signing, E::Signed { .. }) | (S::Pausing(_), E::Woke) => Pay,
        (S::Signing, E::SignFailed) => Finish(Ending::SignFailed),
        (S::Paying(_), E::PayFailed { .. }) => Pause(half),
        (S::Paying(_), E::PaidAnswered { reply, .. }) => match reply {
            PaidReply::Answered => Finish(Ending::Answered),
            PaidReply::Refused => Finish(Ending::Refused),
            PaidReply::Redirected => Finish(Ending::Redirected),
            PaidReply::TryAgain { retry_after } => Pause(retry_after.unwrap_or(half)),
        },
        _ => return None,
    })
}

#[test]
fn every_state_and_event_does_what_the_table_says() {
    for state in states() {
        for event in events() {
            let (next, effect) = step(state, event);
            let expected = allowed(state, event).unwrap_or(CallEffect::Finish(Ending::Misuse));
            assert_eq!(effect, expected, "{state:?} + {event:?}");
            let closed = matches!(effect, CallEffect::Finish(_));
            assert_eq!(
                next == CallState::Closed,
                closed,
                "{state:?} + {event:?} -> {next:?}"
            );
        }
    }
}

#[test]
fn pauses_double_up_to_their_cap_and_obey_retry_after_within_its_cap() {
    let retry = retry();
    let seconds = |sends, asked: Option<u64>| {
        retry
            .pause_after(sends, asked.map(Duration::from_secs))
            .as_millis()
    };
    assert_eq!(
        [1, 2, 3, 4, 5, 6, 40].map(|sends| seconds(sends, None)),
        [500, 1000, 2000, 4000, 8000, 8000, 8000]
    );
    assert_eq!(seconds(1, Some(0)), 500);
    assert_eq!(seconds(1, Some(10)), 10_000);
    assert_eq!(seconds(1, Some(86_400)), 30_000);
}

#[test]
fn gives_up_after_the_last_send_with_what_is_known() {
    let again = CallEvent::PaidAnswered {
        reply: PaidReply::TryAgain { retry_after: None },
        now_ms: 0,
    };
    let last = CallState::Paying(attempt(retry().max_sends, false));
    assert_eq!(step(last, again).1, CallEffect::Finish(Ending::Unknown));
    let unreachable = CallEvent::PayFailed {
        may_have_arrived: false,
        now_ms: 0,
    };
    assert_eq!(
        step(last, unreachable).1,
        CallEffect::Finish(Ending::NeverSent)
    );
    // One send that may have arrived is enough to never call it unsent.
    let last = CallState::Paying(attempt(retry().max_sends, true));
    assert_eq!(
        step(last, unreachable).1,
        CallEffect::Finish(Ending::Unknown)
    );
}

#[test]
fn no_send_starts_when_the_authorization_is_about_to_end() {
    let late = CallEvent::PayFailed {
        may_have_arrived: true,
        now_ms: VALID_BEFORE - 6_500,
    };
    assert_eq!(
        step(CallState::Paying(attempt(1, false)), late).1,
        CallEffect::Finish(Ending::Unknown)
    );
    let in_time = CallEvent::PayFailed {
        may_have_arrived: true,
        now_ms: VALID_BEFORE - 6_501,
    };
    assert!(matches!(
        step(CallState::Paying(attempt(1, false)), in_time).1,
        CallEffect::Pause(_)
    ));
}

#[test]
fn a_resumed_payment_is_sent_at_least_once_even_when_expired() {
    let (state, effect) = step(CallState::resuming(0, retry()), CallEvent::Woke);
    assert_eq!(effect, CallEffect::Pay);
    let lost = CallEvent::PayFailed {
        may_have_arrived: false,
        now_ms: 10,
    };
    assert_eq!(step(state, lost).1, CallEffect::Finish(Ending::Unknown));
}

#[test]
fn extreme_times_do_not_overflow() {
    let event = CallEvent::PayFailed {
        may_have_arrived: true,
        now_ms: u64::MAX,
    };
    let state = CallState::Paying(Attempt {
        sends: u32::MAX,
        ..attempt(1, true)
    });
    assert_eq!(step(state, event).1, CallEffect::Finish(Ending::Unknown));
}

fn any_event() -> impl Strategy<Value = CallEvent> {
    (0..events().len(), 0_u64..2 * VALID_BEFORE).prop_map(|(index, now_ms)| match events()[index] {
        CallEvent::PaidAnswered { reply, .. } => CallEvent::PaidAnswered { reply, now_ms },
        CallEvent::PayFailed {
            may_have_arrived, ..
        } => CallEvent::PayFailed {
            may_have_arrived,
            now_ms,
        },
        event => event,
    })
}

proptest! {
    /// Whatever happens in whatever order: one signature at most, no payment before it, a bounded number of sends.
    #[test]
    fn signs_at_most_once_and_pays_only_after_signing(events in prop::collection::vec(any_event(), 0..60)) {
        let mut state = CallState::Ready;
        let (mut signatures, mut sends) = (0, 0);
        for event in std::iter::once(CallEvent::Begin).chain(events) {
            // Events that do not fit would close the call at once; skip them to walk deep.
            if allowed(state, event).is_none() {
                prop_assert_eq!(step(state, event).1, CallEffect::Finish(Ending::Misuse));
                continue;
            }
            let (next, effect) = step(state, event);
            match effect {
                CallEffect::Sign => signatures += 1,
                CallEffect::Pay => {
                    prop_assert_eq!(signatures, 1);
                    sends += 1;
                }
                _ => {}
            }
            state = next;
        }
        prop_assert!(signatures <= 1);
        prop_assert!(sends <= retry().max_sends);
    }
}
