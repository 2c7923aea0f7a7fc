//! Rules about selectors: they look at what the route and the handler's own types have.

use proc_macro2::Ident;
use syn::{FnArg, Type};
use x402_model::endpoint::rules;
use x402_model::price::{CaseValue, Measure, Selector, Source};

use crate::diag::{Diagnostics, nearest};
use crate::model::{Compared, FieldCheck, Route};
use crate::syntax::item::PaidItem;
use crate::syntax::price::selector::RawSelector;
use crate::validate::args;

/// The function and its route, and what has still to be checked by the compiler, which knows the types.
#[derive(Debug)]
pub(super) struct Handler<'p> {
    item: &'p PaidItem,
    route: Option<&'p Route>,
    checks: Vec<FieldCheck>,
}

/// When a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    BeforeCall,
    AfterCall,
}

impl<'p> Handler<'p> {
    pub(super) const fn new(item: &'p PaidItem, route: Option<&'p Route>) -> Self {
        Self {
            item,
            route,
            checks: Vec::new(),
        }
    }

    pub(super) fn into_checks(self) -> Vec<FieldCheck> {
        self.checks
    }

    /// The selector, if what it names can be there.
    pub(super) fn selector(
        &mut self,
        raw: &RawSelector,
        when: When,
        compared: Compared,
        d: &mut Diagnostics,
    ) -> Option<Selector> {
        let before = d.count();
        let selector = &raw.selector;
        match selector.source {
            source if source.is_response() && when == When::BeforeCall => {
                d.error_over(
                    &raw.tokens,
                    "the price is asked before the call, and there is no answer yet",
                )
                .help(
                    "select a part of the request; what the answer says is metered with `upto(…)`",
                );
            }
            Source::Path => self.capture(raw, d),
            Source::Query => self.query(raw, compared),
            Source::Body if !raw.fields.is_empty() => self.body(raw, compared, d),
            _ => {}
        }
        (d.count() == before).then(|| selector.clone())
    }

    /// Rule: the route captures what is selected of the path.
    fn capture(&self, raw: &RawSelector, d: &mut Diagnostics) {
        let Some(route) = self.route else {
            return;
        };
        let name = &raw.selector.pointer;
        let captures: Vec<&str> = rules::captures(&route.path).collect();
        if captures.contains(&name.as_ref()) {
            return;
        }
        let at = raw.fields.last().map_or(raw.at, Ident::span);
        let near = nearest(name, captures.iter().copied());
        let error = d.error(at, format!("`{}` does not capture `{name}`", route.path));
        match near {
            Some(near) => error.help(format!("did you mean `path.{near}`?")),
            None if captures.is_empty() => {
                error.help(format!("name it in braces, as in `{{{name}}}`"))
            }
            None => error.help(format!("it captures `{}`", captures.join("`, `"))),
        };
    }

    /// Rule: a query field is one of the `Query` argument, if there is one whose fields are known.
    fn query(&mut self, raw: &RawSelector, compared: Compared) {
        let query = self.arguments().find(|(name, _)| name == "Query");
        if let Some((_, inner)) = query {
            self.later(raw, inner, compared);
        }
    }

    /// Rule: a field of the body is one of the type inside `Json`.
    fn body(&mut self, raw: &RawSelector, compared: Compared, d: &mut Diagnostics) {
        let pointer = &raw.selector.pointer;
        let last = self.arguments().last();
        match last {
            Some((name, inner @ Some(_))) if name == "Json" => {
                self.later(raw, inner, compared);
            }
            Some((name, _))
                if ["Form", "RawForm", "Multipart"]
                    .iter()
                    .any(|form| name == form) =>
            {
                d.error_over(&raw.tokens, format!("a `{name}` body has no fields that a price can select"))
                    .help("prices look into JSON bodies: take `Json<…>`, or select a query parameter or a header");
            }
            _ => {
                d.error_over(
                    &raw.tokens,
                    "no argument says what the fields of the body are",
                )
                .help("take the body as `Json<…>`, the last argument")
                .help(format!(
                    "a place that is held against no type is written `body(\"{pointer}\")`"
                ));
            }
        }
    }

    fn later(&mut self, raw: &RawSelector, inner: Option<Type>, compared: Compared) {
        let Some(ty) = inner.filter(has_fields) else {
            return;
        };
        if !raw.fields.is_empty() {
            self.checks.push(FieldCheck {
                ty,
                fields: raw.fields.clone(),
                compared: counted(&raw.selector, compared),
            });
        }
    }

    /// The last name of each argument's type, and what stands in its angle brackets.
    fn arguments(&self) -> impl Iterator<Item = (Ident, Option<Type>)> {
        self.item.sig.inputs.iter().filter_map(|arg| match arg {
            FnArg::Typed(typed) => args::outer_and_inner(&typed.ty),
            FnArg::Receiver(_) => None,
        })
    }
}

/// What a field has to be to be counted or compared.
const fn counted(selector: &Selector, compared: Compared) -> Compared {
    match selector.measure {
        Measure::Bytes | Measure::Chars => Compared::Length,
        Measure::Items => Compared::Items,
        _ => compared,
    }
}

/// Maps and trees have no fields that the compiler knows.
fn has_fields(ty: &Type) -> bool {
    const NO_FIELDS: [&str; 7] = [
        "Value", "HashMap", "BTreeMap", "IndexMap", "Map", "Vec", "RawValue",
    ];
    args::outer_and_inner(ty).is_some_and(|(name, _)| !NO_FIELDS.iter().any(|known| name == known))
}

/// What the cases of a dimension are compared with.
pub(super) const fn of_case(value: &CaseValue) -> Compared {
    match value {
        CaseValue::Text(_) => Compared::Text,
        CaseValue::Integer(_) => Compared::Number,
        CaseValue::Bool(_) => Compared::Truth,
    }
}
