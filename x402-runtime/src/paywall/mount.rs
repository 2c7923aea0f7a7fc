//! Mounted handlers and the router made of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use x402_model::endpoint::{DeprecationSpec, Method};
use x402_model::extension::timestamp::http_date;

use crate::bind::{BoundEndpoint, Mounted, Successor};
use crate::gate::{Door, ErasedHandler, Sold, original_uri};
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
    let endpoints = gates.iter().map(|(sold, _)| Arc::clone(&sold.gate));
    let endpoints: Vec<_> = endpoints.collect();
    let endpoints: Vec<&BoundEndpoint> = endpoints.iter().map(|gate| &gate.endpoint).collect();
    gates
        .into_iter()
        .fold(Router::new(), |router, (sold, handler)| {
            let endpoint = &sold.gate.endpoint;
            let (filter, path) = (filter(endpoint.method()), endpoint.path().to_owned());
            let notice = Notice::of(endpoint, &endpoints);
            let sold = on(filter, Door::new(sold, handler));
            router.route(
                &path,
                match notice {
                    None => sold,
                    Some(notice) => sold.route_layer(from_fn_with_state(Arc::new(notice), give)),
                },
            )
        })
}

/// What every answer of an endpoint that is going away says of it.
struct Notice {
    /// `Deprecation` (RFC 9745), `Sunset` (RFC 8594).
    headers: HeaderMap,
    successor: Option<Successor>,
}

impl Notice {
    fn of(endpoint: &BoundEndpoint, all: &[&BoundEndpoint]) -> Option<Self> {
        let DeprecationSpec { since, sunset, .. } = endpoint.spec().lifecycle.deprecation?;
        let sunset = sunset.map(|seconds| (SUNSET, http_date(seconds)));
        let headers = [(DEPRECATION, format!("@{since}"))]
            .into_iter()
            .chain(sunset);
        let headers =
            headers.filter_map(|(name, text)| Some((name, HeaderValue::try_from(text).ok()?)));
        Some(Self {
            headers: headers.collect(),
            successor: Successor::of(endpoint, all),
        })
    }

    /// The link to the successor (RFC 5829), for one request.
    fn link(&self, request: &Request) -> Option<HeaderValue> {
        let (sent, seen) = (original_uri(request).path(), request.uri().path());
        let url = self.successor.as_ref()?.url(sent, seen)?;
        HeaderValue::try_from(format!("<{url}>; rel=\"successor-version\"")).ok()
    }
}

/// Adds the notice to an answer. What else the answer links to stays.
async fn give(State(notice): State<Arc<Notice>>, request: Request, next: Next) -> Response {
    let link = notice.link(&request);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.extend(notice.headers.clone());
    if let Some(link) = link {
        headers.append(LINK, link);
    }
    response
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
