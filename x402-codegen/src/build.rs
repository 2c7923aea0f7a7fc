//! Rust clients made while a crate is built, in its build script.
//!
//! ```toml
//! [dependencies]
//! bytes = "1"
//! http = "1"
//! serde = { version = "1", features = ["derive"] }
//! serde_json = "1"
//! x402-client = "0.1"
//! x402-model = "0.1"
//!
//! [build-dependencies]
//! x402-codegen = "0.1"
//! ```
//!
//! The build script, with the manifest or the `OpenAPI` description of the service beside it:
//!
//! ```no_run
//! fn main() -> Result<(), x402_codegen::build::BuildError> {
//!     x402_codegen::build::client("weather.json", "weather")
//! }
//! ```
//!
//! And in the crate:
//!
//! ```ignore
//! include!(concat!(env!("OUT_DIR"), "/weather.rs"));
//!
//! let client = weather::Client::new(wallet, budget)?;
//! ```
//!
//! The script runs again when the document changes. What a client leaves out of it is a warning of cargo's, and a document of which
//! no client can be made ends the build with one line that says why.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::error::CodegenError;
use crate::escape::one_line;
use crate::names::rust_value;
use crate::read::{MAX_BYTES, read};
use crate::rust;

/// Why a build script has written no client.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The document cannot be read.
    #[error("{document}: {error}")]
    Document {
        /// Its path.
        document: String,
        /// What the system says.
        error: io::Error,
    },
    /// No client can be made of the document.
    #[error("{document}: {}", one_line(&error.to_string()))]
    Client {
        /// Its path.
        document: String,
        /// Why.
        error: CodegenError,
    },
    /// A name that is not one of a module.
    #[error(
        "{name:?} is not the name of a module: write lower-case letters, digits and `_`, and no keyword"
    )]
    ModuleName {
        /// The name, cut to 64 characters.
        name: String,
    },
    /// There is no folder to write to: only cargo says where that is, and only to build scripts.
    #[error("OUT_DIR is not set: this is for build scripts, which cargo runs")]
    NoBuildScript,
    /// The client cannot be written.
    #[error("{file}: {error}")]
    Write {
        /// The file.
        file: String,
        /// What the system says.
        error: io::Error,
    },
}

/// The same as its text, because that is what a `main` that fails shows.
impl core::fmt::Debug for BuildError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl BuildError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Document { .. } => "document_unreadable",
            Self::Client { error, .. } => error.code(),
            Self::ModuleName { .. } => "module_name_invalid",
            Self::NoBuildScript => "no_build_script",
            Self::Write { .. } => "client_not_written",
        }
    }
}

/// Writes the client of a document, as the module `module`, to `$OUT_DIR/<module>.rs`, and tells cargo to run the script again when
/// the document changes. `document` is relative to the crate that is built.
///
/// # Errors
/// [`BuildError`]; give it back from `main`, and cargo shows its text.
#[allow(
    clippy::print_stdout,
    reason = "cargo reads what a build script prints"
)]
pub fn client(document: impl AsRef<Path>, module: &str) -> Result<(), BuildError> {
    let document = document.as_ref();
    // First of all: a script that fails has to run again, too.
    println!(
        "cargo::rerun-if-changed={}",
        one_line(&document.display().to_string())
    );
    let folder = std::env::var_os("OUT_DIR").ok_or(BuildError::NoBuildScript)?;
    for warning in write(document, module, Path::new(&folder))? {
        println!("cargo::warning={warning}");
    }
    Ok(())
}

/// Writes the module, and gives what is to be told, each on one line: it holds foreign text, and cargo takes orders by the line.
fn write(document: &Path, module: &str, folder: &Path) -> Result<Vec<String>, BuildError> {
    if module.is_empty() || module.len() > 60 || rust_value(module, "") != module {
        return Err(BuildError::ModuleName {
            name: module.chars().take(64).collect(),
        });
    }
    let shown = document.display().to_string();
    let bytes = bytes(document).map_err(|error| BuildError::Document {
        document: shown.clone(),
        error,
    })?;
    let model = read(&bytes).map_err(|error| BuildError::Client {
        document: shown.clone(),
        error,
    })?;
    let file: PathBuf = folder.join(format!("{module}.rs"));
    // A module with braces: what is included may not begin with attributes of a file.
    let text = format!("pub mod {module} {{\n{}}}\n", rust::render(&model));
    fs::write(&file, text).map_err(|error| BuildError::Write {
        file: file.display().to_string(),
        error,
    })?;
    let warnings = model.warnings.iter();
    Ok(warnings
        .map(|warning| one_line(&format!("{shown}: {warning}")))
        .collect())
}

/// The bytes of a file, up to one more than are read.
fn bytes(document: &Path) -> io::Result<Vec<u8>> {
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    File::open(document)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m03_foreign_text_gives_cargo_no_orders() {
        let folder = std::env::temp_dir().join(format!("x402-codegen-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let document = folder.join("hostile.json");
        let path = "/a\ncargo::rustc-link-arg=-Wl,pwned\n{";
        let text = format!(
            "{{ \"openapi\": \"3.1.0\", \"info\": {{}}, \"paths\": {{ {path:?}: {{ \"get\": {{}} }} }} }}"
        );
        fs::write(&document, text).unwrap();
        let warnings = write(&document, "hostile", &folder).unwrap();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings.iter().all(|warning| !warning.contains('\n')));

        fs::write(&document, "{ \"openapi\": \"3.1.0\", \"paths\": 1 }").unwrap();
        let error = write(&document, "hostile", &folder).unwrap_err();
        assert_eq!(error.code(), "openapi_invalid");
        assert!(format!("{error:?}").ends_with("hostile.json: /paths: there are no paths"));
        for name in ["", "self", "a b", "../a", "Weather", "a\n"] {
            let error = write(&document, name, &folder).unwrap_err();
            assert_eq!(error.code(), "module_name_invalid", "{name:?}");
        }
        let gone = write(&folder.join("gone.json"), "gone", &folder).unwrap_err();
        assert_eq!(gone.code(), "document_unreadable");
        fs::remove_dir_all(&folder).unwrap();
    }
}
