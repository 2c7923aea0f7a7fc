//! Tells what a document is, and makes a client of it.

use serde_json::Value;
use x402_model::manifest::{Document, MAX_BYTES as MANIFEST_BYTES, read_json};

use crate::error::CodegenError;
use crate::lower::lower;
use crate::model::ClientModel;
use crate::openapi;

/// The most bytes of a document that are read, 16 MiB. Manifests are served with at most 256 KiB; the longest descriptions that are
/// published, such as GitHub's, have 13 to 14 MB.
pub const MAX_BYTES: usize = 64 * MANIFEST_BYTES;

/// The client of a price manifest, or of an `OpenAPI` 3 description with `x-payment-info`.
///
/// # Errors
/// [`CodegenError`].
pub fn read(bytes: &[u8]) -> Result<ClientModel, CodegenError> {
    let value = read_json(bytes, MAX_BYTES)?;
    let has = |name: &str| value.get(name).is_some_and(Value::is_string);
    if has("manifestVersion") {
        return lower(&Document::from_value(value)?);
    }
    if has("openapi") {
        return openapi::lower(&value);
    }
    Err(CodegenError::Unknown)
}
