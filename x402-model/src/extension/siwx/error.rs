//! Why a sign-in is not believed: the codes of the extension.

/// Why a signed message does not let anybody in. The request then counts as one without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SiwxError {
    /// Signed for another host or port.
    #[error("the message is for another domain")]
    DomainMismatch,
    /// Signed for another origin.
    #[error("the message is for another origin")]
    UriMismatch,
    /// `issuedAt` is no time.
    #[error("issuedAt is not a time")]
    IssuedAt,
    /// Older than the seller accepts.
    #[error("the message is too old")]
    TooOld,
    /// From the future.
    #[error("the message is from the future")]
    InFuture,
    /// `expirationTime` is no time.
    #[error("expirationTime is not a time")]
    ExpirationTime,
    /// Past its own end.
    #[error("the message has expired")]
    Expired,
    /// `notBefore` is no time.
    #[error("notBefore is not a time")]
    NotBefore,
    /// Before its own beginning.
    #[error("the message is not valid yet")]
    NotYetValid,
    /// The nonce was used before, or cannot be remembered.
    #[error("the nonce was used before")]
    Nonce,
    /// A chain or a kind of signature that is not understood here.
    #[error("no signature of this chain can be checked")]
    UnsupportedChain,
    /// The chain's name is malformed, or the chain was not declared.
    #[error("the chain is malformed or was not declared")]
    ChainId,
    /// The signature or the address does not have the form of its chain.
    #[error("the signature is malformed")]
    MalformedSignature,
    /// The signature is not by the address.
    #[error("the signature is not by this address")]
    Signature,
    /// The signature could not be checked now.
    #[error("the signature could not be checked")]
    Verifier,
}

impl SiwxError {
    /// Every error, in the order in which they are looked for.
    pub const ALL: &'static [Self] = &[
        Self::DomainMismatch,
        Self::UriMismatch,
        Self::IssuedAt,
        Self::TooOld,
        Self::InFuture,
        Self::ExpirationTime,
        Self::Expired,
        Self::NotBefore,
        Self::NotYetValid,
        Self::Nonce,
        Self::UnsupportedChain,
        Self::ChainId,
        Self::MalformedSignature,
        Self::Signature,
        Self::Verifier,
    ];

    /// The stable code of the extension.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DomainMismatch => "invalid_siwx_domain_mismatch",
            Self::UriMismatch => "invalid_siwx_uri_mismatch",
            Self::IssuedAt => "invalid_siwx_issued_at",
            Self::TooOld => "invalid_siwx_issued_at_too_old",
            Self::InFuture => "invalid_siwx_issued_at_in_future",
            Self::ExpirationTime => "invalid_siwx_expiration_time",
            Self::Expired => "invalid_siwx_expired",
            Self::NotBefore => "invalid_siwx_not_before",
            Self::NotYetValid => "invalid_siwx_not_yet_valid",
            Self::Nonce => "invalid_siwx_nonce",
            Self::UnsupportedChain => "invalid_siwx_unsupported_chain",
            Self::ChainId => "invalid_siwx_chain_id",
            Self::MalformedSignature => "invalid_siwx_malformed_signature",
            Self::Signature => "invalid_siwx_signature",
            Self::Verifier => "invalid_siwx_verifier_error",
        }
    }
}

/// Why a text or a header is no sign-in message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// Not base64 of JSON.
    #[error(transparent)]
    Codec(#[from] crate::wire::CodecError),
    /// A member or line that must be there is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A member or line holds what it cannot hold.
    #[error("{0} is not what it must be")]
    Invalid(&'static str),
    /// Something stands where nothing may.
    #[error("there is more than a sign-in message has")]
    Surplus,
}
