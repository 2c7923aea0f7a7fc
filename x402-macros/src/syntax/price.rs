//! Reads what stands after `price =`, `rebate =` and `plans =`: a string, or a word with its arguments in parentheses.

pub(crate) mod offers;
pub(crate) mod selector;
pub(crate) mod table;
mod words;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::{LitStr, Path};

use super::keys::Key;
use super::parts::{self, collect};
use super::values;
use crate::diag::{Diagnostics, nearest};
use selector::RawSelector;
use table::RawTiers;
pub(crate) use words::Words;

/// A price as written.
#[derive(Debug)]
pub(crate) enum RawPrice {
    Flat(LitStr),
    Tiers(RawTiers),
    Upto(RawUpto),
    Dynamic(Box<RawDynamic>),
}

/// `upto("0.02 USDC", units(…), …)`.
#[derive(Debug)]
pub(crate) struct RawUpto {
    pub(crate) at: Span,
    pub(crate) max: Option<LitStr>,
    pub(crate) base: Option<LitStr>,
    pub(crate) headroom: Option<LitStr>,
    pub(crate) down: bool,
    pub(crate) units: Vec<RawUnit>,
}

/// `tokens = "0.000002 USDC"` or `tokens = unit("0.002 USDC", per = 1_000, …)`.
#[derive(Debug)]
pub(crate) struct RawUnit {
    pub(crate) id: Ident,
    pub(crate) amount: LitStr,
    pub(crate) per: u64,
    pub(crate) meter: Option<RawSelector>,
    pub(crate) estimate: Option<RawSelector>,
}

/// `dynamic(quote, max = "0.10 USDC", …)`.
#[derive(Debug)]
pub(crate) struct RawDynamic {
    pub(crate) quote: Path,
    pub(crate) max: LitStr,
    pub(crate) min: Option<LitStr>,
    pub(crate) state: Option<syn::Type>,
    pub(crate) ttl: Option<LitStr>,
    pub(crate) factors: Vec<LitStr>,
}

/// The words that begin a price.
const MODELS: [&str; 3] = ["tiers", "upto", "dynamic"];

/// Words of other frameworks and other spellings.
fn instead_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "tiered" | "tier" | "table" | "match" | "by" => "tiers",
        "usage" | "metered" | "up_to" | "meter" | "units" => "upto",
        "quote" | "quoted" | "func" => "dynamic",
        _ => return None,
    })
}

/// A price: a string, or one of the words with arguments.
pub(crate) fn price(value: &[TokenTree], d: &mut Diagnostics) -> Option<RawPrice> {
    let [TokenTree::Ident(word), TokenTree::Group(group), rest @ ..] = value else {
        return values::string(Key::Price, value, d).map(RawPrice::Flat);
    };
    if group.delimiter() != Delimiter::Parenthesis {
        return values::string(Key::Price, value, d).map(RawPrice::Flat);
    }
    parts::report_rest(rest, "the value of `price`", d);
    let name = word.to_string();
    match name.as_str() {
        "tiers" => table::tiers(word, group, d).map(RawPrice::Tiers),
        "upto" => upto(word, group, d).map(RawPrice::Upto),
        "dynamic" => dynamic(word, group, d).map(|dynamic| RawPrice::Dynamic(Box::new(dynamic))),
        _ => {
            let near = instead_of(&name).or_else(|| nearest(&name, MODELS));
            d.error(word.span(), format!("unknown kind of price `{name}`"))
                .maybe_help(near.map(|near| format!("did you mean `{near}(…)`?")))
                .help(
                    "a price is a string such as `\"0.01 USDC\"`, or `tiers(…)`, `upto(…)` or `dynamic(…)`",
                );
            None
        }
    }
}

/// The name and arguments of `word(…)`.
pub(crate) fn call(tokens: &[TokenTree]) -> Option<(&Ident, &Group, &[TokenTree])> {
    match tokens {
        [TokenTree::Ident(word), TokenTree::Group(group), rest @ ..]
            if group.delimiter() == Delimiter::Parenthesis =>
        {
            Some((word, group, rest))
        }
        _ => None,
    }
}

fn upto(word: &Ident, group: &Group, d: &mut Diagnostics) -> Option<RawUpto> {
    const EXAMPLE: &str = r#"upto("0.02 USDC", units(tokens = "0.000002 USDC"))"#;
    let before = d.count();
    let mut words = Words::new("upto", EXAMPLE);
    let mut upto = RawUpto {
        at: word.span(),
        max: None,
        base: None,
        headroom: None,
        down: false,
        units: Vec::new(),
    };
    let mut units_given = false;
    for (place, part) in parts::split(group.stream(), d).iter().enumerate() {
        if let Some((name, inner, rest)) = call(part)
            && name == "units"
        {
            words.given(name, d);
            parts::report_rest(rest, "`units(…)`", d);
            units_given = true;
            upto.units = units(inner, d);
            continue;
        }
        if place == 0
            && let [TokenTree::Literal(_)] = part.as_slice()
        {
            upto.max = words.string("max", part, d);
            continue;
        }
        let Some((key, value)) = words.entry(part, &["max", "base", "headroom", "rounding"], d)
        else {
            continue;
        };
        match key.as_str() {
            "max" => upto.max = words.string("max", value, d),
            "base" => upto.base = words.string("base", value, d),
            "headroom" => upto.headroom = words.string("headroom", value, d),
            _ => upto.down = rounding(value, d),
        }
    }
    if d.count() == before && upto.max.is_none() {
        no_max(word, EXAMPLE, d);
    }
    if d.count() == before && !units_given {
        d.error(word.span(), "`upto` meters nothing")
            .help(format!("say what is metered: `{EXAMPLE}`"))
            .help("a price that does not depend on the answer is written as a string");
    }
    (d.count() == before).then_some(upto)
}

