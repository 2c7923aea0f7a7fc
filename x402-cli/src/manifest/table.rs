//! A manifest for people.

use std::fmt::Write as _;

use x402_codegen::price_sentence;
use x402_runtime::model::manifest::{
    AllowanceEntry, Deprecation, Document, EndpointEntry, Manifest, PlanEntry, ScheduledEntry,
};

use super::{money, rule};
use crate::vouched::Vouched;
use crate::{inputs, shown};

/// Most characters of a name, and of a text.
const NAME: usize = 80;
const TEXT: usize = 480;

/// The whole table.
pub(super) fn of(document: &Document, vouched: &Vouched) -> String {
    let manifest = document.manifest();
    let mut out = String::new();
    service(&mut out, document, vouched);
    for endpoint in &manifest.endpoints {
        out.push('\n');
        self::endpoint(&mut out, manifest, endpoint);
    }
    if !manifest.plans.is_empty() {
        out.push_str("\nplans\n");
    }
    for one in &manifest.plans {
        row(&mut out, &name(&one.id), &plan(one, &manifest.currency));
    }
    out
}

fn name(foreign: &str) -> String {
    shown::line(foreign, NAME)
}

fn text(foreign: &str) -> String {
    shown::line(foreign, TEXT)
}

fn row(out: &mut String, label: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "  {label:<10}  {value}");
}

fn service(out: &mut String, document: &Document, vouched: &Vouched) {
    let service = &document.manifest().service;
    let _ = writeln!(
        out,
        "{} {} (revision {}) at {}",
        name(&service.name),
        name(&service.version),
        service.revision,
        name(&service.origin)
    );
    if !service.description.is_empty() {
        let _ = writeln!(out, "  {}", text(&service.description));
    }
    row(out, "signature", &vouched.signature.sentence());
    let stated = match vouched.hash {
        Some(true) => "which is what it states",
        Some(false) => "which is NOT what it states",
        None => "it states none",
    };
    let hash = document.content_hash_text();
    row(out, "hash", &format!("{hash}, {stated}"));
    let until = match &service.valid_until {
        Some(until) => format!(", good until {}", name(until)),
        None => String::new(),
    };
    row(
        out,
        "issued",
        &format!("{}{until}", name(&service.issued_at)),
    );
    let contact = service.contact.iter();
    let contact = contact.flat_map(|contact| contact.email.iter().chain(&contact.url));
    let contact: Vec<String> = contact.map(|one| name(one)).collect();
    if !contact.is_empty() {
        row(out, "contact", &contact.join(", "));
    }
}

fn endpoint(out: &mut String, manifest: &Manifest, endpoint: &EndpointEntry) {
    let method = endpoint.method.as_deref().unwrap_or(&endpoint.kind);
    let path = endpoint.path.as_deref().unwrap_or_default();
    let _ = writeln!(
        out,
        "{}  {} {}",
        name(&endpoint.id),
        name(method),
        shown::line(path, TEXT)
    );
    let _ = writeln!(out, "  {}", text(&endpoint.summary));
    let takes = takes(manifest, endpoint);
    if !takes.is_empty() {
        row(out, "takes", &takes);
    }
    let currency = &manifest.currency;
    row(
        out,
        "price",
        &price_sentence(manifest, endpoint, &endpoint.price),
    );
    // Reading has refused a broken rule of a known model.
    let model = manifest.price_model(endpoint).unwrap_or_default();
    for (label, rule) in model.iter().flat_map(rule::rows) {
        row(out, label, &text(&rule));
    }
    let limits = &endpoint.price.bounds;
    row(
        out,
        "bounds",
        &money::bounds(limits.min, limits.max, currency),
    );
    for (_, rail) in manifest.rails_of(endpoint) {
        if let Some(asset) = manifest.assets.get(&rail.asset) {
            row(out, "paid by", &money::rail(rail, asset));
        }
    }
    for allowance in &endpoint.allowances {
        row(out, "free", &self::allowance(allowance));
    }
    if !endpoint.plans.is_empty() {
        let ids: Vec<String> = endpoint.plans.iter().map(|id| name(id)).collect();
        row(out, "plans", &ids.join(", "));
    }
    for change in &endpoint.scheduled {
        row(out, "announced", &scheduled(manifest, endpoint, change));
    }
    if let Some(end) = deprecation(manifest, endpoint) {
        row(out, "deprecated", &deprecated(end));
    }
}

fn takes(manifest: &Manifest, endpoint: &EndpointEntry) -> String {
    let inputs = inputs::of(manifest, endpoint);
    let mut takes = text(&inputs::usage(manifest, &inputs, ""));
    if let Some(body) = &endpoint.input.body {
        let comma = if takes.is_empty() { "" } else { "; " };
        let _ = write!(takes, "{comma}a body of {}", name(&body.content_type));
    }
    takes
}

fn allowance(allowance: &AllowanceEntry) -> String {
    let calls = if allowance.calls == 1 {
        "call"
    } else {
        "calls"
    };
    let mut line = format!("{} {calls}", allowance.calls);
    if let Some(window) = allowance.window {
        let _ = write!(line, " in {}", money::period(window));
    }
    let _ = write!(line, " for each {}", name(&allowance.scope));
    if let Some(identify) = &allowance.identify {
        let _ = write!(line, ", told apart by {}", name(identify));
    }
    line
}

fn scheduled(manifest: &Manifest, endpoint: &EndpointEntry, change: &ScheduledEntry) -> String {
    let (from, class) = (name(&change.effective_from), name(&change.class));
    match &change.price {
        Some(price) => format!(
            "from {from} ({class}): {}",
            price_sentence(manifest, endpoint, price)
        ),
        None => format!("from {from}: {class}"),
    }
}

fn deprecation<'m>(manifest: &'m Manifest, endpoint: &'m EndpointEntry) -> Option<&'m Deprecation> {
    let mut listed = manifest.deprecations.iter();
    let listed = listed.find(|one| one.endpoint.as_deref() == Some(&endpoint.id));
    endpoint.deprecation.as_ref().or(listed)
}

fn deprecated(deprecation: &Deprecation) -> String {
    let mut line = format!("since {}", name(&deprecation.deprecated_at));
    if let Some(sunset) = &deprecation.sunset {
        let _ = write!(line, ", gone after {}", name(sunset));
    }
    if let Some(replacement) = &deprecation.replacement {
        let _ = write!(line, "; use {}", name(replacement));
    }
    line
}

fn plan(plan: &PlanEntry, currency: &str) -> String {
    let mut line = format!("{}: {} {currency}", name(&plan.kind), plan.amount);
    if let Some(period) = plan.period {
        let _ = write!(line, " for {}", money::period(period));
    }
    if let Some(credits) = &plan.credits {
        let _ = write!(
            line,
            " buys {} {} of credit",
            credits.value,
            name(&credits.currency)
        );
    }
    if let Some(expires) = plan.expires {
        let _ = write!(line, ", lost after {}", money::period(expires));
    }
    let part = |key: &str| plan.purchase.get(key).map(|part| name(part));
    if let (Some(method), Some(path)) = (part("method"), part("path")) {
        let _ = write!(line, "; bought with {method} {path}");
    }
    line
}
