//! `docs/operations.md` lists every span, event and metric exactly as the code has it; `BLESS=1` rewrites the tables.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use x402_client::telemetry as buyer;
use x402_runtime::telemetry::{EVENTS, METRICS, SPANS};

use crate::{assert_none, root};

/// Table rows: what goes into each column.
type Rows<'a> = Vec<[String; 4]>;

fn table(head: [&str; 4], rows: Rows<'_>) -> String {
    let mut text = format!("| {} |\n|---|---|---|---|\n", head.join(" | "));
    for row in rows {
        writeln!(
            text,
            "| {} |",
            row.map(|cell| cell.replace('|', "\\|")).join(" | ")
        )
        .unwrap();
    }
    text
}

fn words(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    if quoted.is_empty() {
        "–".to_owned()
    } else {
        quoted.join(", ")
    }
}

fn named(name: &str, level: &str, fields: &[&str], meaning: &str) -> [String; 4] {
    [
        format!("`{name}`"),
        level.to_owned(),
        words(fields),
        meaning.to_owned(),
    ]
}

/// Every table of the page, by its mark.
fn tables() -> Vec<(&'static str, String)> {
    let head = ["name", "level", "fields", "meaning"];
    let spans = SPANS
        .iter()
        .map(|s| named(s.name, s.level, s.fields, s.meaning));
    let events = EVENTS
        .iter()
        .map(|e| named(e.name, e.level, e.fields, e.meaning));
    let client = buyer::SPANS.iter().chain(buyer::EVENTS);
    let client = client.map(|n| named(n.name, n.level, n.fields, n.meaning));
    let metrics = METRICS
        .iter()
        .map(|m| named(m.name, m.kind.as_str(), m.labels, m.meaning));
    vec![
        ("spans", table(head, spans.collect())),
        ("events", table(head, events.collect())),
        ("client", table(head, client.collect())),
        (
            "metrics",
            table(["name", "type", "labels", "meaning"], metrics.collect()),
        ),
    ]
}

#[test]
fn the_page_lists_every_span_event_and_metric() {
    let path = root().join("docs/operations.md");
    let mut page = fs::read_to_string(&path).expect("the page exists");
    let before = page.clone();
    for (mark, table) in tables() {
        let (start, end) = (
            format!("<!-- {mark}: start -->\n"),
            format!("<!-- {mark}: end -->\n"),
        );
        let (head, rest) = page.split_once(&start).expect("start mark");
        let (_, tail) = rest.split_once(&end).expect("end mark");
        page = format!("{head}{start}{table}{end}{tail}");
    }
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, page).expect("the page can be written");
        return;
    }
    assert_eq!(
        before, page,
        "run `BLESS=1 cargo test -p x402-tests --test policy operations` and read the diff"
    );
}

#[test]
fn the_page_names_nothing_that_does_not_exist() {
    let page = fs::read_to_string(root().join("docs/operations.md")).expect("the page exists");
    let known: Vec<&str> = SPANS
        .iter()
        .map(|known| known.name)
        .chain(EVENTS.iter().map(|known| known.name))
        .chain(METRICS.iter().map(|known| known.name))
        .chain(buyer::SPANS.iter().map(|known| known.name))
        .chain(buyer::EVENTS.iter().map(|known| known.name))
        .collect();
    let offenders: Vec<String> = page
        .split(|c: char| !(c.is_ascii_alphanumeric() || "._".contains(c)))
        .map(|word| word.trim_matches('.'))
        // What a Prometheus exporter makes of a histogram.
        .map(|word| {
            ["_bucket", "_count", "_sum"]
                .iter()
                .fold(word, |word, end| word.strip_suffix(end).unwrap_or(word))
        })
        .filter(|word| word.starts_with("x402.") || word.starts_with("x402_"))
        .filter(|word| !["x402_runtime", "x402_client", "x402.sqlite"].contains(word))
        .filter(|word| !known.contains(word))
        .map(str::to_owned)
        .collect();
    assert_none("docs/operations.md names what no code has", &offenders);
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            found.push((path.display().to_string(), text));
        }
    }
}

/// The sources of a crate: those of its `telemetry` and the others.
fn split(package: &str) -> (String, Vec<(String, String)>) {
    let mut all = Vec::new();
    sources(&root().join(package).join("src"), &mut all);
    let (mut names, mut others) = (String::new(), Vec::new());
    for (path, text) in all {
        if path.ends_with("src/telemetry.rs") {
            names = text;
        } else if !path.ends_with("telemetry/tables.rs") {
            others.push((path, text));
        }
    }
    (names, others)
}

#[test]
fn names_are_constants_and_every_constant_is_used() {
    let mut offenders = Vec::new();
    for package in ["x402-runtime", "x402-client"] {
        let (names, others) = split(package);
        for (path, text) in &others {
            for (number, line) in text.lines().enumerate() {
                let literal = [
                    "name: \"x402",
                    "span!(\"",
                    "counter!(\"",
                    "gauge!(\"",
                    "histogram!(\"",
                ];
                if literal.iter().any(|one| line.contains(one)) {
                    offenders.push(format!("{path}:{}: a name that is no constant", number + 1));
                }
            }
        }
        let mut module = "";
        for line in names.lines() {
            if let Some(name) = line.strip_prefix("pub mod ") {
                module = name.trim_end_matches(" {");
            }
            let Some((name, _)) = line
                .trim()
                .strip_prefix("pub const ")
                .and_then(|line| line.split_once(": &str"))
            else {
                continue;
            };
            let used = format!("{module}::{name}");
            if !others.iter().any(|(_, text)| text.contains(&used)) {
                offenders.push(format!("{package}: {used} is used nowhere"));
            }
        }
    }
    assert_none("telemetry", &offenders);
}
