//! Which documents about a paywall are served, and serving them.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_LENGTH,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use x402_model::manifest::views::{self, View};
use x402_model::manifest::{Manifest, hash_text, paths};

use crate::clock::Clock;
use crate::timeline::Timeline;

/// The extension that catalogues read.
pub(crate) const BAZAAR: &str = "bazaar";

/// For how long others may keep a document.
const FRESH: HeaderValue = HeaderValue::from_static("public, max-age=300");
const ANYBODY: HeaderValue = HeaderValue::from_static("*");
/// What a script in a browser may do with a document, ask of it, and read of its answer.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD");
const ASKING: HeaderValue = HeaderValue::from_static("If-None-Match, Cache-Control");
const EXPOSED: HeaderValue = HeaderValue::from_static("ETag");
const A_DAY: HeaderValue = HeaderValue::from_static("86400");

/// What a paywall tells of itself, besides the terms in its 402 answers.
///
/// ```
/// use x402_runtime::manifest::Discovery;
/// // Everything but OpenAPI, which this server has of its own.
/// let discovery = Discovery::all().openapi(false);
/// assert!(discovery != Discovery::all());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discovery {
    pub(crate) manifest: bool,
    pub(crate) openapi: bool,
    pub(crate) llms_txt: bool,
    pub(crate) api_catalog: bool,
    pub(crate) mcp_tools: bool,
    pub(crate) well_known_x402: bool,
    pub(crate) bazaar: bool,
}

macro_rules! switches {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub const fn $name(mut self, on: bool) -> Self {
                self.$name = on;
                self
            }
        )+
    };
}

impl Discovery {
    /// The manifest, `/openapi.json` and its 3.0 form, `/llms.txt`, `/.well-known/api-catalog`, `/mcp-tools.json`, and
    /// `extensions.bazaar` in every 402. That is what a paywall does unless it is told otherwise.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            manifest: true,
            openapi: true,
            llms_txt: true,
            api_catalog: true,
            mcp_tools: true,
            well_known_x402: false,
            bazaar: true,
        }
    }

    /// Nothing: whoever wants to pay has to know the endpoint.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            manifest: false,
            openapi: false,
            llms_txt: false,
            api_catalog: false,
            mcp_tools: false,
            well_known_x402: false,
            bazaar: false,
        }
    }

    switches! {
        /// `/.well-known/x402-manifest.json`.
        manifest,
        /// `/openapi.json` and `/openapi-3.0.json`.
        openapi,
        /// `/llms.txt`.
        llms_txt,
        /// `/.well-known/api-catalog` (RFC 9727).
        api_catalog,
        /// `/mcp-tools.json`: what an MCP server that sells the same calls answers to `tools/list`.
        mcp_tools,
        /// `/.well-known/x402`, for crawlers that look for it. Off unless it is turned on: its formats contradict each other.
        well_known_x402,
        /// `extensions.bazaar` in the 402 of each endpoint: an example call and its schema, from which crawlers and facilitators list it
        /// in their catalogues. It makes a 402 two to three times as long, and buyers send it back with their payments.
        bazaar,
    }

    /// Every document with a path of its own, and whether it is served.
    const fn documents(self) -> [(bool, &'static str); 7] {
        [
            (self.manifest, paths::MANIFEST),
            (self.openapi, paths::OPENAPI),
            (self.openapi, paths::OPENAPI_30),
            (self.llms_txt, paths::LLMS_TXT),
            (self.api_catalog, paths::API_CATALOG),
            (self.mcp_tools, paths::MCP_TOOLS),
            (self.well_known_x402, paths::WELL_KNOWN_X402),
        ]
    }

    /// The paths of what is served.
    fn served(self) -> impl Iterator<Item = &'static str> {
        let documents = self.documents().into_iter();
        documents.filter_map(|(on, path)| on.then_some(path))
    }

    /// The links of the manifest to what is served: name and path.
    pub(crate) fn links(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = paths::LINKS.into_iter();
        all.filter(move |(_, path)| self.served().any(|served| served == *path))
    }

    /// The paths of the views that are served.
    fn views(self) -> impl Iterator<Item = &'static str> {
        self.served().filter(|path| *path != paths::MANIFEST)
    }

    /// The `Link` header of every 402 (RFC 8288).
    pub(crate) fn link_header(self) -> Option<HeaderValue> {
        let relation = |path| match path {
            paths::MANIFEST => Some("service-meta"),
            paths::OPENAPI => Some("service-desc"),
            _ => None,
        };
        let links = self.served().filter_map(|path| {
            let relation = relation(path)?;
            Some(format!("<{path}>; rel=\"{relation}\""))
        });
        let links: Vec<String> = links.collect();
        (!links.is_empty())
            .then(|| HeaderValue::try_from(links.join(", ")).ok())
            .flatten()
    }
}

