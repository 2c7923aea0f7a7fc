//! The passes in order: parse, validate, expand; and what is emitted when one of them reports a mistake.

use proc_macro2::TokenStream;
use quote::ToTokens as _;

use crate::diag::Diagnostics;
use crate::model::{PaidFn, Validated};
use crate::syntax::{attr, item};
use crate::{expand, fallback};

/// Expands one `#[paid(arguments)] item`. Never fails: mistakes become `compile_error!`s beside the item.
pub(crate) fn paid(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let attr = attr::parse(arguments, &mut diagnostics);
    let Some(function) = item::parse(item.clone(), &mut diagnostics) else {
        return fallback::unchanged(item, diagnostics);
    };
    let validated = PaidFn {
        attr,
        item: function,
    }
    .validate(&mut diagnostics);
    match validated {
        Validated::Whole(function) => {
            let tokens = expand::paid_fn(&function);
            fallback::beside(&tokens, diagnostics)
        }
        Validated::SignatureOnly(signature, krate) => {
            fallback::without_spec(&signature, &krate, diagnostics)
        }
        Validated::Neither(function) => {
            fallback::unchanged(&function.into_token_stream(), diagnostics)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attributes are typed by people: whatever stands there is answered with an error, never with a panic.
    fn is_an_error(arguments: &str) {
        let item = "async fn f() {}".parse().expect("an item");
        let Ok(tokens) = arguments.parse::<TokenStream>() else {
            return;
        };
        let expanded = paid(tokens, &item).to_string();
        assert!(expanded.contains("compile_error"), "{arguments}");
        assert!(
            expanded.contains("fn f"),
            "{arguments}: the function is still there"
        );
    }

    #[test]
    fn strange_arguments_are_errors() {
        [
            "",
            ",",
            ";;",
            "=",
            "= =",
            "GET",
            "GET =",
            "GET \"/\" \"/\"",
            "\"/\"",
            "price",
            "price =",
            "price = =",
            "price = [",
            "price = -",
            "price = \"\\u{0}\"",
            "price = \"\u{1F4B0}\"",
            "price = \"\u{20AC} 1\"",
            "tags = []",
            "tags = [[]]",
            "tags = [,]",
            "rails = [\":\"]",
            "rails = [\"::\"]",
            "payment_ids = \"\"",
            "timeout = 99999999999999999999999",
            "timeout = \"s\"",
            "timeout = \"\u{661}s\"",
            "crate = <T as U>::V",
            "crate = a::<b>",
            "id = 'a'",
            "r#price = 1",
            "price = 1 = 2",
            "{}",
            "()",
            "#",
            "'a",
            "GET \"\u{E9}\"",
            "GET r#\"/{\"#",
            "pay_to = \"0x\u{E9}\"",
            "GET \"/\", GET",
        ]
        .into_iter()
        .for_each(is_an_error);
    }

    #[test]
    fn strange_prices_are_errors() {
        [
            "price = tiers",
            "price = tiers[]",
            "price = tiers(,)",
            "price = tiers(by =)",
            "price = tiers(by = /)",
            "price = tiers(by = body.)",
            "price = tiers(by = body.a.)",
            "price = tiers(by = body() or)",
            "price = tiers(by = bytes())",
            "price = tiers(by = bytes(bytes(body)), .. => \"1 USD\")",
            "price = tiers(by = body / 99999999999999999999999, ..=1 => \"1 USD\")",
            "price = tiers(by = query.a, => \"1 USD\")",
            "price = tiers(by = query.a, -\"a\" => \"1 USD\")",
            "price = tiers(by = query.a, 99999999999999999999999 => \"1 USD\")",
            "price = tiers(by = query.a, ..=1e9 => \"1 USD\")",
            "price = tiers(by = query.a, ..= => \"1 USD\")",
            "price = tiers(by = query.a, 1 => \"x\")",
            "price = tiers(by = query.a, 1 => \"\u{D7}\")",
            "price = tiers(multiply, multiply, by = query.a, 1 => \"1 USD\")",
            "price = upto",
            "price = upto()",
            "price = upto(units)",
            "price = upto(\"1 USD\", units(a = unit()))",
            "price = upto(\"1 USD\", units(a = unit(\"1 USD\", per = 0)))",
            "price = upto(\"1 USD\", units(a))",
            "price = upto(\"1 USD\", \"1 USD\")",
            "price = dynamic",
            "price = dynamic()",
            "price = dynamic(=)",
            "price = dynamic(a::<b>, max = \"1 USD\")",
            "price = dynamic(a, max = \"1 USD\", ttl = \"0s\")",
            "price = dynamic(a, max = \"1 USD\", ttl = \"99999999999999999999d\")",
            "price = \"1 USD\", rebate = volume",
            "price = \"1 USD\", rebate = volume()",
            "price = \"1 USD\", rebate = volume(1)",
            "price = \"1 USD\", rebate = volume(\"30d\")",
            "price = \"1 USD\", rebate = volume(\"\u{20AC}\", 1 => \"x0\")",
            "price = \"1 USD\", rebate = volume(\"1d\", 0 => \"x0.5\")",
            "price = \"1 USD\", free = \"\"",
            "price = \"1 USD\", free = \"\u{20AC}/day per \u{20AC}\"",
            "price = \"1 USD\", free = \"+1/day per payer\"",
            "price = \"1 USD\", plans = [prepaid]",
            "price = \"1 USD\", plans = [prepaid()]",
            "price = \"1 USD\", plans = [,]",
            "price = \"1 USD\", plans = [prepaid(\"1 USD\", path = \"\u{20AC}\")]",
            "price = \"1 USD\", probe = 1",
        ]
        .into_iter()
        .for_each(is_an_error);
    }

    #[test]
    fn strange_announcements_are_errors() {
        [
            "price = \"1 USD\", deprecated = since",
            "price = \"1 USD\", scheduled = [,]",
            "price = \"1 USD\", scheduled = [price]",
            "price = \"1 USD\", scheduled = [price()]",
            "price = \"1 USD\", scheduled = [price(price(), from = \"2027-01-15\")]",
            "price = \"1 USD\", scheduled = [price(tiers(), from = \"2027-01-15\")]",
            "price = \"1 USD\", scheduled = [price(\"2 USD\", from = \"\u{20AC}\")]",
            "price = \"1 USD\", scheduled = [price(\"\u{20AC}\", from = \"2027-01-15\")]",
            "price = \"1 USD\", scheduled = [price(\"2 USD\", from = \"2027-01-15\", reason = \"\\n\")]",
            "price = \"1 USD\", deprecated = since[\"2026-12-01\"]",
            "price = \"1 USD\", deprecated = since(\"\u{20AC}\")",
            "price = \"1 USD\", deprecated = since(\"2026-12-01\u{20AC}\")",
            "price = \"1 USD\", deprecated = since(\"2026-12-01\", replacement = \"\u{20AC}\")",
            "price = \"1 USD\", deprecated = since(,)",
        ]
        .into_iter()
        .for_each(is_an_error);
    }

    #[test]
    fn strange_items_are_errors() {
        for item in [
            "",
            ";",
            "fn",
            "fn f",
            "async fn f",
            "pub",
            "#[a]",
            "async fn f()",
            "async fn f() -> ;",
            "!",
            "{}",
            "r#fn f() {}",
        ] {
            let tokens = item.parse().expect("tokens");
            let arguments = "price = \"1 USD\"".parse().expect("tokens");
            let expanded = paid(arguments, &tokens).to_string();
            assert!(expanded.contains("compile_error"), "{item}");
        }
    }
}
