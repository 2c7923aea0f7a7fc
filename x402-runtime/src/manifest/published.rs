//! The manifest as it is served: canonical bytes, their hash, and the routes that show them.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use serde_json::{Value, json};
use x402_model::manifest::{Document, Manifest, ManifestError, canonical};

/// For how long others may keep it.
const FRESH: HeaderValue = HeaderValue::from_static("public, max-age=300");
const ANYBODY: HeaderValue = HeaderValue::from_static("*");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A manifest that is published: checked, hashed, and in the bytes in which it is served.
///
/// The bytes are canonical JSON (RFC 8785), so equal manifests are equal files.
#[derive(Debug, Clone)]
pub struct Published {
    document: Document,
    bytes: Bytes,
    hash: String,
}

impl Published {
    /// Checks and hashes a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] when it breaks a rule of the format, or is longer than readers take.
    pub(crate) fn new(manifest: &Manifest) -> Result<Self, ManifestError> {
        let wrong = |error: serde_json::Error| ManifestError::Shape {
            reason: error.to_string(),
        };
        let mut value = serde_json::to_value(manifest).map_err(wrong)?;
        let hash = Document::from_value(value.clone())?.content_hash_text();
        if let Value::Object(members) = &mut value {
            let integrity = json!({ "canonicalization": "RFC8785", "contentHash": hash });
            members.insert("integrity".to_owned(), integrity);
        }
        let bytes = Bytes::from(canonical(&value));
        // Read as others do, with the limits that they have.
        let document = Document::read(&bytes)?;
        Ok(Self {
            document,
            bytes,
            hash,
        })
    }

    /// The manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        self.document.manifest()
    }

    /// Its canonical JSON.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Its content hash: `sha-256:` and 64 hex digits.
    #[must_use]
    pub fn content_hash(&self) -> &str {
        &self.hash
    }

    /// The route that shows it.
    pub(crate) fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let file = File {
            kind: JSON,
            etag: HeaderValue::try_from(format!("\"{}\"", self.hash)).ok(),
            bytes: self.bytes.clone(),
        };
        let show = move |request: Request| std::future::ready(file.answer(request.headers()));
        Router::new().route(x402_model::manifest::WELL_KNOWN_PATH, get(show))
    }
}

/// Something that never changes while the process lives.
#[derive(Debug, Clone)]
struct File {
    kind: HeaderValue,
    etag: Option<HeaderValue>,
    bytes: Bytes,
}

impl File {
    fn answer(&self, asked: &HeaderMap) -> Response {
        let known = asked
            .get(IF_NONE_MATCH)
            .and_then(|known| known.to_str().ok());
        let known = known.unwrap_or_default();
        let mine = self.etag.as_ref().and_then(|etag| etag.to_str().ok());
        let same = mine.is_some_and(|mine| {
            known == "*"
                || known
                    .split(',')
                    .any(|one| one.trim().trim_start_matches("W/") == mine)
        });
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
        if let Some(etag) = &self.etag {
            set(ETAG, etag);
        }
        response
    }
}
