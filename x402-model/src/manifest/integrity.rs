//! Who vouches for a manifest: the EIP-712 statement about its hash, and the EIP-191 proof of an origin.

use alloy_primitives::{Address, B256, U256, b256, keccak256};
use serde_json::{Value, json};

use super::document::{Manifest, SignatureEntry};
use super::read::Document;
use crate::asset::checksum;
use crate::evm::address::{read_address, read_word};
use crate::evm::eip712::{DomainSeparator, hash_words};
use crate::evm::{EcdsaParts, Signature};
use crate::extension::timestamp;

/// The `format` of a statement about a document.
const STATEMENT: &str = "eip712";

/// The `format` of a proof that a key stands for an origin.
const ORIGIN: &str = "eip191-origin";

/// Name of the EIP-712 domain.
pub const DOMAIN_NAME: &str = "x402 manifest";

/// Version of the EIP-712 domain.
pub const DOMAIN_VERSION: &str = "1";

/// The EIP-712 type that is signed.
pub const MANIFEST_TYPE: &str = "Manifest(uint256 version,string origin,string serviceVersion,uint256 revision,bytes32 contentHash,uint256 issuedAt,uint256 validUntil)";

/// The domain has no contract and is for every chain, which is written as chain 1.
const DOMAIN_TYPE: &str = "EIP712Domain(string name,string version,uint256 chainId)";

/// The version of the statement that is understood.
const STATEMENT_VERSION: u64 = 1;

/// The keccak-256 of [`MANIFEST_TYPE`].
const TYPE_HASH: B256 = b256!("0x3ed4ce40f7f7a0c9d00708e0081e994143eccf63e70c9ca2811f2244ae4686ad");

/// What the signer of a manifest states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedStatement {
    /// The origin it is about.
    pub origin: String,
    /// The version of the contract.
    pub service_version: String,
    /// The revision of the document.
    pub revision: u64,
    /// The content hash.
    pub content_hash: B256,
    /// When it was made, Unix seconds.
    pub issued_at: u64,
    /// Until when it may be used, Unix seconds; 0 for ever.
    pub valid_until: u64,
}

/// Why a signature says nothing about a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureFault {
    /// There is none of the wanted format.
    #[error("the document has no such signature")]
    Missing,
    /// The signature, its signer or its payload has the wrong shape.
    #[error("the signature cannot be read")]
    Malformed,
    /// What was signed is about another document, or the document states another hash.
    #[error("what was signed is not this document")]
    OtherDocument,
    /// It was not made by the signer that it names.
    #[error("the signature was not made by the signer it names")]
    OtherSigner,
    /// Its time is over, or has not come yet.
    #[error("the document is not valid at this time")]
    Expired,
}

impl SignatureFault {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "manifest_unsigned",
            Self::Malformed => "manifest_signature_malformed",
            Self::OtherDocument => "manifest_signature_other_document",
            Self::OtherSigner => "manifest_signature_other_signer",
            Self::Expired => "manifest_expired",
        }
    }
}

impl SignedStatement {
    /// What the signer of a manifest states about it, given its content hash; `None` if the manifest does not say in RFC 3339 when
    /// it was issued and until when it holds.
    #[must_use]
    pub fn of(manifest: &Manifest, content_hash: B256) -> Option<Self> {
        let service = &manifest.service;
        let seconds = |text: &str| Some(timestamp::read(text)? / 1000);
        let valid_until = service.valid_until.as_deref();
        Some(Self {
            origin: service.origin.clone(),
            service_version: service.version.clone(),
            revision: service.revision,
            content_hash,
            issued_at: seconds(&service.issued_at)?,
            valid_until: valid_until.map_or(Some(0), seconds)?,
        })
    }

    /// The entry of a manifest's signatures that says so.
    #[must_use]
    pub fn signed(&self, signer: Address, signature: &Signature) -> SignatureEntry {
        SignatureEntry {
            payload: Some(json!({
                "version": STATEMENT_VERSION,
                "origin": self.origin,
                "serviceVersion": self.service_version,
                "revision": self.revision,
                "contentHash": self.content_hash.to_string(),
                "issuedAt": self.issued_at,
                "validUntil": self.valid_until,
            })),
            ..entry(STATEMENT, signer, signature)
        }
    }

    /// The digest that is signed.
    #[must_use]
    pub fn digest(&self) -> B256 {
        let word = |number: u64| B256::from(U256::from(number));
        let text = |text: &str| keccak256(text.as_bytes());
        let domain = DomainSeparator(hash_words(&[
            keccak256(DOMAIN_TYPE),
            text(DOMAIN_NAME),
            text(DOMAIN_VERSION),
            word(1),
        ]));
        domain.digest(hash_words(&[
            TYPE_HASH,
            word(STATEMENT_VERSION),
            text(&self.origin),
            text(&self.service_version),
            word(self.revision),
            self.content_hash,
            word(self.issued_at),
            word(self.valid_until),
        ]))
    }

