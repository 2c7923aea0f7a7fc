//! What the compiler says: one fixture per promise, by theme. Rewrite with `TRYBUILD=overwrite`.

/// All of them fail to compile, so that nothing is linked; what must compile is in `behaviour` and `public_api`.
///
/// Fixtures in `rustc/` and `pricing_types/` show the compiler's own words and those in all other folders ours.
#[test]
fn mistakes_are_reported_where_they_are() {
    let cases = trybuild::TestCases::new();
    for theme in [
        "args",
        "conflict",
        "duplicate",
        "keys",
        "lifecycle",
        "price",
        "pricing",
        "pricing_types",
        "route",
        "rustc",
        "signature",
        "type",
    ] {
        cases.compile_fail(format!("tests/ui/{theme}/*.rs"));
    }
}
