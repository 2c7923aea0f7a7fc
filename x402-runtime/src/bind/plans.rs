//! Plans that endpoints offer: each is sold once, as an endpoint of its own.

use serde_json::{Value, json};
use x402_model::endpoint::{EndpointSpec, Lifecycle, Method, rules};
use x402_model::extension::siwx;
use x402_model::price::{Plan, PlanKind, Price, PriceModel};

use super::{BoundEndpoint, Mounted, routes};
use crate::credit::sale::Offer;
use crate::credit::{CREDIT_DECIMALS, Purse};
use crate::paywall::Mistake;

/// The extension by which a 402 tells that credit is taken, and where it is sold.
pub(crate) const EXTENSION: &str = "prepaid-credit";

/// A plan that is sold.
#[derive(Debug, Clone)]
pub(crate) struct Sold {
    /// Sold as an endpoint with the plan's name and price.
    pub(crate) mounted: Mounted,
    pub(crate) plan: &'static Plan,
    offer: Offer,
    pub(crate) purse: Purse,
    /// The endpoint that offers it first.
    of: EndpointSpec,
}

/// The purse that a plan fills; `None` for a plan that is no credit.
pub(crate) fn purse(plan: &Plan) -> Option<Purse> {
    match &plan.kind {
        PlanKind::Prepaid { credit, .. } => {
            Some(Purse::new(plan.purchase.path, credit.unit.as_str()))
        }
        PlanKind::Subscription { .. } => None,
    }
}

/// The purses of an endpoint, without doubles.
pub(crate) fn purses(spec: &EndpointSpec) -> Vec<Purse> {
    let mut purses: Vec<Purse> = Vec::new();
    for purse in spec.plans.iter().filter_map(purse) {
        if !purses.contains(&purse) {
            purses.push(purse);
        }
    }
    purses
}

/// All plans of all endpoints, each once, in order.
pub(crate) fn sold(mounted: &[Mounted], mistakes: &mut Vec<Mistake>) -> Vec<Sold> {
    let mut all: Vec<Sold> = Vec::new();
    for spec in mounted.iter().map(|one| &one.spec) {
        for plan in spec.plans {
            let one = match sale(spec, plan) {
                Ok(one) => one,
                Err(mistake) => {
                    mistakes.push(mistake);
                    continue;
                }
            };
            match all.iter().find(|other| other.plan.id == plan.id) {
                None => all.push(one),
                Some(other) if other.sells_as(&one) => {}
                Some(other) => mistakes.push(wrong(
                    spec,
                    plan,
                    &format!(
                        "`{}` offers another plan of this name: give one of them `id = \"…\"`",
                        other.of.id
                    ),
                )),
            }
        }
    }
    all
}

impl Sold {
    /// What is sold, for the terms of its 402.
    pub(super) fn told(&self) -> Value {
        serde_json::to_value(&self.offer).unwrap_or_default()
    }

    /// Whether buyers of both get the same for the same.
    fn sells_as(&self, other: &Self) -> bool {
        self.plan == other.plan
            && self.of.pay_to == other.of.pay_to
            && self.of.rails == other.of.rails
    }
}

