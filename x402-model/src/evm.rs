//! EVM typed data: the EIP-712 hashes a buyer signs, the payloads that carry them, and signature forms.

pub mod address;
mod development;
pub mod eip2612;
pub mod eip3009;
pub mod eip712;
pub mod erc6492;
pub mod gas_sponsoring;
pub mod kind;
pub(crate) mod members;
pub mod payload;
pub mod permit2;
pub mod reason;
mod rlp;
pub mod signature;
pub mod transaction;

pub use development::{DEVELOPMENT_ACCOUNTS, is_development_account};
pub use eip712::{DomainSeparator, Eip712Domain, type_hash};
pub use eip2612::Permit;
pub use eip3009::Authorization;
pub use erc6492::{Erc6492, Erc6492Error};
pub use gas_sponsoring::{Eip2612Info, Erc20ApprovalInfo, GasSponsoring, SponsoringError};
pub use kind::{EvmKind, EvmPayload, KindError, facilitator_address};
pub use payload::{ExactEvmPayload, PayloadError};
pub use permit2::{Permit2Authorization, Permit2Payload};
pub use signature::{EcdsaParts, MAX_SIGNATURE_BYTES, Signature, SignatureError};
pub use transaction::{CallTransaction, SignedCall, TransactionError};
