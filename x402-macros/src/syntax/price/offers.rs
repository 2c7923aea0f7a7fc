//! Reads `plans = [prepaid("10 USDC", credit = "11 USDC", expires = "180d")]`.

use proc_macro2::{Span, TokenTree};
use syn::LitStr;

use super::{Words, call};
use crate::diag::Diagnostics;
use crate::syntax::parts::{self, bracketed, collect};

/// Credit that is bought in advance.
#[derive(Debug)]
pub(crate) struct RawPlan {
    pub(crate) at: Span,
    pub(crate) amount: LitStr,
    pub(crate) credit: Option<LitStr>,
    pub(crate) expires: Option<LitStr>,
    pub(crate) id: Option<LitStr>,
    pub(crate) path: Option<LitStr>,
}

const EXAMPLE: &str = r#"plans = [prepaid("10 USDC", credit = "11 USDC", expires = "180d")]"#;

/// A list of plans.
pub(crate) fn plans(value: &[TokenTree], d: &mut Diagnostics) -> Option<Vec<RawPlan>> {
    let [list, rest @ ..] = value else {
        return None;
    };
    let Some(list) = bracketed(list) else {
        d.error_over(collect(value), "`plans` is a list")
            .help(format!("write `{EXAMPLE}`"));
        return None;
    };
    parts::report_rest(rest, "the value of `plans`", d);
    let before = d.count();
    let plans: Vec<RawPlan> = parts::split(list.stream(), d)
        .iter()
        .filter_map(|part| plan(part, d))
        .collect();
    if d.count() == before && plans.is_empty() {
        d.error(list.span(), "`plans` names no plan")
            .help("leave it out to be paid by the call only");
    }
    (d.count() == before).then_some(plans)
}

fn plan(part: &[TokenTree], d: &mut Diagnostics) -> Option<RawPlan> {
    let Some((word, group, rest)) = call(part).filter(|(word, ..)| *word == "prepaid") else {
        d.error_over(collect(part), "a plan is `prepaid(…)`")
            .help(format!("for example `{EXAMPLE}`"));
        return None;
    };
    parts::report_rest(rest, "`prepaid(…)`", d);
    let mut words = Words::new("prepaid", EXAMPLE);
    let before = d.count();
    let (mut amount, mut credit, mut expires, mut id, mut path) = (None, None, None, None, None);
    for (place, part) in parts::split(group.stream(), d).iter().enumerate() {
        if place == 0
            && let [TokenTree::Literal(_)] = part.as_slice()
        {
            amount = words.string("prepaid", part, d);
            continue;
        }
        let Some((key, value)) = words.entry(part, &["credit", "expires", "id", "path"], d) else {
            continue;
        };
        let slot = match key.as_str() {
            "credit" => &mut credit,
            "expires" => &mut expires,
            "id" => &mut id,
            _ => &mut path,
        };
        *slot = words.string(&key, value, d);
    }
    if d.count() == before && amount.is_none() {
        d.error(word.span(), "a plan begins with what it costs")
            .help(format!("for example `{EXAMPLE}`"));
    }
    if d.count() > before {
        return None;
    }
    Some(RawPlan {
        at: word.span(),
        amount: amount?,
        credit,
        expires,
        id,
        path,
    })
}
