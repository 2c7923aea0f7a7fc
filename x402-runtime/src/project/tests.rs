use std::borrow::Cow;

use serde_json::Value;
use x402_model::endpoint::{EndpointSpec, Lifecycle, Method, RouteSpec};
use x402_model::network::Network;
use x402_model::wire::{PaymentRequired, headers};

use super::*;
use crate::bind::{Given, Mounted, Shown, bind};
use crate::paywall::Rail;

fn endpoint(path: &'static str, description: &'static str) -> BoundEndpoint {
    endpoint_of(Shown::default(), path, description)
}

fn endpoint_of(shown: Shown, path: &'static str, description: &'static str) -> BoundEndpoint {
    let spec = EndpointSpec {
        id: "weather",
        route: Some(RouteSpec {
            method: Method::Get,
            path,
        }),
        price: x402_model::price::PriceModel::Flat {
            amount: "0.01 USDC".parse().unwrap(),
        },
        probe: None,
        allowances: &[],
        plans: &[],
        summary: "Weather",
        description,
        tags: &["weather", "a \"b\""],
        mime_type: "application/json",
        timeout_seconds: 300,
        pay_to: None,
        payment_ids: None,
        lifecycle: Lifecycle::NONE,
        rails: &[],
    };
    let given = Given {
        origin: Some("https://api.example.com".to_owned()),
        pay_to: Some("0x70997970C51812dc3A010C7d01b50e0d17dc79C8".to_owned()),
        rails: vec![Rail::new(Network::BASE_SEPOLIA, "USDC")],
        min_remaining_seconds: 10,
        shown: Arc::new(shown),
        ..Given::default()
    };
    let mut mistakes = Vec::new();
    let bound = bind(
        &[Mounted {
            spec,
            at: Option::<(Method, Cow<'static, str>)>::None,
        }],
        &[],
        &given,
        &mut mistakes,
    );
    assert_eq!(mistakes, []);
    bound.endpoints.into_iter().next().unwrap()
}

fn decode(header: &HeaderValue) -> PaymentRequired {
    headers::decode(header.as_bytes(), usize::MAX).unwrap()
}

#[test]
fn patched_header_is_canonical_base64_at_every_alignment() {
    for description in ["", "x", "xy", "xyz", "ü"] {
        let challenge = Challenge::new(&endpoint("/weather/{city}", description), None);
        for length in 0..12 {
            let path = format!("/weather/{}", "z".repeat(length));
            let header = challenge.header(&path).unwrap();
            let text = headers::decode_text(header.as_bytes(), usize::MAX).unwrap();
            assert_eq!(STANDARD.encode(&text), header.to_str().unwrap());
            let terms = decode(&header);
            assert_eq!(terms.resource.url, format!("https://api.example.com{path}"));
            assert_eq!(terms.error.as_deref(), Some(FIRST_CONTACT));
        }
    }
}

#[test]
fn projection_says_what_is_bound() {
    let endpoint = endpoint("/weather/{city}", "Weather of a city");
    let terms = decode(
        &Challenge::new(&endpoint, None)
            .header("/weather/oslo")
            .unwrap(),
    );
    assert_eq!(terms.x402_version, 2);
    assert_eq!(
        terms.resource.description.as_deref(),
        Some("Weather of a city")
    );
    assert_eq!(
        terms.resource.mime_type.as_deref(),
        Some("application/json")
    );
    assert_eq!(
        terms.resource.tags.as_deref(),
        Some(&["weather".to_owned(), "a \"b\"".to_owned()][..])
    );
    assert_eq!(terms.resource.service_name, None, "nobody said it");
    assert_eq!(terms.resource.icon_url, None);
    assert_eq!(terms.accepts, [endpoint.terms()[0].offered().clone()]);
    let view = terms.accepts[0].view().unwrap();
    assert_eq!(view.amount, "10000");
    assert_eq!(view.asset, "0x036CbD53842c5426634e7929541eC2318f3dCF7e");
    assert_eq!(view.extra.get("name"), Some(&Value::from("USDC")));
}

#[test]
fn whose_it_is_stands_in_the_head_as_it_was_said() {
    let shown = |name: &str, icon: Option<&str>| Shown {
        name: Some(name.to_owned()),
        icon: icon.map(str::to_owned),
        tags: vec!["of the service".to_owned()],
    };
    for name in ["K", "Ki", "Kit", r#""K\"},{"url":"x"#] {
        for icon in [None, Some("https://cdn.example.com/i.png?a=1&b='x'")] {
            let endpoint = endpoint_of(shown(name, icon), "/weather/{city}", "Weather");
            let challenge = Challenge::new(&endpoint, None);
            // At another price, too, and where a payment is refused.
            for challenge in [&challenge, &challenge.of(&endpoint)] {
                let first = challenge.header("/weather/oslo").unwrap();
                let refused = challenge.header_with("/weather/oslo", "no").unwrap();
                for header in [first, refused] {
                    let text = headers::decode_text(header.as_bytes(), usize::MAX).unwrap();
                    assert_eq!(STANDARD.encode(&text), header.to_str().unwrap());
                    let resource = decode(&header).resource;
                    assert_eq!(resource.service_name.as_deref(), Some(name));
                    assert_eq!(resource.icon_url.as_deref(), icon);
                    assert_eq!(resource.tags.as_deref().map(<[_]>::len), Some(2), "its own");
                    assert_eq!(resource.url, "https://api.example.com/weather/oslo");
                }
            }
        }
    }
}

#[test]
fn other_errors_keep_the_terms() {
    let challenge = Challenge::new(&endpoint("/w", ""), None);
    let terms = decode(
        &challenge
            .header_with("/w", "extension_echo_mismatch \"\u{1}")
            .unwrap(),
    );
    assert_eq!(
        terms.error.as_deref(),
        Some("extension_echo_mismatch \"\u{1}")
    );
    assert_eq!(terms.accepts.len(), 1);
    assert_eq!(
        challenge.header_with("/w", FIRST_CONTACT),
        challenge.header("/w")
    );
}

#[test]
fn g18_path_is_escaped_and_bounded() {
    let challenge = Challenge::new(&endpoint("/{*rest}", ""), None);
    let url = |path: &str| decode(&challenge.header(path).unwrap()).resource.url;
    assert_eq!(url("/a%2Fb"), "https://api.example.com/a%2Fb");
    assert_eq!(
        url("/a\"},{\\<é"),
        "https://api.example.com/a%22%7D,%7B%5C%3C%C3%A9"
    );
    assert_eq!(url("/%zz%4"), "https://api.example.com/%25zz%254");
    assert!(url(&"/x".repeat(60_000)).len() <= MAX_PATH * 3 + 32);
}

#[test]
fn what_was_told_last_is_told_again_for_that_path_only() {
    let challenge = Challenge::new(&endpoint("/weather/{city}", "Weather"), None);
    let anew = |path: &str| {
        let told = challenge.tell(path);
        (told.headers, told.body)
    };
    for path in [
        "/weather/oslo",
        "/weather/oslo",
        "/weather/bergen",
        "/weather/oslo",
    ] {
        assert_eq!(challenge.told(path), anew(path), "{path}");
    }
    let long = format!("/weather/{}", "x".repeat(MAX_RECENT_PATH));
    assert_eq!(challenge.told(&long), anew(&long));
    let recent = challenge.recent.lock().unwrap();
    assert_eq!(recent.as_ref().unwrap().path, "/weather/oslo");
}