    fn read(payload: &Value) -> Option<Self> {
        let text = |name: &str| payload.get(name)?.as_str().map(str::to_owned);
        let number = |name: &str| payload.get(name)?.as_u64();
        if number("version")? != STATEMENT_VERSION {
            return None;
        }
        Some(Self {
            origin: text("origin")?,
            service_version: text("serviceVersion")?,
            revision: number("revision")?,
            content_hash: read_word(&text("contentHash")?)?,
            issued_at: number("issuedAt")?,
            valid_until: number("validUntil")?,
        })
    }

    fn is_about(&self, document: &Document) -> bool {
        let (service, hash) = (&document.manifest().service, document.content_hash());
        self.origin == service.origin
            && self.service_version == service.version
            && self.revision == service.revision
            && self.content_hash == hash
            && document.states(&hash)
    }
}

/// The digest of an origin proof: EIP-191 `personal_sign` over the bare origin.
#[must_use]
pub fn origin_digest(origin: &str) -> B256 {
    let length = origin.len();
    keccak256(format!("\x19Ethereum Signed Message:\n{length}{origin}"))
}

/// The entry of a manifest's signatures that proves an origin.
#[must_use]
pub fn origin_proof(signer: Address, signature: &Signature) -> SignatureEntry {
    entry(ORIGIN, signer, signature)
}

fn entry(format: &str, signer: Address, signature: &Signature) -> SignatureEntry {
    SignatureEntry {
        format: format.to_owned(),
        signer: Some(checksum(signer)),
        payload: None,
        signature: signature.to_hex(),
    }
}

impl Manifest {
    /// Whether a rail pays this account.
    #[must_use]
    pub fn is_payee(&self, account: Address) -> bool {
        let mut rails = self.rails.values();
        rails.any(|rail| read_address(&rail.pay_to) == Some(account))
    }

    /// Whether the service names this account among those that sign for it.
    #[must_use]
    pub fn is_declared(&self, account: Address) -> bool {
        let mut signers = self.service.signers.iter();
        signers.any(|signer| read_address(signer) == Some(account))
    }
}

impl Document {
    /// Checks the EIP-712 signature at a point of time in Unix seconds, and says who signed what.
    ///
    /// `recover` finds the account that made a signature over a digest. Whether that account may speak for the service is the
    /// caller's question: one that the rails pay may (see [`Self::is_payee`]). One that the document itself declares
    /// ([`Manifest::is_declared`]) may if an earlier document, or somebody else whom the caller trusts, said so too: whoever can
    /// write a document can declare himself in it.
    ///
    /// # Errors
    /// [`SignatureFault`].
    pub fn signed_by(
        &self,
        now_seconds: u64,
        recover: impl FnOnce(B256, &EcdsaParts) -> Option<Address>,
    ) -> Result<(Address, SignedStatement), SignatureFault> {
        let entry = self.signature(STATEMENT)?;
        let payload = entry.payload.as_ref().ok_or(SignatureFault::Malformed)?;
        let statement = SignedStatement::read(payload).ok_or(SignatureFault::Malformed)?;
        if !statement.is_about(self) {
            return Err(SignatureFault::OtherDocument);
        }
        let signer = recovered(entry, statement.digest(), recover)?;
        let over = statement.valid_until != 0 && now_seconds > statement.valid_until;
        if over || now_seconds < statement.issued_at {
            return Err(SignatureFault::Expired);
        }
        Ok((signer, statement))
    }

    /// Checks the EIP-191 proof that a key stands for the origin, and says whose.
    ///
    /// # Errors
    /// [`SignatureFault`].
    pub fn origin_proved_by(
        &self,
        recover: impl FnOnce(B256, &EcdsaParts) -> Option<Address>,
    ) -> Result<Address, SignatureFault> {
        let entry = self.signature(ORIGIN)?;
        let digest = origin_digest(&self.manifest().service.origin);
        recovered(entry, digest, recover)
    }

    /// Whether a rail pays this account.
    #[must_use]
    pub fn is_payee(&self, account: Address) -> bool {
        self.manifest().is_payee(account)
    }

    fn signature(&self, format: &str) -> Result<&SignatureEntry, SignatureFault> {
        let integrity = self.manifest().integrity.as_ref();
        integrity
            .and_then(|integrity| {
                let mut all = integrity.signatures.iter();
                all.find(|signature| signature.format == format)
            })
            .ok_or(SignatureFault::Missing)
    }
}

fn recovered(
    entry: &SignatureEntry,
    digest: B256,
    recover: impl FnOnce(B256, &EcdsaParts) -> Option<Address>,
) -> Result<Address, SignatureFault> {
    let named = entry.signer.as_deref().and_then(read_address);
    let parts = Signature::parse(&entry.signature)
        .ok()
        .and_then(|signature| signature.split())
        .filter(EcdsaParts::is_low_s);
    let (Some(named), Some(parts)) = (named, parts) else {
        return Err(SignatureFault::Malformed);
    };
    match recover(digest, &parts) {
        Some(signer) if signer == named => Ok(signer),
        _ => Err(SignatureFault::OtherSigner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_hash_is_that_of_the_type() {
        assert_eq!(TYPE_HASH, keccak256(MANIFEST_TYPE));
    }
}
