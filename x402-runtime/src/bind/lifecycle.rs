//! What endpoints say will change, against what else is mounted.

use x402_model::endpoint::EndpointSpec;

use super::Mounted;
use super::successor::goes_by;
use crate::paywall::LifecycleMistake;

/// The same endpoint at each price that is scheduled for it, with the time from which it holds.
pub(super) fn later(spec: &EndpointSpec) -> impl Iterator<Item = (u64, EndpointSpec)> {
    spec.lifecycle.scheduled.iter().map(|next| {
        let price = next.price.clone();
        let spec = EndpointSpec {
            price,
            ..spec.clone()
        };
        (next.from, spec)
    })
}

/// Rule: an endpoint is replaced by another one of the paywall, or by something that has a URL.
pub(super) fn check(mounted: &[Mounted]) -> impl Iterator<Item = LifecycleMistake> {
    mounted.iter().filter_map(|one| {
        let wanted = one.spec.lifecycle.deprecation?.replacement?;
        let known = wanted.contains("://") || replaces(mounted, one, wanted);
        (!known).then(|| LifecycleMistake::Replacement {
            endpoint: one.spec.id.to_owned(),
            replacement: wanted.to_owned(),
            help: help(mounted, one, wanted),
        })
    })
}

/// Whether another endpoint is meant.
fn replaces(mounted: &[Mounted], one: &Mounted, wanted: &str) -> bool {
    let mut others = ids(mounted, one);
    others.any(|id| goes_by(id, wanted))
}

fn ids<'m>(mounted: &'m [Mounted], one: &Mounted) -> impl Iterator<Item = &'static str> + use<'m> {
    let own = one.spec.id;
    let ids = mounted.iter().map(|other| other.spec.id);
    ids.filter(move |id| *id != own)
}

fn help(mounted: &[Mounted], one: &Mounted, wanted: &str) -> String {
    let near = ids(mounted, one)
        .map(|id| (strsim::damerau_levenshtein(id, wanted), id))
        .filter(|(distance, _)| *distance <= 2)
        .min();
    match near {
        Some((_, near)) => format!("did you mean `{near}`?"),
        None => "name one that is mounted on this paywall, or give the URL of another".to_owned(),
    }
}
