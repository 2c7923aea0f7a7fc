//! What can be wrong with the signatures of a manifest.

/// A manifest that would be signed by the wrong one, or not at all. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningMistake {
    /// The signer is neither paid nor declared.
    #[error(
        "the manifest would be signed by {address}, whom no endpoint pays and the service does not declare, so no reader would believe it: sign with the key of {paid}, or declare the signer with `Service::signer(\"{address}\")`"
    )]
    Stranger {
        /// The account that would sign.
        address: String,
        /// Who is paid.
        paid: String,
    },
    /// The private key of the signer is published.
    #[error(
        "the manifest would be signed by {address}, a published development account: anybody could sign another one for the money on {network}; use a key of your own"
    )]
    Development {
        /// The account that would sign.
        address: String,
        /// The network with real money.
        network: String,
    },
    /// The signer did not sign.
    #[error("the manifest is not signed: the signer {address} refused or failed")]
    Failed {
        /// The account that was to sign.
        address: String,
    },
    /// What the signer answered is no signature of its account.
    #[error(
        "the manifest is not signed: what the signer {address} answered is not that account's signature with the lower `s`; it has to sign the 32 bytes as they are, without a prefix"
    )]
    OtherKey {
        /// The account that was to sign.
        address: String,
    },
    /// Something that was given for a signature made elsewhere is none.
    #[error(
        "signature {place} of those that were given for the manifest is none: write it as `0x` and 130 hex digits, with the lower `s`"
    )]
    Malformed {
        /// Which one, counted from 1. It is not repeated: it may be a secret that was meant for another place.
        place: usize,
    },
    /// No signature made elsewhere is over what is published.
    #[error(
        "the manifest that is issued at {issued_at} has the content {content_hash}, and no signature that was given is over it and by an account that is paid or declared: make them anew where the key is, with `--manifest-signatures FILE --manifest-key FILE`"
    )]
    OtherContent {
        /// The content hash.
        content_hash: String,
        /// When it is issued.
        issued_at: String,
    },
    /// Nobody can sign beforehand when the manifest is issued.
    #[error(
        "a signature made elsewhere covers when the manifest is issued, and that is the time of each start: give it with `Service::issued`"
    )]
    Undated,
    /// A proof of the origin that proves nothing.
    #[error(
        "the ownership proof is not by an account that is paid: have the key of the pay-to address sign exactly `{origin}` (`personal_sign`, EIP-191)"
    )]
    Proof {
        /// What is to be signed.
        origin: String,
    },
}

impl SigningMistake {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Stranger { .. } => "manifest_signer_unknown",
            Self::Development { .. } => "manifest_signer_development_account",
            Self::Failed { .. } => "manifest_signer_failed",
            Self::OtherKey { .. } => "manifest_signer_other_key",
            Self::Malformed { .. } => "manifest_signature_malformed",
            Self::OtherContent { .. } => "manifest_signature_other_content",
            Self::Undated => "manifest_signature_undated",
            Self::Proof { .. } => "ownership_proof_invalid",
        }
    }
}
