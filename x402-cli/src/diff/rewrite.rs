//! Changes version and revision in the text of a manifest, and leaves every other byte where it is.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use x402_runtime::model::manifest::Document;

use crate::Failure;

/// Formats of signatures that are about the origin and not about the content.
const ABOUT_ORIGIN: &str = "eip191-origin";

/// The text with another version and revision. A hash that it states becomes that of the new content, and signatures of the
/// old content are taken out.
pub(super) fn text(bytes: &[u8], version: &str, revision: u64) -> Result<String, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| unchanged())?;
    let numbers = [
        ("version", Value::from(version).to_string()),
        ("revision", revision.to_string()),
    ];
    let mut edits = Vec::new();
    for (name, value) in numbers {
        edits.push((
            place(text, &["service", name]).ok_or_else(unchanged)?,
            value,
        ));
    }
    let mut changed = replaced(text, edits);
    if let Some(at) = place(&changed, &["integrity"]) {
        let document = read(&changed)?;
        let integrity = integrity(&document, &changed, at.clone())?;
        changed = replaced(&changed, vec![(at, integrity)]);
    }
    let after = read(&changed)?;
    let service = &after.manifest().service;
    let right = service.version == version
        && service.revision == revision
        && after.states_its_hash() != Some(false);
    if right { Ok(changed) } else { Err(unchanged()) }
}

fn read(text: &str) -> Result<Document, Failure> {
    Document::read_trusted_size(text.as_bytes()).map_err(|_| unchanged())
}

fn unchanged() -> Failure {
    let message = "version and revision cannot be written into this document; nothing was changed";
    Failure::usage("not_rewritten", message)
}

/// Where the value of a member stands.
fn place(text: &str, names: &[&str]) -> Option<Range<usize>> {
    let mut at = text;
    for name in names {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(at).ok()?;
        at = members.get(*name)?.get();
    }
    let start = at.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    Some(start..start.checked_add(at.len())?)
}

/// The text with parts replaced that do not overlap.
fn replaced(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(place, _)| place.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (place, value) in edits {
        out.push_str(text.get(done..place.start).unwrap_or_default());
        out.push_str(&value);
        done = place.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// The integrity of the new content, in lines where it was in lines.
fn integrity(document: &Document, text: &str, at: Range<usize>) -> Result<String, Failure> {
    let mut integrity = document
        .value()
        .get("integrity")
        .cloned()
        .unwrap_or_default();
    if let Value::Object(members) = &mut integrity {
        members.insert(
            "contentHash".to_owned(),
            json!(document.content_hash_text()),
        );
        if let Some(Value::Array(signatures)) = members.get_mut("signatures") {
            signatures.retain(|one| {
                one.get("format")
                    .is_some_and(|format| format == ABOUT_ORIGIN)
            });
        }
    }
    if !text.get(at).is_some_and(|old| old.contains('\n')) {
        return Ok(integrity.to_string());
    }
    let lines = serde_json::to_string_pretty(&integrity).map_err(|_| unchanged())?;
    Ok(lines.replace('\n', "\n  "))
}

/// Whether a document has a signature that rewriting takes out.
pub(super) fn loses_a_signature(document: &Document) -> bool {
    let integrity = document.manifest().integrity.iter();
    let mut signatures = integrity.flat_map(|integrity| &integrity.signatures);
    signatures.any(|one| one.format != ABOUT_ORIGIN)
}
