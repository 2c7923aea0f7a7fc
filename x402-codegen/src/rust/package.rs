//! A crate around the module.

use super::render;
use crate::error::CodegenError;
use crate::model::ClientModel;
use crate::package::{SourceFile, check_name, mark};

/// The files of a crate: `Cargo.toml` and `src/lib.rs`.
///
/// Documentation examples are not run: they would be foreign text.
///
/// # Errors
/// [`CodegenError::PackageName`].
pub fn package(model: &ClientModel, name: &str) -> Result<Vec<SourceFile>, CodegenError> {
    check_name(name)?;
    let manifest = format!(
        "# {mark}\n[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
         [lib]\ndoctest = false\n\n[dependencies]\nbytes = \"1\"\nhttp = \"1\"\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n\
         x402-client = \"{version}\"\nx402-model = \"{version}\"\n\n\
         [features]\n# The module for programs without an async runtime.\nblocking = [\"x402-client/blocking\"]\n",
        mark = mark(),
        version = crate::VERSION,
    );
    Ok(vec![
        SourceFile::new("Cargo.toml", manifest),
        SourceFile::new("src/lib.rs", render(model)),
    ])
}
