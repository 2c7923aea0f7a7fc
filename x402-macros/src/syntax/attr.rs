//! The arguments of `#[paid(…)]`: a route, then `key = value` entries, each kept with its place.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::{LitStr, Path};

use super::keys::{Key, Word};
use super::lifecycle::{self, RawDeprecation, RawScheduled};
use super::price::offers::{self, RawPlan};
use super::price::table::{self, RawVolume};
use super::price::{self, RawPrice};
pub(crate) use super::route::RawRoute;
pub(crate) use super::values::Duration;
use super::{parts, route, values};
use crate::diag::Diagnostics;

/// Everything written in one `#[paid(…)]`.
#[derive(Debug, Default)]
pub(crate) struct RawAttr {
    pub(crate) route: Slot<RawRoute>,
    pub(crate) price: Slot<RawPrice>,
    pub(crate) rebate: Slot<RawVolume>,
    pub(crate) free: Slot<LitStr>,
    pub(crate) plans: Slot<Vec<RawPlan>>,
    pub(crate) probe: Slot<LitStr>,
    pub(crate) id: Slot<LitStr>,
    pub(crate) summary: Slot<LitStr>,
    pub(crate) description: Slot<LitStr>,
    pub(crate) tags: Slot<Vec<LitStr>>,
    pub(crate) mime_type: Slot<LitStr>,
    pub(crate) timeout: Slot<Duration>,
    pub(crate) pay_to: Slot<LitStr>,
    pub(crate) rails: Slot<Vec<LitStr>>,
    pub(crate) payment_ids: Slot<LitStr>,
    pub(crate) scheduled: Slot<Vec<RawScheduled>>,
    pub(crate) deprecated: Slot<RawDeprecation>,
    pub(crate) krate: Slot<Path>,
}

/// A value that is written at most once.
///
/// A value that was given but could not be read counts as given: it is reported once, and not again as missing.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    given: Option<Span>,
    value: Option<T>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        let (given, value) = (None, None);
        Self { given, value }
    }
}

impl<T> Slot<T> {
    /// The value, if it was given and could be read.
    pub(crate) const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// Whether anything was written, readable or not.
    pub(crate) const fn is_given(&self) -> bool {
        self.given.is_some()
    }

    /// Where the key stands.
    pub(crate) fn span(&self) -> Span {
        self.given.unwrap_or_else(Span::call_site)
    }

    fn fill(&mut self, what: &str, at: Span, value: Option<T>, diagnostics: &mut Diagnostics) {
        if self.given.is_some() {
            diagnostics
                .error(at, format!("{what} is given twice"))
                .help("keep one of them");
            return;
        }
        self.given = Some(at);
        self.value = value;
    }
}

/// Reads the arguments; what can't be read is reported and left out.
pub(crate) fn parse(arguments: TokenStream, diagnostics: &mut Diagnostics) -> RawAttr {
    let mut attr = RawAttr::default();
    for (place, part) in parts::split(arguments, diagnostics).iter().enumerate() {
        attr.read(place, part, diagnostics);
    }
    attr
}

impl RawAttr {
    fn read(&mut self, place: usize, part: &[TokenTree], diagnostics: &mut Diagnostics) {
        match part {
            [TokenTree::Ident(word), after @ ..] if is_route(word, after) => {
                let route = route::read(word, after, diagnostics);
                if place > 0 && !self.route.is_given() {
                    diagnostics
                        .error(word.span(), "the route is written first")
                        .help(format!("begin with it: `#[paid({word} \"/…\", …)]`"));
                }
                self.route
                    .fill("the route", word.span(), route, diagnostics);
            }
            [TokenTree::Ident(word), TokenTree::Punct(equals), value @ ..]
                if parts::is_punct(equals, '=') =>
            {
                match Key::read(word, diagnostics) {
                    Word::Key(key) => self.entry(key, word, equals.span(), value, diagnostics),
                    Word::Slip(key) => self.mark_given(key, word.span()),
                    Word::Unknown => {}
                }
            }
            [TokenTree::Ident(word), after @ ..] => self.malformed(word, after, diagnostics),
            [TokenTree::Literal(path), ..] if place == 0 => {
                self.route.given = Some(path.span());
                diagnostics
                    .error(path.span(), "the route lacks a method")
                    .help(format!("write `GET {path}`"));
            }
            other => {
                diagnostics
                    .error_over(parts::collect(other), "expected `key = value`")
                    .help(format!("for example `{}`", Key::Price.example()));
            }
        }
    }

