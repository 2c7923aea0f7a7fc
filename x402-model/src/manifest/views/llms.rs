//! `llms.txt`: the service on one page for language models.
//!
//! Every text of the seller is one line of text, so that none of it can pass for another section, link or instruction of the page.

use core::fmt::Write as _;

use super::text::{DESCRIPTION, GUIDANCE, SUMMARY, clipped, line, markdown, target};
use super::{links, pay};
use crate::manifest::{EndpointEntry, Manifest};

/// The `/llms.txt` page.
#[must_use]
pub fn llms_txt(manifest: &Manifest) -> String {
    let mut out = String::new();
    let service = &manifest.service;
    let currency = &manifest.currency;
    let said = |text: &str, most: usize| markdown(&clipped(&line(text), most));
    paragraph(&mut out, "# ", &said(&service.name, SUMMARY));
    paragraph(&mut out, "> ", &said(&service.description, DESCRIPTION));
    let guidance = service.guidance.as_deref().unwrap_or_default();
    paragraph(&mut out, "", &said(guidance, GUIDANCE));
    let failed = if charges_only_success(manifest) {
        " Failed calls are not charged."
    } else {
        ""
    };
    paragraph(
        &mut out,
        "",
        &format!(
            "Prices are in {currency}. Pay with x402 v2: read PAYMENT-REQUIRED on a 402, send PAYMENT-SIGNATURE.{failed}"
        ),
    );
    let (free, paid): (Vec<_>, Vec<_>) = manifest
        .endpoints
        .iter()
        .partition(|endpoint| pay::is_free(endpoint));
    endpoints(&mut out, manifest, "## Paid endpoints", &paid);
    endpoints(&mut out, manifest, "## Free endpoints", &free);
    let signed = manifest
        .integrity
        .as_ref()
        .is_some_and(|it| !it.signatures.is_empty());
    let rules = if signed {
        "full price rules, signed"
    } else {
        "full price rules"
    };
    let machine = [
        item(
            "OpenAPI",
            links::url(manifest, "openapi"),
            "schemas and x-payment-info",
        ),
        item("Price manifest", links::url(manifest, "self"), rules),
    ];
    section(
        &mut out,
        "## Machine-readable",
        machine.into_iter().flatten(),
    );
    let terms = links::legal(manifest, "termsUrl").map(str::to_owned);
    section(
        &mut out,
        "## Optional",
        item("Terms", terms, "legal terms").into_iter(),
    );
    // Every section ends with an empty line; the page ends with its last line.
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Whether every endpoint that says when money moves says: after success.
fn charges_only_success(manifest: &Manifest) -> bool {
    let mut paid = manifest
        .endpoints
        .iter()
        .filter(|endpoint| !pay::is_free(endpoint));
    paid.all(|endpoint| {
        let charge = manifest.charge_of(endpoint);
        charge.is_some_and(|charge| charge.when == "after-success")
    })
}

fn paragraph(out: &mut String, mark: &str, text: &str) {
    if !text.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(out, "{mark}{text}\n\n");
    }
}

fn section(out: &mut String, heading: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if !items.is_empty() {
        let _ = write!(out, "{heading}\n\n{}\n\n", items.join("\n"));
    }
}

fn item(name: &str, url: Option<String>, text: &str) -> Option<String> {
    Some(format!("- [{name}]({}): {text}", target(&url?)))
}

fn endpoints(out: &mut String, manifest: &Manifest, heading: &str, list: &[&EndpointEntry]) {
    let items = list.iter().filter_map(|endpoint| {
        let summary = markdown(&clipped(&line(&endpoint.summary), SUMMARY));
        let end = if summary.ends_with(['.', '!', '?', '…']) {
            ""
        } else {
            "."
        };
        let price = match pay::sentence(manifest, endpoint) {
            price if pay::is_free(endpoint) => price,
            price => format!("{price} ({})", markdown(&endpoint.price.model)),
        };
        let name = match (&endpoint.method, &endpoint.path) {
            (Some(method), Some(path)) => markdown(&format!("{method} {path}")),
            _ => markdown(&endpoint.id),
        };
        let text = format!("{summary}{end} {price}.");
        item(&name, links::url(manifest, "openapi"), &text)
    });
    section(out, heading, items);
}
