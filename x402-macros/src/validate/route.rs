//! Rules about the route.

use syn::LitStr;
use x402_model::endpoint::{Method, rules};

use super::texts::place_in;
use crate::diag::{Diagnostics, nearest};
use crate::model::Route;
use crate::syntax::attr::{RawAttr, RawRoute};

/// Rule: the method can be sold and the path is one of axum 0.8.
pub(super) fn check_route(attr: &RawAttr, d: &mut Diagnostics) -> Option<Route> {
    let RawRoute { method, path } = attr.route.get()?;
    let checked = check_method(method, path, d);
    let written = path.value();
    if let Err(error) = rules::check_path(&written) {
        d.error(place_in(path, &error.span), error.message)
            .maybe_help(error.help);
        return None;
    }
    Some(Route {
        method: checked?,
        path: written,
    })
}

/// The route, if it is right; nothing is reported.
pub(super) fn peek(attr: &RawAttr) -> Option<Route> {
    let RawRoute { method, path } = attr.route.get()?;
    let path = path.value();
    rules::check_path(&path).ok()?;
    Some(Route {
        method: Method::from_name(&method.to_string())?,
        path,
    })
}

fn check_method(method: &syn::Ident, path: &LitStr, d: &mut Diagnostics) -> Option<Method> {
    let word = method.to_string();
    if let Some(method) = Method::from_name(&word) {
        return Some(method);
    }
    let upper = word.to_ascii_uppercase();
    let path = path.token();
    if Method::from_name(&upper).is_some() {
        d.error(
            method.span(),
            format!("methods are written in capitals: `{upper}`"),
        )
        .help(format!("write `{upper} {path}`"));
        return None;
    }
    let reason = match upper.as_str() {
        "HEAD" => "its answer has no body to pay for, and `GET` endpoints answer it already",
        "OPTIONS" => "browsers send it by themselves before a request, and cannot pay",
        "TRACE" => "it sends back the request, payment included",
        "CONNECT" => "it opens a tunnel and has no answer to pay for",
        _ => {
            let names = || Method::ALL.iter().map(|method| method.as_str());
            let near = nearest(&word, names()).map(|near| format!("did you mean `{near}`?"));
            let all = names().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            d.error(method.span(), format!("unknown method `{word}`"))
                .maybe_help(near)
                .help(format!("the methods are {}", all.join(", ")));
            return None;
        }
    };
    d.error(method.span(), format!("`{upper}` cannot be sold: {reason}"));
    None
}
