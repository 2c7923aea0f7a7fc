//! Differences of plans: what is bought in advance, for how much, and for how long.

use super::super::document::{Manifest, PlanEntry};
use super::{Findings, Money, Wire};

/// Plans that are on both sides. That one came or went is told of the endpoints that it is good for.
pub(super) fn all(old: &Manifest, new: &Manifest, found: &mut Findings) {
    for before in &old.plans {
        if let Some(after) = new.plans.iter().find(|plan| plan.id == before.id) {
            one(before, after, found);
        }
    }
}

fn one(before: &PlanEntry, after: &PlanEntry, found: &mut Findings) {
    let place = format!("plans/{}", before.id);
    let mut tell = |what: &str, money| found.add(&place, what, Wire::Minor, money);
    if before.kind != after.kind
        || before.period != after.period
        || before.includes != after.includes
    {
        // Nobody can say which of them is worth more.
        tell("another kind of plan", Money::Costlier);
    }
    if after.amount > before.amount {
        tell("it costs more", Money::Costlier);
    } else if after.amount < before.amount {
        tell("it costs less", Money::Cheaper);
    }
    match (&before.credits, &after.credits) {
        (Some(old), Some(new)) if old.currency == new.currency => {
            if new.value < old.value {
                tell("it buys less", Money::Costlier);
            } else if new.value > old.value {
                tell("it buys more", Money::Cheaper);
            }
        }
        (old, new) if old != new => tell("it buys something else", Money::Costlier),
        _ => {}
    }
    let lasts = |plan: &PlanEntry| plan.expires.map_or(u64::MAX, |period| period.seconds);
    if lasts(after) < lasts(before) {
        tell("what it buys is lost earlier", Money::Costlier);
    } else if lasts(after) > lasts(before) {
        tell("what it buys is kept longer", Money::Cheaper);
    }
    if before.purchase != after.purchase || before.present != after.present {
        let what = "bought or shown in another way";
        found.add(&place, what, Wire::Major, Money::None);
    }
}
