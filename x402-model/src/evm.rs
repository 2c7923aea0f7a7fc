//! EVM typed data: the EIP-712 hashes a buyer signs, the `exact` payload that carries them, and signature forms.

pub mod address;
mod development;
pub mod eip3009;
pub mod eip712;
pub mod erc6492;
pub mod payload;
pub mod signature;

pub use development::{DEVELOPMENT_ACCOUNTS, is_development_account};
pub use eip712::{DomainSeparator, Eip712Domain, type_hash};
pub use eip3009::Authorization;
pub use erc6492::{Erc6492, Erc6492Error};
pub use payload::{ExactEvmPayload, PayloadError};
pub use signature::{EcdsaParts, MAX_SIGNATURE_BYTES, Signature, SignatureError};
