//! Rules about ids, texts, tags, media types, windows, addresses and rails; all of them are `x402_model`'s.

use std::ops::Range;

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::{LitStr, ReturnType, Type};
use x402_model::endpoint::{PaymentIds, RuleError, rules};

use super::price::Rail;
use crate::diag::{Diagnostics, nearest};
use crate::syntax::attr::{Duration, RawAttr};
use crate::syntax::item::PaidItem;
use crate::text::DocText;

/// Rule: the id is one word that survives in URLs, file names and generated code. Default: the function's name.
pub(super) fn check_id(attr: &RawAttr, item: &PaidItem, d: &mut Diagnostics) -> Option<String> {
    if let Some(id) = attr.id.get() {
        return checked(id, rules::check_id, d);
    }
    let id = item.sig.ident.unraw().to_string();
    if let Err(error) = rules::check_id(&id) {
        let message = format!("the function's name cannot be the id: {}", error.message);
        d.error(item.sig.ident.span(), message)
            .help("give one, as in `id = \"weather\"`");
        return None;
    }
    Some(id)
}

/// Rule: summary and description fit the directories that show them. Default: the doc comment.
pub(super) fn check_texts(
    attr: &RawAttr,
    item: &PaidItem,
    d: &mut Diagnostics,
) -> (String, String) {
    let doc = DocText::of(&item.attrs);
    let mut text = |given: Option<&LitStr>, default, check: Check| {
        given.map_or(default, |given| {
            checked(given, check, d).unwrap_or_default()
        })
    };
    (
        text(attr.summary.get(), doc.summary, rules::check_summary),
        text(
            attr.description.get(),
            doc.description,
            rules::check_description,
        ),
    )
}

/// Rule: few short tags, none twice.
pub(super) fn check_tags(attr: &RawAttr, d: &mut Diagnostics) -> Vec<String> {
    let literals = attr.tags.get().map(Vec::as_slice).unwrap_or_default();
    let before = d.count();
    for tag in literals {
        checked(tag, rules::check_tag, d);
    }
    let tags: Vec<String> = literals.iter().map(LitStr::value).collect();
    if d.count() == before {
        // Each tag is fine by itself: what is wrong now is wrong with the list up to this one.
        let all: Vec<&str> = tags.iter().map(String::as_str).collect();
        let first_wrong = (1..=all.len()).find_map(|n| {
            let error = rules::check_tags(all.get(..n)?).err()?;
            Some((literals.get(n.checked_sub(1)?)?, error))
        });
        if let Some((literal, error)) = first_wrong {
            d.error(literal.span(), error.message)
                .maybe_help(error.help);
        }
    }
    tags
}

/// Rule: a media type has type and subtype. Default: what the return type is sent as, where that is certain.
pub(super) fn check_mime_type(attr: &RawAttr, item: &PaidItem, d: &mut Diagnostics) -> String {
    match attr.mime_type.get() {
        Some(given) => checked(given, rules::check_mime_type, d).unwrap_or_default(),
        None => mime_type_of(&item.sig.output).to_owned(),
    }
}

/// The media type axum sends a return type with: texts and `Html` are not JSON.
fn mime_type_of(output: &ReturnType) -> &'static str {
    let ReturnType::Type(_, ty) = output else {
        return rules::DEFAULT_MIME_TYPE;
    };
    let mut ty = ty.as_ref();
    loop {
        match ty {
            Type::Reference(reference) => ty = &reference.elem,
            Type::Group(group) => ty = &group.elem,
            Type::Paren(paren) => ty = &paren.elem,
            Type::Path(path) => {
                let Some(last) = path.path.segments.last() else {
                    return rules::DEFAULT_MIME_TYPE;
                };
                match last.ident.to_string().as_str() {
                    "Result" => match first_type(last) {
                        Some(inner) => ty = inner,
                        None => return rules::DEFAULT_MIME_TYPE,
                    },
                    "Html" => return "text/html; charset=utf-8",
                    "String" | "str" => return "text/plain; charset=utf-8",
                    _ => return rules::DEFAULT_MIME_TYPE,
                }
            }
            _ => return rules::DEFAULT_MIME_TYPE,
        }
    }
}

