//! Rule 13: a 402 whose header would be too long loses parts of its block, in a fixed order.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

use serde_json::{Map, json};
use x402_model::manifest::views::{self, Reduction};
use x402_model::manifest::{Document, Manifest};
use x402_model::wire::{Offered, PaymentRequired, PaymentRequirements, ResourceInfo, headers};

const EXAMPLE: &str = include_str!("manifest/manifest.signed.json");
const HARD: &str = include_str!("manifest/hard.json");

fn manifest(text: &str) -> Manifest {
    let document = Document::read(text.as_bytes()).unwrap();
    document.manifest().clone()
}

/// The terms of a 402 for an endpoint, without extensions.
fn terms(manifest: &Manifest, id: &str) -> PaymentRequired {
    let endpoint = manifest.endpoints.iter().find(|it| it.id == id).unwrap();
    let resource = ResourceInfo {
        url: format!("{}{}", manifest.service.origin, "/x".repeat(40)),
        description: endpoint.description.clone(),
        ..ResourceInfo::default()
    };
    let entry = PaymentRequirements {
        scheme: "exact".to_owned(),
        network: "eip155:8453".to_owned(),
        amount: "1000".to_owned(),
        asset: "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913".to_owned(),
        pay_to: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".to_owned(),
        max_timeout_seconds: 120,
        extra: Map::new(),
    };
    PaymentRequired::new("Payment required", resource, vec![Offered::new(entry)])
}

#[test]
fn rule_13_headers_stay_below_the_limit_and_lose_parts_in_order() {
    for manifest in [manifest(EXAMPLE), manifest(HARD)] {
        for endpoint in &manifest.endpoints {
            let terms = terms(&manifest, &endpoint.id);
            let limit = views::MAX_HEADER_BYTES;
            let Some(fitted) = views::fit(&manifest, &endpoint.id, &terms, limit) else {
                continue;
            };
            assert!(
                fitted.header_bytes <= limit && fitted.reductions.is_empty(),
                "{}",
                endpoint.id
            );
            assert_eq!(fitted.block, views::bazaar(&manifest, &endpoint.id));
            let mut with = terms.clone();
            let block = fitted.block.unwrap();
            with.extensions
                .get_or_insert_default()
                .insert("bazaar".to_owned(), block);
            assert_eq!(headers::encode(&with).unwrap().len(), fitted.header_bytes);
        }
    }
    let hard = manifest(HARD);
    let terms = terms(&hard, "putNode");
    let all = [
        Reduction::OutputExample,
        Reduction::OutputSchema,
        Reduction::Descriptions,
        Reduction::Block,
    ];
    let mut limit = views::MAX_HEADER_BYTES;
    let mut seen = Vec::new();
    loop {
        let fitted = views::fit(&hard, "putNode", &terms, limit).unwrap();
        assert_eq!(fitted.reductions, all[..fitted.reductions.len()]);
        seen.push(fitted.reductions.len());
        let Some(block) = fitted.block else {
            assert_eq!(fitted.header_bytes, views::header_bytes(&terms));
            break;
        };
        assert!(fitted.header_bytes <= limit);
        let validator = jsonschema::validator_for(&block["schema"]).unwrap();
        assert!(
            validator.is_valid(&block["info"]),
            "what is left is still valid"
        );
        limit = fitted.header_bytes - 1;
    }
    assert!(
        seen.is_sorted() && seen.contains(&0) && seen.contains(&1) && seen.contains(&2),
        "{seen:?}"
    );
    let names = views::fit(&hard, "putNode", &terms, 1).unwrap();
    assert_eq!((names.block, names.reductions), (None, all.to_vec()));
}

#[test]
fn rule_13_a_picture_goes_before_any_part_of_the_block_and_stays_where_that_saves_none() {
    let hard = manifest(HARD);
    let plain = terms(&hard, "putNode");
    let mut shown = plain.clone();
    shown.resource.icon_url = Some(format!("https://a.example/{}", "i".repeat(300)));
    let fit = |terms, limit| views::fit(&hard, "putNode", terms, limit).unwrap();
    let whole = fit(&shown, usize::MAX);
    assert_eq!(whole.reductions, []);
    let mut seen = Vec::new();
    for limit in (1..=whole.header_bytes).rev().step_by(8) {
        let (with, without) = (fit(&shown, limit), fit(&plain, limit));
        assert_eq!(with.block, without.block, "{limit}: no part is lost for it");
        let (icon, kept): (Vec<Reduction>, Vec<Reduction>) = with
            .reductions
            .into_iter()
            .partition(|one| *one == Reduction::Icon);
        assert_eq!(kept, without.reductions, "{limit}");
        if icon.is_empty() {
            assert!(with.header_bytes <= limit, "{limit}");
        } else {
            assert_eq!(with.header_bytes, without.header_bytes, "{limit}");
        }
        seen.push((without.reductions.len(), icon.len()));
    }
    seen.dedup();
    // It is left out and comes back, while less and less is there of the block, and in the end there is neither.
    assert_eq!(seen[..2], [(0, 0), (0, 1)]);
    assert!(seen.contains(&(4, 0)), "{seen:?}");
    assert_eq!(seen.last(), Some(&(4, 1)));
}

#[test]
fn rule_13_descriptions_go_and_properties_of_that_name_stay() {
    let mut hard = manifest(HARD);
    let property = json!({"type": "string", "description": "a long text ".repeat(40)});
    let body = hard.endpoints[2].input.body.as_mut().unwrap();
    body.schema = Some(
        json!({"type": "object", "title": "T", "properties": {"description": property, "title": {"type": "string"}}}),
    );
    let terms = terms(&hard, "draw");
    let fitted = views::fit(&hard, "draw", &terms, 1600).unwrap();
    assert_eq!(fitted.reductions.last(), Some(&Reduction::Descriptions));
    let body = &fitted.block.unwrap()["schema"]["properties"]["input"]["properties"]["body"];
    let text = json!({"type": "string"});
    assert_eq!(
        body,
        &json!({"type": "object", "properties": {"description": text, "title": text}})
    );
}
