//! Every way in which two calls about one payment may differ.

use super::*;

const NOW: u64 = 1_790_000_000;

fn asked(nonce: u8) -> Asked {
    Asked {
        key: (
            84_532,
            Address::repeat_byte(1),
            Address::repeat_byte(2),
            B256::repeat_byte(nonce),
        ),
        fingerprint: B256::repeat_byte(nonce),
        valid_before: NOW + 300,
    }
}

fn claimant(caller: &str, ticket: Ticket) -> Claimant {
    Claimant {
        caller: Some(Arc::from(caller)),
        ticket,
    }
}

fn settled() -> SettleOutcome {
    SettleOutcome::Settled(SettleResponse {
        success: true,
        transaction: "0x01".to_owned(),
        ..SettleResponse::default()
    })
}

fn open() -> SettleOutcome {
    SettleOutcome::Unknown {
        transaction: Some("0x02".to_owned()),
        reason: String::new(),
    }
}

#[track_caller]
fn lead(claims: &Arc<Claims>, asked: Asked, who: &Claimant) -> (Lead, Repeat) {
    match claims.enter(asked, who, NOW) {
        Part::Lead(lead, repeat) => (lead, repeat),
        other => panic!("{other:?}"),
    }
}

const KEY: Ticket = Ticket::Key([1; 32]);
const BODY: Ticket = Ticket::Body([2; 32]);

#[test]
fn f04_one_settlement_is_one_success_without_a_key_and_a_repeatable_one_with() {
    for (ticket, repeatable) in [(KEY, true), (BODY, false)] {
        let claims = Arc::new(Claims::new());
        let who = claimant("alice", ticket);
        let (led, _) = lead(&claims, asked(1), &who);
        assert!(matches!(claims.enter(asked(1), &who, NOW), Part::Wait(_)));
        led.ended(&settled());
        for first in [true, false] {
            let part = claims.enter(asked(1), &who, NOW);
            let success = first || repeatable;
            assert_eq!(matches!(part, Part::Success(_)), success, "{part:?}");
            assert_eq!(matches!(part, Part::Used), !success);
        }
    }
}

#[test]
fn f04_nobody_hears_of_what_was_settled_for_another() {
    let claims = Arc::new(Claims::new());
    lead(&claims, asked(1), &claimant("alice", KEY))
        .0
        .ended(&settled());
    let strangers = [
        claimant("bob", KEY),
        claimant("alice", Ticket::Key([9; 32])),
        claimant("alice", BODY),
        Claimant {
            caller: None,
            ticket: KEY,
        },
    ];
    for stranger in strangers {
        assert!(
            matches!(claims.enter(asked(1), &stranger, NOW), Part::Used),
            "{stranger:?}"
        );
    }
    let again = claims.enter(asked(1), &claimant("alice", KEY), NOW);
    assert!(matches!(again, Part::Success(_)));
}

#[test]
fn f04_without_a_claim_only_a_key_may_hear_of_an_earlier_transaction() {
    let claims = Arc::new(Claims::new());
    assert_eq!(
        lead(&claims, asked(1), &claimant("alice", KEY)).1,
        Repeat::Success
    );
    assert_eq!(
        lead(&claims, asked(2), &claimant("alice", BODY)).1,
        Repeat::Joined
    );
}

#[test]
fn f07_the_key_is_the_whole_payment() {
    let claims = Arc::new(Claims::new());
    let who = claimant("alice", KEY);
    lead(&claims, asked(1), &who).0.ended(&settled());
    let (chain, asset, payer, nonce) = asked(1).key;
    for key in [
        (1, asset, payer, nonce),
        (chain, Address::ZERO, payer, nonce),
        (chain, asset, Address::ZERO, nonce),
        (chain, asset, payer, B256::ZERO),
    ] {
        lead(&claims, Asked { key, ..asked(1) }, &who);
    }
}

