//! The price manifest of a paywall: what every endpoint costs, takes and gives, as one document that agents read before they call.
//!
//! It is a projection of the same [`BoundEndpoint`]s that the 402 answers are made of, so the two cannot disagree.
//!
//! | module | does |
//! |---|---|
//! | `service` | what an operator says about the service as a whole |
//! | `shapes` | schemas of the handlers' types, collected under one name each |
//! | `project` | service + endpoints + schemas → manifest |
//! | `entry` | one endpoint → its entry |
//! | `currency` | in what a manifest counts, and which endpoints it can tell |
//! | `discovery` | which documents are served, and serving them |
//! | `signing` | who signs the manifest; `key` is a signer of its own |
//! | `published` | manifest → the bytes that are served, with their hash |
//! | `offline` | the manifest of a seller that does not run |

pub(crate) mod currency;
mod discovery;
mod entry;
mod key;
mod offline;
mod project;
mod published;
mod service;
pub(crate) mod shapes;
mod signing;

pub(crate) use discovery::BAZAAR;
pub use discovery::Discovery;
pub use key::{ManifestKey, ManifestKeyError};
pub use offline::{ManifestDrift, ManifestFlagError};
pub use published::Published;
pub use service::Service;
pub use signing::{ManifestSigner, SigningFailed};

pub(crate) use project::{Facts, project};
pub(crate) use published::{Unpublished, routes};
pub(crate) use signing::Seal;

#[cfg(doc)]
use crate::bind::BoundEndpoint;