fn first_type(segment: &syn::PathSegment) -> Option<&Type> {
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Rule: a payment window that facilitators accept, in whole seconds.
pub(super) fn check_timeout(attr: &RawAttr, d: &mut Diagnostics) -> Option<u64> {
    let (at, seconds) = match attr.timeout.get() {
        None => return Some(rules::DEFAULT_TIMEOUT_SECONDS),
        Some(Duration::Seconds(number)) => {
            let plain = number
                .suffix()
                .is_empty()
                .then(|| number.base10_parse::<u64>().ok());
            (number.span(), plain.flatten())
        }
        Some(Duration::Text(text)) => {
            let value = text.value();
            let digits = value.strip_suffix('s').unwrap_or_default();
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            (text.span(), plain.then(|| digits.parse().ok()).flatten())
        }
    };
    let Some(seconds) = seconds else {
        d.error(at, "`timeout` is a whole number of seconds")
            .help("write `timeout = 90` or `timeout = \"90s\"`");
        return None;
    };
    match rules::check_timeout(seconds) {
        Ok(()) => Some(seconds),
        Err(error) => {
            d.error(at, error.message).maybe_help(error.help);
            None
        }
    }
}

/// Rule: the receiving address exists and its checksum holds. Default: the paywall's.
pub(super) fn check_pay_to(attr: &RawAttr, d: &mut Diagnostics) -> Option<String> {
    checked(attr.pay_to.get()?, rules::check_pay_to, d)
}

/// Rule: one of the three settings. Default: the paywall's.
pub(super) fn check_payment_ids(attr: &RawAttr, d: &mut Diagnostics) -> Option<PaymentIds> {
    let written = attr.payment_ids.get()?;
    let text = written.value();
    let known = PaymentIds::from_name(&text);
    if known.is_none() {
        let names = PaymentIds::ALL.iter().map(|ids| ids.as_str());
        let help = match nearest(&text, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write `required`, `optional` or `off`".to_owned(),
        };
        d.error(written.span(), format!("unknown setting `{text}`"))
            .help(help);
    }
    known
}

/// Rule: every rail is `network:SYMBOL`, and none stands twice, under whatever name of its network.
pub(super) fn check_rails(attr: &RawAttr, d: &mut Diagnostics) -> (Vec<String>, Vec<Rail>) {
    let literals = attr.rails.get().map(Vec::as_slice).unwrap_or_default();
    let mut parsed: Vec<Rail> = Vec::new();
    for written in literals {
        let text = written.value();
        match rules::parse_rail(&text) {
            Ok((network, symbol)) => {
                let way = way(&text);
                let same = |other: &Rail| {
                    other.network == network
                        && other.symbol.eq_ignore_ascii_case(symbol)
                        && self::way(&other.written.value()) == way
                };
                if let Some(other) = parsed.iter().find(|other| same(other)) {
                    d.error(written.span(), format!("the rail `{text}` stands twice"))
                        .help(format!(
                            "it is the same as `{}`: remove one",
                            other.written.value()
                        ));
                }
                parsed.push(Rail {
                    written: written.clone(),
                    network,
                    symbol: symbol.to_owned(),
                });
            }
            Err(error) => report(written, error, d),
        }
    }
    if literals.is_empty() && attr.rails.get().is_some() {
        d.error(attr.rails.span(), "`rails` names no rail")
            .help("leave it out to accept every rail of the paywall");
    }
    (literals.iter().map(LitStr::value).collect(), parsed)
}

/// How the token of a rail moves, if the text says that.
fn way(rail: &str) -> Option<String> {
    let (_, way) = rail.split_once('/')?;
    Some(way.to_owned())
}

type Check = fn(&str) -> Result<(), RuleError>;

/// The text, if the rule holds.
fn checked(literal: &LitStr, check: Check, d: &mut Diagnostics) -> Option<String> {
    let text = literal.value();
    match check(&text) {
        Ok(()) => Some(text),
        Err(error) => {
            report(literal, error, d);
            None
        }
    }
}

fn report(literal: &LitStr, error: RuleError, d: &mut Diagnostics) {
    d.error(place_in(literal, &error.span), error.message)
        .maybe_help(error.help);
}

/// The place of some bytes of a literal's text, where the compiler can tell it; else of the whole literal.
pub(super) fn place_in(literal: &LitStr, bytes: &Range<usize>) -> Span {
    let token = literal.token();
    let plain = token.to_string() == format!("\"{}\"", literal.value());
    let inside = bytes.start.saturating_add(1)..bytes.end.saturating_add(1);
    (plain && !bytes.is_empty())
        .then(|| token.subspan(inside))
        .flatten()
        .unwrap_or_else(|| literal.span())
}
