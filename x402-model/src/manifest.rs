//! The price manifest: one JSON document that says what every endpoint of a service costs, takes and gives.
//!
//! [`Document::read`] takes foreign bytes within limits and checks the format; [`Manifest`] is the typed view. The content
//! hash covers the document as it was written, fields of later versions included, so a document is never hashed through
//! the typed view. A reader that does not know a price model falls back to its bounds.
//!
//! ```
//! use x402_model::manifest::Document;
//!
//! let text = r#"{
//!   "manifestVersion": "1.0",
//!   "service": { "id": "com.example.echo", "name": "Echo", "version": "1.0.0", "revision": 1,
//!     "origin": "https://api.example.com", "description": "Says it again.", "issuedAt": "2026-11-20T09:00:00Z" },
//!   "protocols": [{ "id": "x402", "versions": [2] }],
//!   "currency": "USD",
//!   "assets": { "usdc": { "network": "eip155:8453", "address": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
//!     "symbol": "USDC", "decimals": 6, "transfer": "eip3009" } },
//!   "rails": { "base": { "scheme": "exact", "asset": "usdc",
//!     "payTo": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "maxTimeoutSeconds": 120 } },
//!   "defaults": { "rails": ["base"] },
//!   "endpoints": [{ "id": "echo", "kind": "http", "method": "GET", "path": "/echo", "summary": "Says it again",
//!     "output": { "status": 200, "contentType": "text/plain" },
//!     "price": { "model": "flat", "amount": "0.01", "bounds": { "min": "0.01", "max": "0.01" } } }]
//! }"#;
//! let document = Document::read(text.as_bytes())?;
//! let echo = &document.manifest().endpoints[0];
//! assert_eq!(echo.price.bounds.max.to_string(), "0.01");
//! assert!(document.content_hash_text().starts_with("sha-256:"));
//! # Ok::<(), x402_model::manifest::ManifestError>(())
//! ```

mod amount;
mod canonical;
mod check;
mod defaults;
pub mod diff;
mod document;
mod endpoint;
mod error;
mod integrity;
mod parts;
pub mod paths;
mod period;
mod price;
mod price_write;
mod read;
mod refs;
mod service;
mod strict;
pub mod views;

pub use amount::Amount;
pub use canonical::{canonical, canonical_hash, content_hash, hash_text};
pub use defaults::schema_default;
pub use document::{
    AssetEntry, Contact, Deprecation, DomainEntry, Integrity, Manifest, PlanEntry, ProtocolEntry,
    RailEntry, Service, SignatureEntry,
};
pub use endpoint::{
    BodyEntry, EndpointEntry, ExampleEntry, InputEntry, Latency, OutputEntry, PaginationEntry,
    ScheduledEntry,
};
pub use error::ManifestError;
pub use integrity::{
    DOMAIN_NAME, DOMAIN_VERSION, MANIFEST_TYPE, SignatureFault, SignedStatement, origin_digest,
    origin_proof,
};
pub use parts::{
    AllowanceEntry, ChargeEntry, CreditEntry, Defaults, ErrorEntry, Idempotency, Quota, RateLimit,
};
pub use period::Period;
pub use price::{
    BandEntry, BoundsEntry, CaseEntry, DimensionEntry, PriceEntry, QuoteEntry, RebateEntry,
    SelectorEntry, UnitEntry,
};
pub use read::{Document, MAX_BYTES};
pub use strict::{MAX_DEPTH, MAX_NODES, read_json};

/// Where a service shows its manifest.
pub const WELL_KNOWN_PATH: &str = paths::MANIFEST;

/// The version of the format that is written.
pub const FORMAT_VERSION: &str = "1.0";

/// The JSON Schema (2020-12) of the format.
pub const SCHEMA: &str = include_str!("../schema/x402-manifest-1.0.schema.json");
