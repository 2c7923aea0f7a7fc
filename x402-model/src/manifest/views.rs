//! The views of a price manifest: every other document about a service, made of the manifest and of nothing else.
//!
//! | view | for |
//! |---|---|
//! | [`openapi`], [`openapi_30`] | indexers, client generators |
//! | [`bazaar`], [`fit`] | the `extensions.bazaar` of a 402, which catalogues read |
//! | [`well_known`] | crawlers of `/.well-known/x402` |
//! | [`llms_txt`] | language models |
//! | [`mcp_tools`], [`mcp_server`] | MCP hosts and their registry |
//! | [`api_catalog`] | RFC 9727 |
//! | [`agent_card`] | A2A, if the service answers it |
//!
//! A view is a pure function: one manifest gives the same bytes everywhere. Texts of the seller are data in all of them; what is
//! not visible is left out, and no text can change the structure of a view.
//!
//! ```
//! use x402_model::manifest::{Document, views};
//! # let text = include_bytes!("../../tests/manifest/manifest.json");
//! let document = Document::read(text)?;
//! let all = views::all(document.manifest());
//! let openapi = all.iter().find(|view| view.path == "openapi.json").unwrap();
//! assert_eq!(openapi.content_type, "application/json");
//! assert_eq!(all, views::all(document.manifest()));
//! # Ok::<(), x402_model::manifest::ManifestError>(())
//! ```

mod agent_card;
mod api_catalog;
mod bazaar;
mod cycles;
mod fit;
pub(super) mod keyword;
pub(super) mod links;
mod llms;
mod mcp;
mod nulls;
mod openapi;
mod openapi_30;
mod operation;
mod pay;
mod sample;
mod schema;
mod text;
mod well_known;
mod widened;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Manifest, canonical, paths};
use crate::endpoint::rules::{captures, check_id};

pub use agent_card::agent_card;
pub use api_catalog::api_catalog;
pub use bazaar::bazaar;
pub use fit::{Fitted, MAX_HEADER_BYTES, Reduction, fit, header_bytes};
pub use llms::llms_txt;
pub use mcp::{mcp_server, mcp_tools};
pub use openapi::openapi;
pub use openapi_30::openapi_30;
pub use well_known::well_known;

/// One view as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The path below the origin where it is served, without the first slash; also a safe name for a file.
    pub path: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

const JSON: &str = "application/json";

/// All views of a manifest, in canonical JSON.
///
/// Documents whose place the links of the manifest give are at that place. `mcp-server.json` and `bazaar/<id>.json`
/// have no place of their own at an origin: they are for registries and 402s.
#[must_use]
pub fn all(manifest: &Manifest) -> Vec<View> {
    let json = |path: String, content_type, value: &Value| View {
        path,
        content_type,
        bytes: canonical(value).into_bytes(),
    };
    let named = |link: &str, default: &str| links::file(manifest, link, default);
    let file_of = |path: &str| path.trim_start_matches('/').to_owned();
    let mut views = vec![
        json(named("openapi", paths::OPENAPI), JSON, &openapi(manifest)),
        json(file_of(paths::OPENAPI_30), JSON, &openapi_30(manifest)),
        json(
            named("wellKnownX402", paths::WELL_KNOWN_X402),
            JSON,
            &well_known(manifest),
        ),
        json(
            named("apiCatalog", paths::API_CATALOG),
            "application/linkset+json",
            &api_catalog(manifest),
        ),
        json(
            named("mcpTools", paths::MCP_TOOLS),
            JSON,
            &mcp_tools(manifest),
        ),
        View {
            path: named("llmsTxt", paths::LLMS_TXT),
            content_type: "text/plain; charset=utf-8",
            bytes: llms_txt(manifest).into_bytes(),
        },
    ];
    let server = mcp_server(manifest);
    views.extend(server.map(|value| json("mcp-server.json".to_owned(), JSON, &value)));
    let card = agent_card(manifest);
    let place = named("agentCard", paths::AGENT_CARD);
    views.extend(card.map(|value| json(place, JSON, &value)));
    // Ids that were read are names of files; others may be anything.
    let named = manifest
        .endpoints
        .iter()
        .filter(|endpoint| check_id(&endpoint.id).is_ok());
    views.extend(named.filter_map(|endpoint| {
        let block = bazaar(manifest, &endpoint.id)?;
        Some(json(format!("bazaar/{}.json", endpoint.id), JSON, &block))
    }));
    views
}

/// Sets a member, unless there is nothing to set.
fn put<T: Serialize>(members: &mut Map<String, Value>, name: &str, value: Option<T>) {
    let value = value.and_then(|value| serde_json::to_value(value).ok());
    if let Some(value) = value {
        members.insert(name.to_owned(), value);
    }
}

/// Whether a media type is JSON.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(JSON) || essence.to_ascii_lowercase().ends_with("+json")
}

/// The signatures by which keys stand for the origin.
fn ownership_proofs(manifest: &Manifest) -> Option<Vec<&str>> {
    let signatures = manifest.integrity.as_ref()?.signatures.iter();
    let proofs: Vec<&str> = signatures
        .filter(|signature| signature.format == "eip191-origin")
        .map(|signature| signature.signature.as_str())
        .collect();
    (!proofs.is_empty()).then_some(proofs)
}

/// A path with its captures written in another way.
fn route_template(path: &str, capture: impl Fn(&str) -> String) -> String {
    let segments = path.split('/').map(|segment| {
        let name = captures(segment).next();
        name.map_or_else(|| segment.to_owned(), &capture)
    });
    segments.collect::<Vec<_>>().join("/")
}