#[test]
fn f08_a_changed_request_is_never_answered_from_memory() {
    let claims = Arc::new(Claims::new());
    let who = claimant("alice", KEY);
    let changed = Asked {
        fingerprint: B256::ZERO,
        ..asked(1)
    };
    let (led, _) = lead(&claims, asked(1), &who);
    assert!(matches!(claims.enter(changed, &who, NOW), Part::Wait(_)));
    led.ended(&settled());
    assert!(matches!(claims.enter(changed, &who, NOW), Part::Apart(_)));
}

#[test]
fn an_open_outcome_stays_its_callers() {
    for ticket in [KEY, BODY] {
        let claims = Arc::new(Claims::new());
        let who = claimant("alice", ticket);
        lead(&claims, asked(1), &who).0.ended(&open());
        let stranger = claimant("bob", ticket);
        assert!(matches!(
            claims.enter(asked(1), &stranger, NOW),
            Part::Apart(Some(hash)) if hash == "0x02"
        ));
        let (led, repeat) = lead(&claims, asked(1), &who);
        assert_eq!(repeat, Repeat::Success, "it was never told");
        led.ended(&settled());
        assert!(matches!(claims.enter(asked(1), &stranger, NOW), Part::Used));
    }
}

#[test]
fn a_settlement_that_sent_nothing_or_was_lost_claims_nothing() {
    let unsent = SettleOutcome::Unknown {
        transaction: None,
        reason: String::new(),
    };
    for outcome in [Some(unsent), None] {
        let claims = Arc::new(Claims::new());
        let (led, _) = lead(&claims, asked(1), &claimant("alice", BODY));
        match outcome {
            Some(outcome) => led.ended(&outcome),
            None => drop(led),
        }
        // An earlier process may have told somebody of the same payment: asking twice must not make it a success.
        let (_led, repeat) = lead(&claims, asked(1), &claimant("alice", BODY));
        assert_eq!(repeat, Repeat::Joined);
    }
}

#[test]
fn a_refusal_claims_nothing() {
    let claims = Arc::new(Claims::new());
    let refused = SettleOutcome::Refused(SettleResponse::default());
    lead(&claims, asked(1), &claimant("mallory", KEY))
        .0
        .ended(&refused);
    lead(&claims, asked(1), &claimant("alice", KEY))
        .0
        .ended(&settled());
}

#[tokio::test]
async fn who_waits_is_woken_by_every_end() {
    let who = claimant("alice", KEY);
    for outcome in [Some(settled()), Some(open()), None] {
        let claims = Arc::new(Claims::new());
        let (led, _) = lead(&claims, asked(1), &who);
        let Part::Wait(mut bell) = claims.enter(asked(1), &who, NOW) else {
            panic!("it should wait");
        };
        match outcome {
            Some(outcome) => led.ended(&outcome),
            None => led.ended(&SettleOutcome::Refused(SettleResponse::default())),
        }
        let _ = bell.changed().await;
        assert!(!matches!(claims.enter(asked(1), &who, NOW), Part::Wait(_)));
    }
}

#[test]
fn memory_is_bounded_and_what_runs_is_kept() {
    let claims = Arc::new(Claims {
        max: 32,
        ..Claims::new()
    });
    let who = claimant("alice", BODY);
    let (running, _) = lead(&claims, asked(0), &who);
    for nonce in 1..200 {
        lead(&claims, asked(nonce), &who).0.ended(&settled());
        assert!(claims.lock().len() <= 32);
    }
    assert!(matches!(claims.enter(asked(0), &who, NOW), Part::Wait(_)));
    drop(running);
    // What was forgotten is led again, but an earlier transaction is then no success.
    let forgotten = (1..200)
        .filter_map(|nonce| match claims.enter(asked(nonce), &who, NOW) {
            Part::Lead(_, repeat) => Some(repeat),
            _ => None,
        })
        .collect::<Vec<_>>();
    assert!(forgotten.len() > 100);
    assert!(forgotten.iter().all(|repeat| *repeat == Repeat::Joined));
}
