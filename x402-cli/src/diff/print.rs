//! A comparison for people.

use std::fmt::Write as _;

use x402_runtime::model::manifest::diff::{Change, Verdict};

use super::{Comparison, rewrite};
use crate::{output, shown};

/// Most characters of a place and of what changed there.
const TEXT: usize = 200;

/// Every change and the verdict.
pub(super) fn table(compared: &Comparison) -> String {
    let verdict = &compared.verdict;
    if verdict.changes.is_empty() {
        return "nothing changed\n".to_owned();
    }
    let mut out = String::new();
    let width = |of: fn(&Change) -> &'static str, head: &str| {
        let widths = verdict.changes.iter().map(|change| of(change).len());
        widths.max().unwrap_or_default().max(head.len())
    };
    let (wire, money) = (
        |change: &Change| change.wire.as_str(),
        |change: &Change| change.money.as_str(),
    );
    let (wide, wider) = (width(wire, "wire"), width(money, "money"));
    let mut row = |first: &str, second: &str, third: &str, rest: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{first:<wide$}  {second:<wider$}  {third:<4}  {rest}");
    };
    row("wire", "money", "stop", "change");
    for change in &verdict.changes {
        let stop = if change.stop { "STOP" } else { "" };
        row(wire(change), money(change), stop, &self::change(change));
    }
    let _ = write!(out, "\n{}", self::verdict(verdict));
    out.push_str(&numbers(compared));
    out
}

fn change(change: &Change) -> String {
    let (place, what) = (
        shown::line(&change.place, TEXT),
        shown::line(&change.what, TEXT),
    );
    let silent = if change.silent {
        " (acts although nobody does anything)"
    } else {
        ""
    };
    if place.is_empty() {
        format!("{what}{silent}")
    } else {
        format!("{place}: {what}{silent}")
    }
}

fn verdict(verdict: &Verdict) -> String {
    let (wire, money) = (verdict.wire.as_str(), verdict.money.as_str());
    let stop = if verdict.stop {
        ", and a person has to look"
    } else {
        ""
    };
    let mut text = format!("on the wire {wire}, in money {money}{stop}\n");
    text.push_str(if verdict.is_safe_to_pay() {
        "agents that know the old manifest go on paying\n"
    } else {
        "agents that know the old manifest stop paying until a person has looked\n"
    });
    if verdict.needs_notice() {
        text.push_str(
            "it costs more: announce it under `scheduled`, at least 7 days before it holds\n",
        );
    }
    text
}

fn numbers(compared: &Comparison) -> String {
    let service = &compared.new.document.manifest().service;
    let (version, revision) = (&service.version, service.revision);
    let has = format!("{} (revision {revision})", shown::line(version, TEXT));
    match &compared.version {
        None => {
            format!("the version {has} cannot be held against the changes: write it as in 1.2.0\n")
        }
        Some(wanted) if wanted == version && compared.revision == revision => {
            format!("the version {has} is high enough\n")
        }
        Some(wanted) => format!(
            "the version has to be {} (revision {}), and it is {has}\n",
            shown::line(wanted, TEXT),
            compared.revision
        ),
    }
}

/// What else there is to say.
pub(super) fn notes(compared: &Comparison) {
    let (old, new) = (&compared.old, &compared.new);
    for (side, rewritten) in [(old, false), (new, compared.written.is_some())] {
        if let (Err(failure), false) = (side.vouched.refuse_wrong(&side.found), rewritten) {
            output::say(&format!("warning: {}", failure.message));
        }
    }
    if let Some(file) = &compared.written {
        output::say(&format!("written to {}", file.display()));
        if rewrite::loses_a_signature(&new.document) {
            output::say("its signature was about other content and is taken out: sign it again");
        }
    }
}