    /// A key without `= value`.
    fn malformed(&mut self, word: &Ident, after: &[TokenTree], diagnostics: &mut Diagnostics) {
        let key = match Key::read(word, diagnostics) {
            Word::Key(key) => key,
            Word::Slip(key) => return self.mark_given(key, word.span()),
            Word::Unknown => return,
        };
        self.mark_given(key, word.span());
        let name = key.name();
        let message = if after.is_empty() {
            format!("`{name}` lacks a value")
        } else {
            format!("expected `=` after `{name}`")
        };
        let at = after.first().map_or_else(|| word.span(), TokenTree::span);
        diagnostics
            .error(at, message)
            .help(format!("write `{}`", key.example()));
    }

    fn entry(
        &mut self,
        key: Key,
        word: &Ident,
        equals: Span,
        value: &[TokenTree],
        diagnostics: &mut Diagnostics,
    ) {
        let what = format!("`{}`", key.name());
        let at = word.span();
        if value.is_empty() {
            self.mark_given(key, word.span());
            diagnostics
                .error(equals, format!("{what} lacks a value"))
                .help(format!("write `{}`", key.example()));
            return;
        }
        let d = diagnostics;
        match key {
            Key::Tags => self.tags.fill(&what, at, values::strings(key, value, d), d),
            Key::Rails => self
                .rails
                .fill(&what, at, values::strings(key, value, d), d),
            Key::Timeout => self.timeout.fill(&what, at, values::duration(value, d), d),
            Key::Crate => self.krate.fill(&what, at, values::path(value, d), d),
            Key::Price => self.price.fill(&what, at, price::price(value, d), d),
            Key::Rebate => self.rebate.fill(&what, at, table::volume(value, d), d),
            Key::Plans => self.plans.fill(&what, at, offers::plans(value, d), d),
            Key::Free => self.free.fill(&what, at, values::string(key, value, d), d),
            Key::Probe => self.probe.fill(&what, at, values::string(key, value, d), d),
            Key::Id => self.id.fill(&what, at, values::string(key, value, d), d),
            Key::Summary => self
                .summary
                .fill(&what, at, values::string(key, value, d), d),
            Key::Description => self
                .description
                .fill(&what, at, values::string(key, value, d), d),
            Key::MimeType => self
                .mime_type
                .fill(&what, at, values::string(key, value, d), d),
            Key::PayTo => self
                .pay_to
                .fill(&what, at, values::string(key, value, d), d),
            Key::PaymentIds => self
                .payment_ids
                .fill(&what, at, values::string(key, value, d), d),
            Key::Scheduled => self
                .scheduled
                .fill(&what, at, lifecycle::scheduled(value, d), d),
            Key::Deprecated => self
                .deprecated
                .fill(&what, at, lifecycle::deprecated(value, d), d),
        }
    }

    fn mark_given(&mut self, key: Key, at: Span) {
        let given = match key {
            Key::Price => &mut self.price.given,
            Key::Rebate => &mut self.rebate.given,
            Key::Free => &mut self.free.given,
            Key::Plans => &mut self.plans.given,
            Key::Probe => &mut self.probe.given,
            Key::Id => &mut self.id.given,
            Key::Summary => &mut self.summary.given,
            Key::Description => &mut self.description.given,
            Key::Tags => &mut self.tags.given,
            Key::MimeType => &mut self.mime_type.given,
            Key::Timeout => &mut self.timeout.given,
            Key::PayTo => &mut self.pay_to.given,
            Key::Rails => &mut self.rails.given,
            Key::PaymentIds => &mut self.payment_ids.given,
            Key::Scheduled => &mut self.scheduled.given,
            Key::Deprecated => &mut self.deprecated.given,
            Key::Crate => &mut self.krate.given,
        };
        given.get_or_insert(at);
    }
}

/// Whether a part that begins with a word is meant as a route: a method in any case, or a strange word before a path.
fn is_route(word: &Ident, after: &[TokenTree]) -> bool {
    let path_follows =
        matches!(after.first(), Some(TokenTree::Literal(l)) if l.to_string().starts_with("\"/"));
    route::is_method_word(word) || (Key::peek(word).is_none() && path_follows)
}