fn sale(spec: &EndpointSpec, plan: &'static Plan) -> Result<Sold, Mistake> {
    let PlanKind::Prepaid {
        amount,
        credit,
        expires_seconds,
    } = &plan.kind
    else {
        return Err(Mistake::Subscription {
            endpoint: spec.id.to_owned(),
            plan: plan.id.to_string(),
        });
    };
    let reason = if plan.purchase.method != Method::Post {
        Some("it is bought with `POST`, and with no other method".to_owned())
    } else if !plan.present_header.eq_ignore_ascii_case(siwx::HEADER) {
        Some(format!("credit is shown in the header {}", siwx::HEADER))
    } else if plan.purchase.path.contains('{') {
        Some("its path has no captures".to_owned())
    } else if let Err(error) = spec.price.exact_on(CREDIT_DECIMALS) {
        Some(format!("the price cannot be taken from credit: {error}"))
    } else {
        let counted = credit.amount.to_atomic(CREDIT_DECIMALS);
        counted.err().map(|error| error.to_string())
    };
    if let Some(reason) = reason {
        return Err(wrong(spec, plan, &reason));
    }
    Ok(Sold {
        mounted: Mounted {
            spec: EndpointSpec {
                id: &plan.id,
                route: Some(plan.purchase),
                price: PriceModel::Flat {
                    amount: amount.clone(),
                },
                summary: "Credit for later calls, bought in advance.",
                description: "",
                tags: &[],
                mime_type: rules::DEFAULT_MIME_TYPE,
                timeout_seconds: spec.timeout_seconds,
                pay_to: spec.pay_to,
                rails: spec.rails,
                probe: None,
                payment_ids: spec.payment_ids,
                lifecycle: Lifecycle::NONE,
                allowances: &[],
                plans: &[],
            },
            at: None,
        },
        plan,
        offer: offer(plan, credit, *expires_seconds),
        purse: Purse::new(plan.purchase.path, credit.unit.as_str()),
        of: spec.clone(),
    })
}

/// What the terms of a purchase promise, and what every 402 says of it.
fn offer(plan: &Plan, credit: &Price, expires_seconds: Option<u64>) -> Offer {
    Offer {
        id: plan.id.to_string(),
        credit: credit.to_string(),
        expires_seconds,
    }
}

fn wrong(spec: &EndpointSpec, plan: &Plan, reason: &str) -> Mistake {
    Mistake::PlanInvalid {
        endpoint: spec.id.to_owned(),
        plan: plan.id.to_string(),
        reason: reason.to_owned(),
    }
}

/// Notes names and routes of plans that endpoints have already. Several plans may be sold at one path.
pub(super) fn check(mounted: &[Mounted], plans: &[Sold], mistakes: &mut Vec<Mistake>) {
    let mut paths: Vec<&str> = Vec::new();
    for sold in plans {
        let id = sold.mounted.spec.id;
        if mounted.iter().any(|one| one.spec.id == id) {
            mistakes.push(Mistake::IdTaken { id: id.to_owned() });
        }
        let path = sold.plan.purchase.path;
        if paths.contains(&path) {
            continue;
        }
        paths.push(path);
        for one in mounted {
            let Some((method, theirs)) = routes::place(one) else {
                continue;
            };
            // The path shows balances as well.
            for ours in [Method::Post, Method::Get] {
                let taken = routes::clash((one.spec.id, method, &theirs), (id, ours, path));
                if let Some(taken) = taken.filter(|taken| !mistakes.contains(taken)) {
                    mistakes.push(taken);
                }
            }
        }
    }
}

/// Says in the 402 of every endpoint which credit is taken.
pub(super) fn advertise(endpoints: &mut [BoundEndpoint]) {
    for endpoint in endpoints {
        let plans = endpoint.spec().plans;
        if plans.is_empty() {
            continue;
        }
        let declared = json!({
            "info": {
                "present": siwx::HEADER,
                "plans": plans.iter().filter_map(declared).collect::<Vec<Value>>(),
            }
        });
        endpoint.advertise(EXTENSION, &declared);
    }
}

fn declared(plan: &Plan) -> Option<Value> {
    let PlanKind::Prepaid {
        amount,
        credit,
        expires_seconds,
    } = &plan.kind
    else {
        return None;
    };
    let mut told = serde_json::to_value(offer(plan, credit, *expires_seconds)).unwrap_or_default();
    if let Value::Object(members) = &mut told {
        members.insert("amount".to_owned(), Value::from(amount.to_string()));
        let purchase = json!({ "method": "POST", "path": plan.purchase.path });
        members.insert("purchase".to_owned(), purchase);
    }
    Some(told)
}
