//! Where endpoints are mounted, and whether the router can tell them apart.

use std::borrow::Cow;

use x402_model::endpoint::{Method, rules};

use super::Mounted;
use crate::paywall::Mistake;

/// Method and path of an endpoint, if it has any that can be used.
pub(super) fn place(mounted: &Mounted) -> Option<(Method, Cow<'static, str>)> {
    let place = match &mounted.at {
        Some(at) => at.clone(),
        None => mounted
            .spec
            .route
            .map(|route| (route.method, Cow::Borrowed(route.path)))?,
    };
    rules::check_path(&place.1).is_ok().then_some(place)
}

/// Notes wrong, missing, doubled and conflicting routes, and doubled ids.
pub(super) fn check(mounted: &[Mounted], mistakes: &mut Vec<Mistake>) {
    let mut seen: Vec<(&Mounted, Method, Cow<'static, str>)> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    for one in mounted {
        let id = one.spec.id;
        if ids.contains(&id) {
            mistakes.push(Mistake::IdTaken { id: id.to_owned() });
        } else {
            ids.push(id);
        }
        match place(one) {
            None => mistakes.push(misplaced(one)),
            Some((method, path)) => {
                let clash = seen.iter().find_map(|(other, theirs, at)| {
                    clash((other.spec.id, *theirs, at), (id, method, &path))
                });
                mistakes.extend(clash);
                seen.push((one, method, path));
            }
        }
    }
}

fn misplaced(mounted: &Mounted) -> Mistake {
    let endpoint = mounted.spec.id.to_owned();
    let path = match (&mounted.at, mounted.spec.route) {
        (Some((_, path)), _) => path.clone(),
        (None, Some(route)) => Cow::Borrowed(route.path),
        (None, None) => return Mistake::RouteMissing { endpoint },
    };
    let reason = rules::check_path(&path)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    Mistake::RouteInvalid {
        endpoint,
        path: path.into_owned(),
        reason,
    }
}

pub(super) type Place<'a> = (&'a str, Method, &'a str);

pub(super) fn clash(first: Place<'_>, second: Place<'_>) -> Option<Mistake> {
    let ((first_id, first_method, first), (second_id, second_method, second)) = (first, second);
    if first == second {
        return (first_method == second_method).then(|| Mistake::RouteTaken {
            route: format!("{second_method} {second}"),
            first: first_id.to_owned(),
            second: second_id.to_owned(),
        });
    }
    indistinct(first, second).then(|| Mistake::RouteConflict {
        first: first.to_owned(),
        second: second.to_owned(),
    })
}

/// What a segment matches, for the router.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Segment<'a> {
    Text(&'a str),
    Parameter,
    Rest,
}

fn segment(text: &str) -> Segment<'_> {
    if text.starts_with("{*") {
        Segment::Rest
    } else if text.starts_with('{') && !text.starts_with("{{") {
        Segment::Parameter
    } else {
        Segment::Text(text)
    }
}

/// Whether two different paths have one shape, or a parameter where the other has a catch-all.
fn indistinct(first: &str, second: &str) -> bool {
    let (mut first, mut second) = (
        first.split('/').map(segment),
        second.split('/').map(segment),
    );
    loop {
        return match (first.next(), second.next()) {
            (None, None)
            | (Some(Segment::Rest), Some(Segment::Rest | Segment::Parameter))
            | (Some(Segment::Parameter), Some(Segment::Rest)) => true,
            (Some(a), Some(b)) if a == b => continue,
            _ => false,
        };
    }
}
