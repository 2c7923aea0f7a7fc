//! Differences outside of endpoints: who sells, how it is paid, what holds by default, refusals.

use std::collections::BTreeSet;

use super::super::document::{AssetEntry, Manifest, RailEntry};
use super::super::parts::{ChargeEntry, Idempotency};
use super::{Findings, Money, Wire};
use crate::network::Network;
use crate::problem::Charged;

pub(super) fn service(old: &Manifest, new: &Manifest, found: &mut Findings) {
    if old.service.origin != new.service.origin {
        found.stop("service/origin", "another origin", Wire::Major, Money::None);
    }
    if new.service.revision < old.service.revision {
        found.stop(
            "service/revision",
            "the revision went back",
            Wire::Patch,
            Money::None,
        );
    }
    if old.currency != new.currency {
        found.stop(
            "currency",
            "another currency",
            Wire::Major,
            Money::CapRaised,
        );
    }
    let signer = |manifest: &Manifest| {
        let signatures = &manifest.integrity.as_ref()?.signatures;
        let eip712 = signatures.iter().find(|one| one.format == "eip712")?;
        eip712
            .signer
            .as_ref()
            .map(|signer| signer.to_ascii_lowercase())
    };
    if let Some(before) = signer(old)
        && signer(new) != Some(before)
    {
        found.stop(
            "integrity",
            "another signer, or none",
            Wire::Patch,
            Money::None,
        );
    }
    if declared(old) != declared(new) {
        found.stop(
            "service/signers",
            "others may sign",
            Wire::Patch,
            Money::None,
        );
    }
}

/// How payments travel: what old clients speak must still be understood.
pub(super) fn protocols(old: &Manifest, new: &Manifest, found: &mut Findings) {
    let spoken = |manifest: &Manifest| -> BTreeSet<(String, u64)> {
        let protocols = manifest.protocols.iter();
        let each = protocols.flat_map(|one| one.versions.iter().map(|v| (one.id.clone(), *v)));
        each.collect()
    };
    let (before, after) = (spoken(old), spoken(new));
    for (id, version) in before.difference(&after) {
        let what = format!("version {version} of {id} is not spoken any more");
        found.add("protocols", what, Wire::Major, Money::None);
    }
    if !after.is_subset(&before) {
        found.add("protocols", "more is spoken", Wire::Minor, Money::None);
    }
}

/// The accounts that a service names as its signers, in one spelling and order.
fn declared(manifest: &Manifest) -> BTreeSet<String> {
    let signers = manifest.service.signers.iter();
    signers.map(|signer| signer.to_ascii_lowercase()).collect()
}

pub(super) fn rails(old: &Manifest, new: &Manifest, found: &mut Findings) {
    for (key, before) in &old.assets {
        if let Some(after) = new.assets.get(key) {
            asset(key, before, after, found);
        }
    }
    let added = |keys: usize, what: &str, found: &mut Findings| {
        if keys > 0 {
            found.add(what, "more ways to pay", Wire::Minor, Money::None);
        }
    };
    let fresh = new
        .assets
        .keys()
        .filter(|key| !old.assets.contains_key(*key));
    added(fresh.count(), "assets", found);
    let fresh = new.rails.keys().filter(|key| !old.rails.contains_key(*key));
    added(fresh.count(), "rails", found);
    for (key, before) in &old.rails {
        match new.rails.get(key) {
            Some(after) => rail(key, before, after, found),
            None => {
                found.add(
                    &format!("rails/{key}"),
                    "a way to pay is gone",
                    Wire::Minor,
                    Money::None,
                );
            }
        }
    }
    // An endpoint that no old way can pay any more is lost to old clients.
    for before in &old.endpoints {
        let after = new
            .endpoints
            .iter()
            .find(|endpoint| endpoint.id == before.id);
        let Some(after) = after else { continue };
        let common = old
            .rails_of(before)
            .any(|(key, _)| new.rails_of(after).any(|(other, _)| other == key));
        if !common && old.rails_of(before).next().is_some() {
            let place = format!("endpoints/{}/rails", before.id);
            found.add(
                &place,
                "no way to pay is left in common",
                Wire::Major,
                Money::None,
            );
        }
    }
}

fn asset(key: &str, before: &AssetEntry, after: &AssetEntry, found: &mut Findings) {
    let place = format!("assets/{key}");
    let mut stop = |what: &str| found.stop(&place, what, Wire::Major, Money::None);
    if !before.address.eq_ignore_ascii_case(&after.address) {
        stop("another token contract");
    }
    if before.decimals != after.decimals {
        stop("another number of decimals");
    }
    if before.usd_peg != after.usd_peg {
        stop("another peg");
    }
    if before.network != after.network {
        let class = |text: &str| {
            Network::parse_any(text)
                .ok()
                .and_then(|network| network.is_testnet())
        };
        // What nobody knows the class of may be another one.
        if class(&before.network) != class(&after.network) || class(&after.network).is_none() {
            found.stop(&place, "another network", Wire::Major, Money::None);
        } else {
            found.add(&place, "another network", Wire::Major, Money::None);
        }
    }
    if before.transfer != after.transfer || before.eip712 != after.eip712 {
        found.add(&place, "signed in another way", Wire::Major, Money::None);
    }
}