/// Why there is no price without a maximum.
fn no_max(word: &Ident, example: &str, d: &mut Diagnostics) {
    d.error(
        word.span(),
        format!("`{word}` needs the most that a call can cost: `max = \"…\"`"),
    )
    .help("buyers decide by it whether to call at all, and no call is ever charged more")
    .help(format!("for example `{example}`"));
}

fn rounding(value: &[TokenTree], d: &mut Diagnostics) -> bool {
    match value {
        [TokenTree::Ident(word)] if word == "down" => true,
        [TokenTree::Ident(word)] if word == "up" => false,
        _ => {
            d.error_over(collect(value), "`rounding` is `up` or `down`")
                .help("it says what becomes of a metered sum that is no whole count of a token's smallest unit");
            false
        }
    }
}

fn units(group: &Group, d: &mut Diagnostics) -> Vec<RawUnit> {
    let parts = parts::split(group.stream(), d);
    if parts.is_empty() {
        d.error(group.span(), "`units` is empty")
            .help("name what is metered and its price: `units(tokens = \"0.000002 USDC\")`");
    }
    parts.iter().filter_map(|part| unit(part, d)).collect()
}

fn unit(part: &[TokenTree], d: &mut Diagnostics) -> Option<RawUnit> {
    const EXAMPLE: &str =
        r#"tokens = unit("0.002 USDC", per = 1_000, meter = answer.usage.tokens)"#;
    let [TokenTree::Ident(id), TokenTree::Punct(equals), value @ ..] = part else {
        d.error_over(collect(part), "a metered unit is a name, `=` and its price")
            .help(format!("for example `{EXAMPLE}`"));
        return None;
    };
    if !parts::is_punct(equals, '=') {
        d.error(equals.span(), format!("expected `=` after `{id}`"))
            .help(format!("for example `{EXAMPLE}`"));
        return None;
    }
    let mut words = Words::new("unit", EXAMPLE);
    let Some((name, group, rest)) = call(value).filter(|(name, ..)| *name == "unit") else {
        let amount = words.string("units", value, d)?;
        return Some(RawUnit {
            id: id.clone(),
            amount,
            per: 1,
            meter: None,
            estimate: None,
        });
    };
    parts::report_rest(rest, "`unit(…)`", d);
    let (mut amount, mut per, mut meter, mut estimate) = (None, None, None, None);
    let before = d.count();
    for (place, part) in parts::split(group.stream(), d).iter().enumerate() {
        if place == 0
            && let [TokenTree::Literal(_)] = part.as_slice()
        {
            amount = words.string("unit", part, d);
            continue;
        }
        let Some((key, value)) = words.entry(part, &["per", "meter", "estimate"], d) else {
            continue;
        };
        match key.as_str() {
            "per" => per = words.number("per", value, d),
            "meter" => meter = selector::read(value, d),
            _ => estimate = selector::read(value, d),
        }
    }
    if d.count() == before && (amount.is_none() || per.is_none()) {
        let lacks = if amount.is_none() { "a price" } else { "`per`" };
        d.error(name.span(), format!("this unit lacks {lacks}"))
            .help("a unit is priced by so many of it: `per = 1_000` means that a thousand cost that much")
            .help(format!("for example `{EXAMPLE}`"));
    }
    Some(RawUnit {
        id: id.clone(),
        amount: amount?,
        per: per?,
        meter,
        estimate,
    })
}

fn dynamic(word: &Ident, group: &Group, d: &mut Diagnostics) -> Option<RawDynamic> {
    const EXAMPLE: &str = r#"dynamic(quote, max = "0.10 USDC")"#;
    let before = d.count();
    let mut words = Words::new("dynamic", EXAMPLE);
    let (mut max, mut min, mut state, mut ttl, mut factors) = (None, None, None, None, Vec::new());
    let parts = parts::split(group.stream(), d);
    let quote = match parts.first() {
        Some(part) if !is_entry(part) => quote_path(part, d),
        _ => {
            d.error(
                word.span(),
                "`dynamic` lacks the function that tells the price",
            )
            .help(format!("name it first: `{EXAMPLE}`"))
            .help("it is an `async fn(state, QuoteRequest) -> QuoteResult`");
            None
        }
    };
    for part in parts.iter().skip(usize::from(
        parts.first().is_some_and(|part| !is_entry(part)),
    )) {
        let Some((key, value)) = words.entry(part, &["max", "min", "state", "ttl", "factors"], d)
        else {
            continue;
        };
        match key.as_str() {
            "max" => max = words.string("max", value, d),
            "min" => min = words.string("min", value, d),
            "ttl" => ttl = words.string("ttl", value, d),
            "factors" => factors = words.strings("factors", value, d),
            _ => state = words.ty("state", value, d),
        }
    }
    if !words.is_given("max") {
        no_max(word, EXAMPLE, d);
    }
    if d.count() > before {
        return None;
    }
    Some(RawDynamic {
        quote: quote?,
        max: max?,
        min,
        state,
        ttl,
        factors,
    })
}

fn is_entry(part: &[TokenTree]) -> bool {
    matches!(part, [TokenTree::Ident(_), TokenTree::Punct(equals), ..] if parts::is_punct(equals, '='))
}

fn quote_path(part: &[TokenTree], d: &mut Diagnostics) -> Option<Path> {
    use syn::parse::Parser as _;
    let tokens: TokenStream = collect(part);
    if let Ok(path) = Path::parse_mod_style.parse2(tokens.clone()) {
        return Some(path);
    }
    d.error_over(tokens, "the quote function is named by its path")
        .help("write a function of its own, as `async fn quote(app: App, request: QuoteRequest) -> QuoteResult`, and name it here");
    None
}
