//! Mounted handlers and the router made of them.

use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use x402_model::endpoint::{DeprecationSpec, Method};
use x402_model::extension::timestamp::http_date;

use crate::bind::Mounted;
use crate::gate::{Door, ErasedHandler, Sold};
use crate::manifest::shapes::Describe;

/// A handler and where it is mounted.
pub(super) struct Mount<S> {
    pub(super) mounted: Mounted,
    /// Asks the handler's types for their schemas.
    pub(super) describe: Describe,
    pub(super) handler: Arc<dyn ErasedHandler<S>>,
}

/// A router with every gate on its handler. The routes are known not to clash.
pub(super) fn router<S>(gates: Vec<(Sold, Arc<dyn ErasedHandler<S>>)>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    gates
        .into_iter()
        .fold(Router::new(), |router, (sold, handler)| {
            let endpoint = &sold.gate.endpoint;
            let (filter, path) = (filter(endpoint.method()), endpoint.path().to_owned());
            let notice = notice(endpoint.spec().lifecycle.deprecation);
            let sold = on(filter, Door::new(sold, handler));
            router.route(
                &path,
                match notice {
                    None => sold,
                    Some(notice) => {
                        sold.route_layer(map_response(move |mut response: Response| {
                            response.headers_mut().extend(notice.clone());
                            ready(response)
                        }))
                    }
                },
            )
        })
}

/// The headers by which every answer of an endpoint says that it is going away: `Deprecation` (RFC 9745), `Sunset` (RFC 8594).
fn notice(deprecation: Option<DeprecationSpec>) -> Option<HeaderMap> {
    let DeprecationSpec { since, sunset, .. } = deprecation?;
    let sunset = sunset.map(|seconds| (SUNSET, http_date(seconds)));
    let all = [(DEPRECATION, format!("@{since}"))]
        .into_iter()
        .chain(sunset);
    let all = all.filter_map(|(name, text)| Some((name, HeaderValue::try_from(text).ok()?)));
    Some(all.collect())
}

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

const fn filter(method: Method) -> MethodFilter {
    match method {
        // Includes HEAD, which axum answers by the GET handler.
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}
