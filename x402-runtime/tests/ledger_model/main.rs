//! An exhaustive check of the ledger's transition function: every order in which two processes, three presentations of one
//! payment, a facilitator that answers late or never, two crashes, a stranger, a cancellation, expiry and a reorg can meet.
//!
//! The properties are T1 to T5 of the threat model. That each guard is needed is shown by taking it away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "../ledger_common/mod.rs"]
mod ledger_common;
mod oracle;
mod outside;
mod world;

use oracle::{Ev, Oracle, Quick, Rec};
use std::collections::HashMap;
use world::{Guards, World};
use x402_runtime::ledger::State;

struct Explored {
    states: usize,
    /// What went wrong first, and the shortest way there.
    violation: Option<(&'static str, Vec<&'static str>)>,
    /// States from which the payment can never come to an end.
    stuck: usize,
}

fn explore(guards: Guards) -> Explored {
    let mut oracle = Oracle::default();
    let start = World::start(guards);
    let mut numbers: HashMap<World, u32, Quick> = HashMap::default();
    numbers.insert(start, 0);
    let mut worlds = vec![start];
    let mut came_from: Vec<(u32, &'static str)> = vec![(0, "start")];
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut at = 0;
    while at < worlds.len() {
        let (world, from) = (worlds[at], u32::try_from(at).unwrap());
        if let Some(what) = world.broken {
            return Explored {
                states: at,
                violation: Some((what, way(&came_from, from))),
                stuck: 0,
            };
        }
        for (name, next) in world.next(&mut oracle, guards) {
            let to = *numbers.entry(next).or_insert_with(|| {
                worlds.push(next);
                came_from.push((from, name));
                u32::try_from(worlds.len() - 1).unwrap()
            });
            // What changes nothing leads nowhere.
            if to != from {
                edges.push((from, to));
            }
        }
        at += 1;
    }
    Explored {
        states: worlds.len(),
        violation: None,
        stuck: stuck(&worlds, &edges),
    }
}

fn way(came_from: &[(u32, &'static str)], mut at: u32) -> Vec<&'static str> {
    let mut names = Vec::new();
    while at != 0 {
        let (before, name) = came_from[at as usize];
        names.push(name);
        at = before;
    }
    names.reverse();
    names
}

/// How many worlds have no way to an end: everything minus what is found walking back from the ends.
fn stuck(worlds: &[World], edges: &[(u32, u32)]) -> usize {
    // The worlds before each world, side by side in one list: those of `to` lie between `first[to]` and `first[to + 1]`.
    let mut first = vec![0_u32; worlds.len() + 1];
    for (_, to) in edges {
        first[*to as usize] += 1;
    }
    let mut sum = 0;
    for slot in &mut first {
        sum += *slot;
        *slot = sum;
    }
    let mut before = vec![0_u32; edges.len()];
    for (from, to) in edges {
        let slot = &mut first[*to as usize];
        *slot -= 1;
        before[*slot as usize] = *from;
    }
    let mut ends: Vec<bool> = worlds.iter().map(World::is_settled_for_good).collect();
    let mut todo: Vec<usize> = (0..worlds.len()).filter(|at| ends[*at]).collect();
    while let Some(at) = todo.pop() {
        for from in &before[first[at] as usize..first[at + 1] as usize] {
            if !std::mem::replace(&mut ends[*from as usize], true) {
                todo.push(*from as usize);
            }
        }
    }
    ends.iter().filter(|ends| !**ends).count()
}

#[track_caller]
fn safe(guards: Guards) -> Explored {
    let explored = explore(guards);
    println!("{} states, {} stuck", explored.states, explored.stuck);
    assert_eq!(explored.violation, None, "after {} states", explored.states);
    explored
}

#[track_caller]
fn violated(guards: Guards, wanted: &str) {
    let explored = explore(guards);
    let (what, way) = explored.violation.expect("the guard made no difference");
    println!("{what} after: {}", way.join(", "));
    assert!(what.starts_with(wanted), "{what}, after {way:?}");
}

#[test]
fn t1_to_t5_hold_and_nothing_is_stuck() {
    let explored = safe(Guards::ALL);
    assert_eq!(explored.stuck, 0);
    assert!(
        explored.states > 50_000,
        "the world is not as large as it should be"
    );
}

#[test]
fn closed_records_do_not_move() {
    let mut oracle = Oracle::default();
    for state in [State::Final, State::Failed] {
        let rec = Rec {
            state,
            owner: 1,
            answer: Some(1),
            tried: true,
            in_doubt: true,
        };
        for ev in Ev::ALL {
            assert_eq!(
                oracle.step(rec, *ev),
                None,
                "{ev:?} on a payment that is {state}"
            );
        }
    }
}

#[test]
fn g1_without_the_reservation_two_handlers_run() {
    violated(
        Guards {
            reservation: false,
            ..Guards::ALL
        },
        "G1",
    );
}

#[test]
fn s1_a_timeout_taken_for_a_failure_loses_money_that_moved() {
    violated(
        Guards {
            unknown: false,
            ..Guards::ALL
        },
        "T3",
    );
}

#[test]
fn s2_a_used_nonce_taken_for_a_payment_accepts_a_cancelled_one() {
    violated(
        Guards {
            events: false,
            ..Guards::ALL
        },
        "T4",
    );
}

#[test]
fn s3_an_unused_nonce_taken_for_a_failure_loses_a_late_broadcast() {
    violated(
        Guards {
            expiry: false,
            ..Guards::ALL
        },
        "T3",
    );
}

#[test]
fn s6_without_depth_a_reorg_undoes_what_was_final() {
    violated(
        Guards {
            finality: false,
            ..Guards::ALL
        },
        "T4",
    );
}

#[test]
fn without_the_resolver_records_are_stuck_but_nothing_is_lost() {
    assert!(
        safe(Guards {
            resolver: false,
            crashes: 1,
            ..Guards::ALL
        })
        .stuck
            > 0
    );
}

#[test]
fn s13_an_intent_that_is_not_durable_forgets_money_that_moved() {
    violated(
        Guards {
            durable_intent: false,
            ..Guards::ALL
        },
        "T3",
    );
}

/// With no chain to ask, a payment that was never sent, or only refused, may expire by the clock.
#[test]
fn s3_a_refusal_does_not_answer_for_an_earlier_call() {
    let blind = Guards {
        chain: false,
        private: true,
        crashes: 1,
        ..Guards::ALL
    };
    safe(blind);
    violated(
        Guards {
            doubt: false,
            ..blind
        },
        "T3",
    );
}

/// Why the resolver must ask the chain, where it can, before it lets an unsent payment expire.
#[test]
fn f6_expiry_by_the_clock_alone_misses_a_payment_somebody_else_sent() {
    violated(
        Guards {
            chain: false,
            ..Guards::ALL
        },
        "T3",
    );
}

/// The owner's number is not what keeps the payment safe: state and "first answer wins" are.
#[test]
fn s14_owner_fencing_is_not_needed_for_safety() {
    assert_eq!(
        safe(Guards {
            fencing: false,
            crashes: 0,
            ..Guards::ALL
        })
        .stuck,
        0
    );
}
