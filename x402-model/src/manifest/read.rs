//! From foreign bytes to a manifest, and its content hash.

use alloy_primitives::B256;
use serde::Deserialize;
use serde_json::Value;

use super::canonical::{content_hash, hash_text};
use super::check;
use super::document::Manifest;
use super::error::ManifestError;
use super::strict::{read_json, short};

/// The most bytes of a manifest that are read; the limit that crawlers use, too.
pub const MAX_BYTES: usize = 256 * 1024;

/// A manifest as it was written, with its typed view.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    value: Value,
    manifest: Manifest,
}

impl Document {
    /// Reads and checks a document of at most [`MAX_BYTES`].
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read(bytes: &[u8]) -> Result<Self, ManifestError> {
        Self::from_value(read_json(bytes, MAX_BYTES)?)
    }

    /// Reads and checks a document of any size, up to [`super::MAX_NODES`] values: for one's own files.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read_trusted_size(bytes: &[u8]) -> Result<Self, ManifestError> {
        Self::from_value(read_json(bytes, usize::MAX)?)
    }

    /// Checks a document that is a JSON value already.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn from_value(value: Value) -> Result<Self, ManifestError> {
        let version = value.get("manifestVersion").and_then(Value::as_str);
        if let Some(version) = version.filter(|version| !version.starts_with("1.")) {
            return Err(ManifestError::Version {
                version: short(version),
            });
        }
        let manifest = Manifest::deserialize(&value).map_err(|error| ManifestError::Shape {
            reason: error.to_string().chars().take(300).collect(),
        })?;
        check::manifest(&manifest)?;
        Ok(Self { value, manifest })
    }

    /// The typed view.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The document as it was written.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// The SHA-256 of the canonical document without its `integrity`.
    #[must_use]
    pub fn content_hash(&self) -> B256 {
        content_hash(&self.value).into()
    }

    /// The content hash as it is written: `sha-256:` and 64 hex digits.
    #[must_use]
    pub fn content_hash_text(&self) -> String {
        hash_text(&self.content_hash())
    }

    /// Whether the hash that the document states is its own; `None` if it states none.
    #[must_use]
    pub fn states_its_hash(&self) -> Option<bool> {
        self.manifest.integrity.as_ref()?;
        Some(self.states(&self.content_hash()))
    }

    /// Whether the document states this hash.
    pub(super) fn states(&self, hash: &B256) -> bool {
        let integrity = self.manifest.integrity.as_ref();
        integrity.is_some_and(|integrity| {
            integrity.canonicalization == "RFC8785" && integrity.content_hash == hash_text(hash)
        })
    }
}
