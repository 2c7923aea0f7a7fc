//! The manifest as it is published: canonical bytes, their hash, and the views that are served beside it.

use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use serde_json::Value;
use x402_model::manifest::views::{self, View};
use x402_model::manifest::{
    Document, Integrity, MAX_BYTES, Manifest, ManifestError, WELL_KNOWN_PATH, canonical,
    content_hash, hash_text,
};

use super::discovery::{Discovery, File, file_route, views_on_demand};
use super::signing::Seal;
use crate::clock::Clock;
use crate::paywall::SigningMistake;
use crate::timeline::Timeline;

/// Why a manifest is not published.
#[derive(Debug)]
pub(crate) enum Unpublished {
    /// It breaks a rule of the format.
    Format(ManifestError),
    /// It is not signed as it should be.
    Signing(SigningMistake),
}

impl From<ManifestError> for Unpublished {
    fn from(error: ManifestError) -> Self {
        Self::Format(error)
    }
}

impl From<SigningMistake> for Unpublished {
    fn from(mistake: SigningMistake) -> Self {
        Self::Signing(mistake)
    }
}

/// A manifest that is published: checked, hashed, and in the bytes in which it is served.
///
/// The bytes are canonical JSON (RFC 8785), so equal manifests are equal files. Signatures are made with it, once.
#[derive(Debug, Clone)]
pub struct Published {
    manifest: Arc<Manifest>,
    bytes: Bytes,
    hash: String,
}

impl Published {
    /// Checks and hashes a manifest.
    ///
    /// # Errors
    /// [`Unpublished`] when it breaks a rule of the format, or is not signed as it should be.
    pub(crate) fn new(manifest: &Manifest, seal: &Seal) -> Result<Self, Unpublished> {
        let wrong = |error: serde_json::Error| ManifestError::Shape {
            reason: error.to_string(),
        };
        manifest.service.check()?;
        // One tree at a time: a large one takes far more memory than its bytes, and what was once taken stays with the process.
        let mut value = serde_json::to_value(manifest).map_err(wrong)?;
        let digest = content_hash(&value);
        let hash = hash_text(&digest);
        let integrity = Integrity {
            canonicalization: "RFC8785".to_owned(),
            content_hash: hash.clone(),
            signatures: seal.signatures(manifest, digest.into())?,
        };
        if let Value::Object(members) = &mut value {
            let integrity = serde_json::to_value(integrity).map_err(wrong)?;
            members.insert("integrity".to_owned(), integrity);
        }
        let bytes = Bytes::from(canonical(&value));
        let document = Document::from_value(value)?;
        Ok(Self {
            manifest: Arc::new(document.manifest().clone()),
            bytes,
            hash,
        })
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its canonical JSON.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether it is longer than most readers take.
    pub(crate) fn is_long(&self) -> bool {
        self.bytes.len() > MAX_BYTES
    }

    /// Its content hash: `sha-256:` and 64 hex digits.
    #[must_use]
    pub fn content_hash(&self) -> &str {
        &self.hash
    }

    /// Every other document that is made of it, to be written to a folder: OpenAPI, `llms.txt`, MCP tools, catalogues.
    #[must_use]
    pub fn views(&self) -> Vec<View> {
        views::all(self.manifest())
    }

    fn file(&self) -> File {
        let path = WELL_KNOWN_PATH.to_owned();
        File::new(path, "application/json", &self.hash, self.bytes.clone())
    }
}

/// The routes that show the manifest that holds, and its views.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(
    line: &Timeline<Published>,
    discovery: Discovery,
    clock: &Arc<dyn Clock>,
) -> Router<S> {
    let manifests = line.map(|one| Arc::clone(&one.manifest));
    let views = views_on_demand(&manifests, discovery, clock);
    if !discovery.manifest {
        return views;
    }
    let files = line.map(Published::file);
    views.merge(file_route(WELL_KNOWN_PATH, files, clock))
}
