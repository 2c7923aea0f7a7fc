//! Rules about what buyers may have instead of paying by the call: free calls and plans.

use std::borrow::Cow;

use syn::LitStr;
use x402_model::endpoint::Method;
use x402_model::price::{Allowance, AllowanceKind, Identify, PlanKind, PriceUnit, Scope};

use super::super::texts::place_in;
use super::{Amount, amount, seconds};
use crate::diag::Diagnostics;
use crate::model::ValidPlan;
use crate::syntax::attr::RawAttr;
use crate::syntax::price::offers::RawPlan;

/// Where credit is bought, unless the attribute says so.
const DEFAULT_PATH: &str = "/x402/credits";
/// The header in which a holder of credit signs in.
const SIGN_IN: &str = "SIGN-IN-WITH-X";

/// `free = "100/day per payer"`.
pub(super) fn free(attr: &RawAttr, d: &mut Diagnostics) -> Vec<Allowance> {
    let read = attr.free.get().and_then(|literal| allowance(literal, d));
    read.into_iter().collect()
}

fn allowance(literal: &LitStr, d: &mut Diagnostics) -> Option<Allowance> {
    let text = literal.value();
    let words: Vec<&str> = text.split(' ').collect();
    let (amount, who) = match words.as_slice() {
        [amount, "per", who] => (*amount, *who),
        ["trial", amount, "per", who] if !amount.contains('/') => (*amount, *who),
        _ => {
            unreadable(literal, d);
            return None;
        }
    };
    let trial = text.starts_with("trial ");
    if !trial && !amount.contains('/') {
        d.error(
            literal.span(),
            format!("`{text}` does not say how often these calls are free"),
        )
        .help(format!("each day: `\"{amount}/day per {who}\"`"))
        .help(format!("only once: `\"trial {amount} per {who}\"`"));
        return None;
    }
    if who != "payer" {
        counted_by(literal, who, d);
        return None;
    }
    let (calls, window) = amount.split_once('/').unwrap_or((amount, ""));
    let calls = calls
        .parse::<u64>()
        .ok()
        .filter(|calls| *calls > 0 && !amount.starts_with(['0', '+']));
    let every = |window_seconds| Some(AllowanceKind::FreeQuota { window_seconds });
    let kind = match window {
        "" if trial => Some(AllowanceKind::Trial),
        "hour" => every(3_600),
        "day" => every(86_400),
        "week" => every(7 * 86_400),
        "month" => every(30 * 86_400),
        _ => None,
    };
    match (calls, kind) {
        (Some(calls), Some(kind)) => Some(Allowance {
            kind,
            scope: Scope::Payer,
            calls,
            identify: Identify::SignInWithX,
        }),
        _ => {
            unreadable(literal, d);
            None
        }
    }
}

fn unreadable(literal: &LitStr, d: &mut Diagnostics) {
    d.error(
        literal.span(),
        format!("`{}` is no free allowance", literal.value()),
    )
    .help("write `\"100/day per payer\"`, with `hour`, `day`, `week` or `month` (30 days)")
    .help("or `\"trial 10 per payer\"` for calls that are free once");
}

/// Rule: free calls are counted by payer, who signs in with the key that he would pay with.
fn counted_by(literal: &LitStr, who: &str, d: &mut Diagnostics) {
    let value = literal.value();
    let start = value.len().saturating_sub(who.len());
    let at = place_in(literal, &(start..value.len()));
    let text = value.replace(&format!("per {who}"), "per payer");
    let error = d.error(at, format!("free calls are counted by payer, not by {who}"));
    if matches!(who, "ip" | "IP" | "client" | "address" | "host") {
        error.help("network addresses cost nothing: whoever wants more free calls takes another one, and many callers share one");
    }
    error
        .help("a payer signs in with the key that he pays with (sign-in-with-x), before the first payment too")
        .help(format!("write `\"{text}\"`"));
}

/// `plans = [prepaid(…)]`.
pub(super) fn plans(attr: &RawAttr, unit: &PriceUnit, d: &mut Diagnostics) -> Vec<ValidPlan> {
    let all = attr.plans.get().map(Vec::as_slice).unwrap_or_default();
    let plans: Vec<ValidPlan> = all.iter().filter_map(|raw| plan(raw, unit, d)).collect();
    for (place, (plan, raw)) in plans.iter().zip(all).enumerate() {
        if plans.iter().take(place).any(|other| other.id == plan.id) {
            d.error(raw.at, format!("another plan has the id `{}`", plan.id))
                .help("give each an id of its own: `id = \"…\"`");
        }
    }
    plans
}

fn plan(raw: &RawPlan, unit: &PriceUnit, d: &mut Diagnostics) -> Option<ValidPlan> {
    let before = d.count();
    let amount = amount(&raw.amount, false, &[], d)?;
    let credit = match &raw.credit {
        None => amount.clone(),
        Some(credit) => super::amount(credit, false, &[], d)?,
    };
    let expires_seconds = match &raw.expires {
        None => None,
        Some(expires) => Some(seconds(expires, d)?),
    };
    credited(&amount, &credit, unit, d)?;
    let id = raw.id.as_ref().map_or_else(
        || {
            format!(
                "prepaid-{}-{}",
                amount.price.amount,
                unit.as_str().to_lowercase()
            )
        },
        LitStr::value,
    );
    let path = raw
        .path
        .as_ref()
        .map_or_else(|| DEFAULT_PATH.to_owned(), LitStr::value);
    let id_at = raw.id.as_ref().map_or(raw.at, LitStr::span);
    if let Err(error) = x402_model::endpoint::rules::check_id(&id) {
        d.error(id_at, error.message).maybe_help(error.help);
    }
    if let Err(error) = x402_model::endpoint::rules::check_path(&path) {
        let at = raw.path.as_ref().map_or(raw.at, LitStr::span);
        d.error(at, error.message).maybe_help(error.help);
    }
    (d.count() == before).then_some(ValidPlan {
        id,
        kind: PlanKind::Prepaid {
            amount: amount.price,
            credit: credit.price,
            expires_seconds,
        },
        method: Method::Post,
        path,
        present_header: Cow::Borrowed(SIGN_IN),
    })
}

/// Rule: price and credit are in the unit of the prices that the credit pays, and it is worth what it costs.
fn credited(amount: &Amount, credit: &Amount, unit: &PriceUnit, d: &mut Diagnostics) -> Option<()> {
    for part in [amount, credit] {
        if part.price.unit != *unit {
            let wrong = &part.price.unit;
            d.error(
                part.literal.span(),
                format!("the price is in {unit}, and this in {wrong}"),
            )
            .help(format!("write `{} {unit}`", part.price.amount));
            return None;
        }
    }
    if credit.price.amount < amount.price.amount {
        d.error(
            credit.literal.span(),
            format!("this plan gives less than it costs, {}", amount.price),
        )
        .help("give at least as much credit as is paid for it");
    }
    Some(())
}
