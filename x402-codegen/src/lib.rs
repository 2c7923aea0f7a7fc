//! Typed clients in Rust, TypeScript and Python from a price manifest, or from any `OpenAPI` 3 description.
//!
//! A pure library: text in, text out. The same document gives the same bytes. Only [`build`], which is for build scripts, reads and
//! writes files.
//!
//! ```
//! # fn main() -> Result<(), x402_codegen::CodegenError> {
//! # let manifest = include_bytes!("../tests/golden/example/manifest.json");
//! let model = x402_codegen::read(manifest)?;
//! let rust = x402_codegen::rust::render(&model);
//! assert!(rust.contains("pub fn get_weather"));
//! assert_eq!(rust, x402_codegen::rust::render(&x402_codegen::read(manifest)?));
//! # Ok(()) }
//! ```
//!
//! A description without prices makes a client of plain typed calls. What a client leaves out of its document is told by
//! [`ClientModel::warnings`], and can be called all the same: with `inner()` of a Rust client, with `raw()` of the others.
//!
//! Everything in a document is foreign text. It gets into source through one function for each language and place, and into
//! identifiers through one sanitiser; schemas refer to their own document only, and nothing grows without a bound.

pub mod build;
mod error;
mod escape;
mod graph;
mod lower;
pub mod model;
mod names;
pub mod openapi;
mod out;
mod package;
mod pages;
mod pins;
mod price;
pub mod python;
mod read;
pub mod rust;
mod said;
mod schema;
mod sentence;
pub mod typescript;

pub use error::CodegenError;
pub use lower::lower;
pub use model::ClientModel;
pub use package::{SourceFile, is_generated};
pub use read::{MAX_BYTES, read};
pub use sentence::price_sentence;

/// The version that generated files name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
