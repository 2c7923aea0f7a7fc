//! A paid function before and after validation. Only validation makes the second from the first.

use std::borrow::Cow;

use proc_macro2::{Group, Ident, Span};
use syn::{Attribute, FnArg, Path, ReturnType, Type, Visibility};
use x402_model::endpoint::{Method, PaymentIds};
use x402_model::price::{Allowance, PlanKind, PriceModel};

use crate::diag::Diagnostics;
use crate::paths::Runtime;
use crate::syntax::attr::RawAttr;
use crate::syntax::item::PaidItem;
use crate::validate;

/// What was written: attribute and item, each part with its place.
#[derive(Debug)]
pub(crate) struct PaidFn {
    pub(crate) attr: RawAttr,
    pub(crate) item: PaidItem,
}

/// What validation made of it.
pub(crate) enum Validated {
    /// Everything is right.
    Whole(Box<ValidPaidFn>),
    /// The function is fit to be a handler, what the attribute says is not.
    SignatureOnly(Handler, Runtime),
    /// The function can't be a handler.
    Neither(PaidItem),
}

impl PaidFn {
    /// Checks every rule, reporting all that are broken.
    pub(crate) fn validate(mut self, diagnostics: &mut Diagnostics) -> Validated {
        let before = diagnostics.count();
        validate::attributes::check_only_one_paid(&mut self.item.attrs, diagnostics);
        let runtime = Runtime::new(self.attr.krate.get());
        let spec = validate::spec(&self, diagnostics);
        let handler = validate::handler(&self.item, diagnostics);
        match (spec, handler) {
            (Some(spec), Some(handler)) if diagnostics.count() == before => {
                let seal = Seal(());
                Validated::Whole(Box::new(ValidPaidFn {
                    spec,
                    handler,
                    runtime,
                    seal,
                }))
            }
            (_, Some(handler)) => Validated::SignatureOnly(handler, runtime),
            (_, None) => Validated::Neither(self.item),
        }
    }
}

/// A paid function all of whose rules hold.
#[derive(Debug)]
pub(crate) struct ValidPaidFn {
    pub(crate) spec: Spec,
    pub(crate) handler: Handler,
    pub(crate) runtime: Runtime,
    #[expect(dead_code, reason = "keeps the struct from being built elsewhere")]
    seal: Seal,
}

#[derive(Debug)]
struct Seal(());

/// What the attribute and the doc comment say about the endpoint.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) id: String,
    pub(crate) route: Option<Route>,
    pub(crate) price: Priced,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) mime_type: String,
    pub(crate) timeout_seconds: u64,
    pub(crate) pay_to: Option<String>,
    pub(crate) rails: Vec<String>,
    pub(crate) payment_ids: Option<PaymentIds>,
    pub(crate) lifecycle: Lifecycle,
}

/// What will change.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    pub(crate) deprecation: Option<ValidDeprecation>,
}

/// Since when the endpoint should no longer be used, and until when it can be, in Unix seconds.
#[derive(Debug)]
pub(crate) struct ValidDeprecation {
    pub(crate) since: u64,
    pub(crate) sunset: Option<u64>,
    pub(crate) replacement: Option<String>,
}

/// The price and what goes with it.
#[derive(Debug)]
pub(crate) struct Priced {
    pub(crate) model: PriceModel,
    pub(crate) scheduled: Vec<ValidScheduled>,
    pub(crate) probe: Option<String>,
    pub(crate) offers: Offers,
    /// What the compiler has to find in the handler's types.
    pub(crate) fields: Vec<FieldCheck>,
    pub(crate) quote: Option<Quoted>,
}

/// A price that will hold, with its times in Unix seconds.
#[derive(Debug)]
pub(crate) struct ValidScheduled {
    pub(crate) from: u64,
    pub(crate) announced: Option<u64>,
    pub(crate) price: PriceModel,
    pub(crate) reason: Option<String>,
}

/// Instead of paying by the call.
#[derive(Debug)]
pub(crate) struct Offers {
    pub(crate) allowances: Vec<Allowance>,
    pub(crate) plans: Vec<ValidPlan>,
}

/// A plan whose path lives no longer than the macro.
#[derive(Debug)]
pub(crate) struct ValidPlan {
    pub(crate) id: String,
    pub(crate) kind: PlanKind,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) present_header: Cow<'static, str>,
}

/// A field that the price looks at.
#[derive(Debug)]
pub(crate) struct FieldCheck {
    pub(crate) ty: Type,
    pub(crate) fields: Vec<Ident>,
    pub(crate) compared: Compared,
}

/// What a field is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    Text,
    Number,
    Truth,
    Length,
    Items,
}

/// The function that quotes a price, and the state that it takes.
#[derive(Debug)]
pub(crate) struct Quoted {
    pub(crate) function: Path,
    pub(crate) state: Option<Type>,
}

/// Method and path.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: String,
}

/// The function: what its callers see, and what it does.
#[derive(Debug)]
pub(crate) struct Handler {
    /// Attributes that are about the name and its callers: docs, `cfg`, lints, `deprecated`.
    pub(crate) outer_attrs: Vec<Attribute>,
    /// Attributes that are about the body, and macros such as `#[tracing::instrument]`.
    pub(crate) inner_attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) fn_span: Span,
    pub(crate) ident: Ident,
    pub(crate) args: Vec<Argument>,
    pub(crate) output: ReturnType,
    pub(crate) body: Group,
}

/// One argument.
#[derive(Debug)]
pub(crate) struct Argument {
    /// As written, with its pattern.
    pub(crate) written: FnArg,
    /// Its name in the signature that callers see.
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}
