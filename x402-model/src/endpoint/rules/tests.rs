use super::*;

#[test]
fn good_paths_pass() {
    for path in [
        "/",
        "/a",
        "/a/",
        "/weather/{city}",
        "/files/{*rest}",
        "/a/{b}/c/{_d1}",
        "/a.b/c-d_e~f",
        "/x%20y",
        "/a:b",
        "/@me",
    ] {
        assert_eq!(check_path(path), Ok(()), "{path}");
    }
    assert_eq!(
        captures("/a/{b}/x/{*rest}").collect::<Vec<_>>(),
        ["b", "rest"]
    );
}

#[test]
fn bad_paths_are_named_with_their_place() {
    use RouteErrorCode as C;
    let cases = [
        ("", C::Empty, 0..0, Some("/")),
        ("weather", C::NoLeadingSlash, 0..1, Some("/weather")),
        ("/w/:city", C::OldCapture, 3..8, Some("/w/{city}")),
        ("/w/*rest", C::OldWildcard, 3..8, Some("/w/{*rest}")),
        ("/w/*", C::OldWildcard, 3..4, Some("/w/{*rest}")),
        ("/a//b", C::EmptySegment, 2..4, Some("/a/b")),
        ("//", C::EmptySegment, 0..2, Some("/")),
        ("/a?b=c", C::Query, 2..6, Some("/a")),
        ("/a#b", C::Fragment, 2..4, Some("/a")),
        ("/a/../b", C::DotSegment, 3..5, None),
        ("/a/%2e%2E", C::DotSegment, 3..9, None),
        ("/a b", C::Character, 2..3, None),
        ("/a\\b", C::Character, 2..3, None),
        ("/a\n", C::Control, 2..3, None),
        ("/caf\u{e9}", C::NonAscii, 4..6, None),
        ("/a%2Fb", C::PercentEncoding, 2..3, None),
        ("/a%252Fb", C::PercentEncoding, 2..3, None),
        ("/a%zz", C::PercentEncoding, 2..3, None),
        ("/a%2", C::PercentEncoding, 2..3, None),
        ("/{}", C::EmptyCapture, 1..3, None),
        ("/{*}", C::EmptyCapture, 1..4, None),
        ("/{1a}", C::CaptureName, 1..5, None),
        ("/{a-b}", C::CaptureName, 1..6, None),
        ("/{a}/{a}", C::DuplicateCapture, 5..8, None),
        ("/{*a}/b", C::WildcardNotLast, 1..5, None),
        ("/v{a}", C::PartialCapture, 1..5, None),
        ("/{a}.json", C::PartialCapture, 1..9, None),
        ("/{a}{b}", C::PartialCapture, 1..7, None),
        ("/{a", C::Brace, 1..3, None),
        ("/a}", C::Brace, 1..3, None),
        ("/{{a}}", C::Brace, 1..6, None),
    ];
    for (path, code, span, suggestion) in cases {
        let error = check_path(path).expect_err(path);
        assert_eq!(
            (error.code, error.span, error.suggestion.as_deref()),
            (code, span, suggestion),
            "{path}"
        );
        assert!(error.help.is_some());
    }
    assert_eq!(
        check_path(&format!("/{}", "a".repeat(512))).map_err(|error| error.code),
        Err(C::TooLong)
    );
}

fn rule_of(outcome: Result<(), RuleError>) -> Option<Rule> {
    outcome.err().map(|error| error.rule)
}

#[test]
fn ids_tags_and_texts() {
    for good in ["a", "_", "weather.v2", "get-Weather_1", &"x".repeat(64)] {
        assert_eq!(check_id(good), Ok(()), "{good}");
    }
    for (bad, rule) in [
        ("", Rule::Empty),
        ("1a", Rule::Character),
        (".a", Rule::Character),
        ("a b", Rule::Character),
        ("é", Rule::Character),
    ] {
        assert_eq!(rule_of(check_id(bad)), Some(rule), "{bad}");
    }
    assert_eq!(rule_of(check_id(&"x".repeat(65))), Some(Rule::TooLong));
    assert_eq!(check_tags(&["a", "b c", "#d"]), Ok(()));
    assert_eq!(rule_of(check_tags(&["a", "A"])), Some(Rule::Duplicate));
    assert_eq!(
        rule_of(check_tags(&["1", "2", "3", "4", "5", "6"])),
        Some(Rule::TooLong)
    );
    assert_eq!(rule_of(check_tag("")), Some(Rule::Empty));
    assert_eq!(rule_of(check_tag(" a")), Some(Rule::Character));
    assert_eq!(rule_of(check_tag("caf\u{e9}")), Some(Rule::Character));
    assert_eq!(rule_of(check_tag(&"x".repeat(33))), Some(Rule::TooLong));
    assert_eq!(check_summary(&"é".repeat(120)), Ok(()));
    assert_eq!(
        check_summary(&"é".repeat(121)).map_err(|error| error.span),
        Err(240..242)
    );
    assert_eq!(rule_of(check_summary("a\nb")), Some(Rule::Character));
    assert_eq!(check_description("a\nb"), Ok(()));
    assert_eq!(
        rule_of(check_description("a\u{200b}b")),
        Some(Rule::Character)
    );
    assert_eq!(
        rule_of(check_description("a\u{202e}b")),
        Some(Rule::Character)
    );
    assert_eq!(
        rule_of(check_description(&"x".repeat(481))),
        Some(Rule::TooLong)
    );
}

#[test]
fn media_types_windows_addresses_and_rails() {
    for good in [
        "application/json",
        "text/plain; charset=utf-8",
        "application/vnd.api+json",
    ] {
        assert_eq!(check_mime_type(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "json",
        "a/",
        "/b",
        "a/b/c",
        "a b/c",
        "text/plain; \u{e9}",
    ] {
        assert_eq!(rule_of(check_mime_type(bad)), Some(Rule::MimeType), "{bad}");
    }
    assert_eq!((check_timeout(10), check_timeout(3600)), (Ok(()), Ok(())));
    assert_eq!(rule_of(check_timeout(9)), Some(Rule::TooSmall));
    assert_eq!(rule_of(check_timeout(3601)), Some(Rule::TooLong));
    assert_eq!(
        check_pay_to("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
        Ok(())
    );
    for bad in [
        "0x0000000000000000000000000000000000000000",
        "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA0291",
        "vitalik.eth",
    ] {
        assert_eq!(rule_of(check_pay_to(bad)), Some(Rule::Address), "{bad}");
    }
    assert_eq!(
        parse_rail("celo:usdt").map(|(network, _)| network),
        Ok(Network::CELO)
    );
    assert_eq!(
        (
            check_rail("base:USDC/permit2"),
            check_rail("base:USDC/eip3009")
        ),
        (Ok(()), Ok(()))
    );
    for (bad, rule) in [
        ("base", Rule::Rail),
        ("base:", Rule::Rail),
        ("base:USD", Rule::Rail),
        ("eip155:8453", Rule::Rail),
        ("basee:USDC", Rule::Network),
        ("eip155:08453:USDC", Rule::Network),
        ("", Rule::Rail),
        ("base:USDC/", Rule::Rail),
        ("base:USDC/erc7710", Rule::Rail),
        ("base:USDC/permit2/permit2", Rule::Rail),
        ("base/permit2", Rule::Rail),
        ("/permit2", Rule::Rail),
    ] {
        assert_eq!(rule_of(check_rail(bad)), Some(rule), "{bad}");
    }
}
