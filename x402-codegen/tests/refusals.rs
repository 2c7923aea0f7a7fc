//! What the comment of a method says of refusals: the codes of every call stand once in a client, and its own ones beside it.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use x402_codegen::ClientModel;

type Render = fn(&ClientModel) -> String;

/// Renderers, and how each names the codes of every call.
const LANGUAGES: &[(Render, &str)] = &[
    (x402_codegen::rust::render, "[`SHARED_REFUSALS`]"),
    (x402_codegen::typescript::render, "{@link SHARED_REFUSALS}"),
    (x402_codegen::python::render, "`SHARED_REFUSALS`"),
];

/// The lines about refusals, without what marks a comment and what escapes in it.
fn lines(text: &str) -> Vec<String> {
    let plain = text.lines().map(|line| line.replace('\\', ""));
    plain
        .filter_map(|line| {
            let at = line.find("Refusals: ")?;
            Some(line[at..].to_owned())
        })
        .collect()
}

#[test]
fn the_codes_of_every_call_stand_once() {
    let manifest = support::tools::workspace().join("clients/marketplace.manifest.json");
    let model = x402_codegen::read(&std::fs::read(manifest).unwrap()).unwrap();
    assert!(model.shared_errors.len() > 50);
    for (render, reference) in LANGUAGES {
        let text = render(&model);
        let said = lines(&text);
        assert!(said.len() >= model.endpoints.len());
        for line in said {
            assert_eq!(line, format!("Refusals: those of every call, {reference}."));
        }
        let lists = text.lines().filter(|line| {
            line.contains("SHARED_REFUSALS") && line.contains("\"payment_undecodable\", ")
        });
        assert_eq!(lists.count(), 1);
    }
}

#[test]
fn a_method_names_the_codes_of_its_own() {
    let mut model = support::model("example");
    model.endpoints.truncate(1);
    let shared = model.shared_errors.clone();
    let all = |more: &[&str]| {
        let more = more.iter().map(|code| (*code).to_owned());
        shared.iter().cloned().chain(more).collect::<Vec<_>>()
    };
    for (render, reference) in LANGUAGES {
        let mut said = |errors: Vec<String>| {
            model.endpoints[0].errors = errors;
            let mut said = lines(&render(&model));
            said.dedup();
            said
        };
        let of_all = format!("Refusals: those of every call, {reference}");
        assert_eq!(said(all(&[])), [format!("{of_all}.")]);
        assert_eq!(
            said(all(&["sold_out", "too_far"])),
            [format!("{of_all}, and sold_out, too_far.")]
        );
        // One that cannot end in all the usual ways names every way that is left.
        let fewer = format!("Refusals: {}.", shared[1..].join(", "));
        assert_eq!(said(shared[1..].to_vec()), [fewer]);
        assert_eq!(said(Vec::new()), Vec::<String>::new());
    }
}

#[test]
fn a_service_that_names_no_codes_of_every_call_has_no_list_of_them() {
    let mut model = support::model("example");
    model.shared_errors.clear();
    for (render, _) in LANGUAGES {
        let text = render(&model);
        assert!(!text.contains("SHARED_REFUSALS"));
        assert!(!lines(&text).is_empty());
    }
}
