//! `docs/was-i-charged.md` lists every refusal exactly as the code has it; `BLESS=1` rewrites the table.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::{fmt::Write as _, fs, path::Path};

use x402_model::problem::{Charged, ProblemCode};

const START: &str = "<!-- table: start -->\n";
const END: &str = "<!-- table: end -->\n";

fn table() -> String {
    let mut text = String::from(
        "| code | status | charged | action | what happened |\n|---|---|---|---|---|\n",
    );
    for code in ProblemCode::ALL {
        let charged = match code.charged() {
            Charged::No => "no",
            Charged::Yes => "yes",
            Charged::Maybe => "maybe",
        };
        writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            code.as_str(),
            code.http_status(),
            charged,
            code.action().as_str(),
            code.detail().replace('|', "\\|"),
        )
        .expect("writing to a string");
    }
    text
}

#[test]
fn the_page_lists_every_refusal() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/was-i-charged.md");
    let page = fs::read_to_string(&path).expect("the page exists");
    let (before, rest) = page.split_once(START).expect("start mark");
    let (found, after) = rest.split_once(END).expect("end mark");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, format!("{before}{START}{}{END}{after}", table()))
            .expect("the page can be written");
        return;
    }
    assert_eq!(
        found,
        table(),
        "run `BLESS=1 cargo test -p x402-model --test was_i_charged` and read the diff"
    );
}