impl Default for Discovery {
    fn default() -> Self {
        Self::all()
    }
}

/// Something that never changes.
#[derive(Debug, Clone)]
pub(super) struct File {
    path: String,
    kind: HeaderValue,
    etag: HeaderValue,
    bytes: Bytes,
}

impl File {
    /// A file with a hash of its own.
    pub(super) fn new(path: String, kind: &'static str, hash: &str, bytes: Bytes) -> Self {
        Self {
            path,
            kind: HeaderValue::from_static(kind),
            // Hex and a dash are always a header value.
            etag: HeaderValue::try_from(format!("\"{hash}\"")).unwrap_or(ANYBODY),
            bytes,
        }
    }

    /// A view at its place.
    pub(super) fn of(view: View) -> Self {
        let hash = hash_text(&Sha256::digest(&view.bytes).into());
        Self::new(
            format!("/{}", view.path),
            view.content_type,
            &hash,
            view.bytes.into(),
        )
    }

    fn answer(&self, asked: &Request) -> Response {
        let known = asked.headers().get_all(IF_NONE_MATCH).iter();
        let mut known = known.filter_map(|known| known.to_str().ok());
        let is_mine = |one: &str| {
            one == "*" || one.trim_start_matches("W/").as_bytes() == self.etag.as_bytes()
        };
        let same = known.any(|list| list.split(',').any(|one| is_mine(one.trim())));
        let mut response = match same {
            true => Response::new(Body::empty()),
            false => Response::new(Body::from(self.bytes.clone())),
        };
        if same {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &HeaderValue| headers.insert(name, value.clone());
        set(CONTENT_TYPE, &self.kind);
        set(CACHE_CONTROL, &FRESH);
        set(ACCESS_CONTROL_ALLOW_ORIGIN, &ANYBODY);
        set(ACCESS_CONTROL_EXPOSE_HEADERS, &EXPOSED);
        set(ETAG, &self.etag);
        if same && asked.method() == Method::HEAD {
            // What GET would have: an answer to HEAD is otherwise given the length of the body that it does not have.
            headers.insert(CONTENT_LENGTH, self.bytes.len().into());
        }
        response
    }
}

/// The views of one manifest, which are made when somebody first asks for one of them: most sellers are never asked, and all
/// together they are several times as long as the manifest.
#[derive(Debug)]
struct Views {
    manifest: Arc<Manifest>,
    made: OnceLock<Vec<File>>,
}

impl Views {
    fn files(&self, discovery: Discovery) -> &[File] {
        self.made.get_or_init(|| {
            let files = views::all(&self.manifest).into_iter().map(File::of);
            let served = |file: &File| discovery.views().any(|path| path == file.path);
            files.filter(served).collect()
        })
    }
}

/// Routes that show the views of the manifest that holds.
pub(super) fn views_on_demand<S: Clone + Send + Sync + 'static>(
    manifests: &Timeline<Arc<Manifest>>,
    discovery: Discovery,
    clock: &Arc<dyn Clock>,
) -> Router<S> {
    let line = Arc::new(manifests.map(|manifest| Views {
        manifest: Arc::clone(manifest),
        made: OnceLock::new(),
    }));
    discovery.views().fold(Router::new(), |router, path| {
        let (line, clock) = (Arc::clone(&line), Arc::clone(clock));
        let show = move |request: Request| {
            let files = line.at(clock.now_ms()).files(discovery);
            let file = files.iter().find(|file| file.path == path);
            std::future::ready(file.map_or_else(
                || StatusCode::NOT_FOUND.into_response(),
                |file| file.answer(&request),
            ))
        };
        router.route(path, readable(get(show)))
    })
}

/// The route that shows the file that holds.
pub(super) fn file_route<S: Clone + Send + Sync + 'static>(
    path: &str,
    files: Timeline<File>,
    clock: &Arc<dyn Clock>,
) -> Router<S> {
    let (files, clock) = (Arc::new(files), Arc::clone(clock));
    let show = move |request: Request| {
        let file = files.at(clock.now_ms());
        std::future::ready(file.answer(&request))
    };
    Router::new().route(path, readable(get(show)))
}

/// Also for scripts in browsers that ask whether a document has changed, which they must ask for first.
fn readable<S: Clone + Send + Sync + 'static>(route: MethodRouter<S>) -> MethodRouter<S> {
    let allowed = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY),
        (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (ACCESS_CONTROL_ALLOW_HEADERS, ASKING),
        (ACCESS_CONTROL_MAX_AGE, A_DAY),
    ];
    route.options(move || std::future::ready((StatusCode::NO_CONTENT, allowed)))
}
