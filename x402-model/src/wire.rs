//! The x402 messages, version 2 and version 1, and how they travel in HTTP headers.

pub mod call;
pub mod echo;
pub mod headers;
pub mod json;
pub mod matching;
pub mod offered;
pub mod payment;
pub mod plain;
pub mod raw;
pub mod required;
pub mod response;
pub mod v1;
pub mod v2;

pub use call::{FacilitatorCall, MalformedCall};
pub use echo::check_echo;
pub use headers::CodecError;
pub use matching::{Terms, find_match};
pub use offered::Offered;
pub use payment::PaymentPayload;
pub use plain::PlainPayment;
pub use raw::RawJson;
pub use required::{Required402, parse_402};
pub use response::{SettleResponse, SupportedKind, SupportedResponse, VerifyResponse};
pub use v2::{PaymentRequired, PaymentRequirements, ResourceInfo};