fn rail(key: &str, before: &RailEntry, after: &RailEntry, found: &mut Findings) {
    let place = format!("rails/{key}");
    if !before.pay_to.eq_ignore_ascii_case(&after.pay_to) {
        found.stop(&place, "another account is paid", Wire::Patch, Money::None);
    }
    if before.scheme != after.scheme || before.asset != after.asset {
        found.add(&place, "another scheme or token", Wire::Major, Money::None);
    }
    if before.max_timeout_seconds != after.max_timeout_seconds {
        found.add(&place, "another timeout", Wire::Minor, Money::None);
    }
}

pub(super) fn defaults(old: &Manifest, new: &Manifest, found: &mut Findings) {
    let (before, after) = (&old.defaults, &new.defaults);
    charge(
        "defaults/charge",
        before.charge.as_ref(),
        after.charge.as_ref(),
        found,
    );
    idempotency(
        "defaults/idempotency",
        before.idempotency.as_ref(),
        after.idempotency.as_ref(),
        found,
    );
    if before.rate_limits != after.rate_limits || before.quotas != after.quotas {
        found.add(
            "defaults/rateLimits",
            "other limits",
            Wire::Minor,
            Money::None,
        );
    }
}

/// When money moves, from late to early.
fn moment(when: Option<&str>) -> u8 {
    match when {
        None | Some("after-success") => 0,
        Some("on-acceptance") => 1,
        Some(_) => 2,
    }
}

pub(super) fn charge(
    place: &str,
    before: Option<&ChargeEntry>,
    after: Option<&ChargeEntry>,
    found: &mut Findings,
) {
    let when = |charge: Option<&ChargeEntry>| moment(charge.map(|charge| charge.when.as_str()));
    if when(after) > when(before) {
        found.stop(place, "money moves earlier", Wire::Patch, Money::Costlier);
    } else if when(after) < when(before) {
        found.add(place, "money moves later", Wire::Patch, Money::Cheaper);
    }
    let on =
        |charge: Option<&ChargeEntry>| charge.map(|charge| charge.on.clone()).unwrap_or_default();
    let (old, new) = (on(before), on(after));
    if new.iter().any(|status| !old.contains(status)) && before.is_some() {
        found.stop(
            place,
            "more answers are charged",
            Wire::Patch,
            Money::Costlier,
        );
    }
    let spared = |charge: Option<&ChargeEntry>| {
        let said = charge.and_then(|charge| charge.on_timeout.as_deref());
        said.is_none_or(|said| said == "not-charged")
    };
    if spared(before) && !spared(after) {
        found.stop(
            place,
            "a timeout became charged",
            Wire::Patch,
            Money::Costlier,
        );
    }
}

pub(super) fn idempotency(
    place: &str,
    before: Option<&Idempotency>,
    after: Option<&Idempotency>,
    found: &mut Findings,
) {
    let required = |one: Option<&Idempotency>| one.is_some_and(|one| one.required);
    if required(after) && !required(before) {
        found.add(place, "an id became required", Wire::Major, Money::None);
    }
    let kept = |one: Option<&Idempotency>| {
        one.and_then(|one| one.retention_seconds)
            .unwrap_or_default()
    };
    if kept(after) < kept(before) {
        found.add(
            place,
            "answers are kept for a shorter time",
            Wire::Minor,
            Money::Costlier,
        );
    } else if kept(after) > kept(before) {
        found.add(
            place,
            "answers are kept for a longer time",
            Wire::Minor,
            Money::None,
        );
    }
}

pub(super) fn errors(old: &Manifest, new: &Manifest, found: &mut Findings) {
    for (code, after) in &new.errors {
        let place = format!("errors/{code}");
        match old.errors.get(code) {
            None => {
                found.add(&place, "a new refusal", Wire::Minor, Money::None);
            }
            Some(before) if before.charged == Charged::No && after.charged != Charged::No => {
                found.stop(
                    &place,
                    "a refusal became charged",
                    Wire::Minor,
                    Money::Costlier,
                );
            }
            Some(before) => {
                let words = before.description != after.description;
                let same = before.action == after.action
                    && before.status == after.status
                    && before.retryable == after.retryable
                    && before.charged == after.charged;
                if !same {
                    found.add(
                        &place,
                        "a refusal means something else",
                        Wire::Minor,
                        Money::None,
                    );
                } else if words {
                    found.add(&place, "words", Wire::Patch, Money::None);
                }
            }
        }
    }
    for code in old
        .errors
        .keys()
        .filter(|code| !new.errors.contains_key(*code))
    {
        found.add(
            &format!("errors/{code}"),
            "a refusal is gone",
            Wire::Minor,
            Money::None,
        );
    }
}
