//! Differences of endpoints: where they are, what they take and give, what they cost.

use super::super::document::Manifest;
use super::super::endpoint::EndpointEntry;
use super::super::parts::AllowanceEntry;
use super::schema::{self, Side};
use super::{Findings, Money, Shared, Wire, money, parts};

pub(super) fn all(old: &Manifest, new: &Manifest, found: &mut Findings) {
    let shared = Shared {
        old: &old.schemas,
        new: &new.schemas,
    };
    for before in &old.endpoints {
        let place = format!("endpoints/{}", before.id);
        match new
            .endpoints
            .iter()
            .find(|endpoint| endpoint.id == before.id)
        {
            None => {
                found.add(&place, "an endpoint is gone", Wire::Major, Money::None);
            }
            Some(after) => {
                one(before, after, &shared, &place, found);
                terms((old, before), (new, after), &place, found);
                money::price(old, before, new, after, &place, found);
            }
        }
    }
    for after in &new.endpoints {
        if !old.endpoints.iter().any(|endpoint| endpoint.id == after.id) {
            let place = format!("endpoints/{}", after.id);
            found.add(&place, "a new endpoint", Wire::Minor, Money::None);
        }
    }
}

fn one(
    before: &EndpointEntry,
    after: &EndpointEntry,
    shared: &Shared<'_>,
    place: &str,
    found: &mut Findings,
) {
    let moved =
        before.path != after.path || before.method != after.method || before.kind != after.kind;
    if moved {
        found.add(place, "another method or path", Wire::Major, Money::None);
    }
    let (input, other) = (&before.input, &after.input);
    for (name, before, after) in [
        ("path", &input.path, &other.path),
        ("query", &input.query, &other.query),
        ("header", &input.header, &other.header),
    ] {
        let at = format!("{place}/{name}");
        schema::compare(
            before.as_ref(),
            after.as_ref(),
            Side::Request,
            shared,
            &at,
            found,
        );
    }
    body(before, after, shared, place, found);
    let (output, other) = (&before.output, &after.output);
    let shape = output.content_type != other.content_type
        || output.status != other.status
        || output.stream != other.stream
        || output.pagination != other.pagination;
    if shape {
        found.add(place, "another kind of answer", Wire::Major, Money::None);
    }
    let at = format!("{place}/output");
    schema::compare(
        output.schema.as_ref(),
        other.schema.as_ref(),
        Side::Response,
        shared,
        &at,
        found,
    );
    allowances(before, after, place, found);
}

/// When money moves, what sending again means, and plans. What is a default on both sides is compared once, among the defaults.
fn terms(
    (old, before): (&Manifest, &EndpointEntry),
    (new, after): (&Manifest, &EndpointEntry),
    place: &str,
    found: &mut Findings,
) {
    if before.charge.is_some() || after.charge.is_some() {
        let (earlier, later) = (old.charge_of(before), new.charge_of(after));
        parts::charge(place, earlier, later, found);
    }
    if before.idempotency.is_some() || after.idempotency.is_some() {
        let (earlier, later) = (old.idempotency_of(before), new.idempotency_of(after));
        parts::idempotency(place, earlier, later, found);
    }
    for plan in before
        .plans
        .iter()
        .filter(|plan| !after.plans.contains(plan))
    {
        found.add(
            place,
            format!("the plan {plan} is no longer good"),
            Wire::Minor,
            Money::Costlier,
        );
    }
    if after.plans.iter().any(|plan| !before.plans.contains(plan)) {
        found.add(place, "another plan is good", Wire::Minor, Money::None);
    }
}

fn body(
    before: &EndpointEntry,
    after: &EndpointEntry,
    shared: &Shared<'_>,
    place: &str,
    found: &mut Findings,
) {
    let at = format!("{place}/body");
    match (&before.input.body, &after.input.body) {
        (None, None) => {}
        (Some(before), Some(after)) => {
            if before.content_type != after.content_type {
                found.add(&at, "another kind of body", Wire::Major, Money::None);
            }
            let most =
                |body: &super::super::endpoint::BodyEntry| body.max_bytes.unwrap_or(u64::MAX);
            if most(after) < most(before) {
                found.add(&at, "shorter bodies only", Wire::Major, Money::None);
            } else if most(after) > most(before) {
                found.add(&at, "longer bodies", Wire::Minor, Money::None);
            }
            let (before, after) = (before.schema.as_ref(), after.schema.as_ref());
            schema::compare(before, after, Side::Request, shared, &at, found);
        }
        _ => {
            found.add(&at, "a body came or went", Wire::Major, Money::None);
        }
    }
}

/// Free calls in a day, so that windows can be compared; a trial counts as one day.
fn free(all: &[AllowanceEntry]) -> u64 {
    let each = all.iter().map(|one| {
        let seconds = one.window.map_or(86_400, |window| window.seconds.max(1));
        one.calls
            .saturating_mul(86_400)
            .checked_div(seconds)
            .unwrap_or_default()
    });
    each.fold(0, u64::saturating_add)
}

fn allowances(before: &EndpointEntry, after: &EndpointEntry, place: &str, found: &mut Findings) {
    let (old, new) = (&before.allowances, &after.allowances);
    if old == new {
        return;
    }
    // As many, counted in another way, are perhaps for fewer callers.
    let money = if free(new) > free(old) {
        Money::Cheaper
    } else {
        Money::Costlier
    };
    found.add(place, "other free calls", Wire::Patch, money);
}
