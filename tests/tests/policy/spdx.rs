//! Evaluates the SPDX licence expressions that stand in manifests against an allow list.

/// True if the licence terms allow a choice made only of allowed licences.
///
/// Understands `AND`, `OR`, `WITH`, parentheses and the old `/` for `OR`. `AND` binds tighter.
pub(crate) fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let result = either(&mut words, allowed)?;
    match words.next() {
        None => Ok(result),
        Some(word) => Err(format!("unexpected {word:?} in {expression:?}")),
    }
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let mut result = both(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        result |= both(words, allowed)?;
    }
    Ok(result)
}

fn both(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let mut result = term(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        result &= term(words, allowed)?;
    }
    Ok(result)
}

fn term(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    match words.next() {
        Some("(") => {
            let result = either(words, allowed)?;
            match words.next() {
                Some(")") => Ok(result),
                other => Err(format!("expected a closing parenthesis, found {other:?}")),
            }
        }
        Some(word @ (")" | "AND" | "OR" | "WITH")) => Err(format!("unexpected {word:?}")),
        Some(licence) => {
            if words.next_if_eq(&"WITH").is_none() {
                return Ok(allowed(licence));
            }
            let exception = words.next().ok_or("WITH without an exception")?;
            Ok(allowed(&format!("{licence} WITH {exception}")))
        }
        None => Err("a licence is missing".to_owned()),
    }
}

#[test]
fn expressions_are_read_as_spdx_says() {
    let allowed =
        |licence: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&licence);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("MIT AND ISC", true),
        ("MIT OR GPL-3.0 AND GPL-2.0", true),
        ("(MIT OR GPL-3.0) AND GPL-2.0", false),
        ("(MIT OR GPL-3.0) AND (ISC)", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
    ] {
        assert_eq!(
            satisfied(expression, &allowed),
            Ok(expected),
            "{expression}"
        );
    }
    for broken in [
        "",
        "MIT AND",
        "(MIT",
        "MIT ISC",
        "OR MIT",
        "MIT)",
        "Apache-2.0 WITH",
    ] {
        assert!(satisfied(broken, &allowed).is_err(), "{broken:?}");
    }
}
