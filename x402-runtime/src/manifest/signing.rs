//! Signatures over a manifest: by whom, and when they are made.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use x402_model::asset::checksum;
use x402_model::evm::{Signature, is_development_account};
use x402_model::manifest::{
    Manifest, ManifestError, SignatureEntry, SignedStatement, hash_text, origin_digest,
    origin_proof,
};

use super::Unpublished;
use crate::bind::is_main;
use crate::paywall::SigningMistake;
use crate::verify::recover;

/// Signs a manifest as one account: a [`ManifestKey`](super::ManifestKey), or a key service.
///
/// It is asked when a paywall is built, once for each content that it will serve, and waits for the answer: an implementation that
/// goes over a network keeps a time limit of its own. What it answers is held against the account before it is published.
pub trait ManifestSigner: Send + Sync + 'static {
    /// The account.
    fn address(&self) -> Address;

    /// Signs 32 bytes as they are, in 65 bytes: `r`, `s` (the lower one) and `v` (27 or 28).
    ///
    /// # Errors
    /// [`SigningFailed`]. Why is for the implementation to log: key services put credentials into their texts.
    fn sign(&self, digest: B256) -> Result<Signature, SigningFailed>;
}

/// The signer did not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signer refused or failed")]
pub struct SigningFailed;

/// What a manifest is signed with.
#[derive(Clone, Default)]
pub(crate) struct Seal {
    pub(crate) signer: Option<Arc<dyn ManifestSigner>>,
    /// Signatures that were made elsewhere, for want of a signer.
    pub(crate) given: Option<Arc<str>>,
    /// A proof that a key which is not at hand stands for the origin.
    pub(crate) proof: Option<String>,
    /// Whether somebody said when the manifest is issued.
    pub(crate) dated: bool,
}

impl Seal {
    /// The signatures over a manifest with this content hash.
    ///
    /// # Errors
    /// [`Unpublished`] when somebody signs who may not, or does not sign what he is asked to.
    pub(super) fn signatures(
        &self,
        manifest: &Manifest,
        hash: B256,
    ) -> Result<Vec<SignatureEntry>, Unpublished> {
        let mut entries = Vec::new();
        let mut proof = match &self.proof {
            Some(text) => Some(given_proof(manifest, text)?),
            None => None,
        };
        if let Some(signer) = &self.signer {
            let account = signer.address();
            may_sign(manifest, account)?;
            let statement = statement(manifest, hash)?;
            let signature = signed(&**signer, statement.digest())?;
            entries.push(statement.signed(account, &signature));
            if proof.is_none() && manifest.is_payee(account) {
                let signature = signed(&**signer, origin_digest(&manifest.service.origin))?;
                proof = Some(origin_proof(account, &signature));
            }
        } else if let Some(text) = &self.given {
            let given = read(text)?;
            if !self.dated {
                return Err(SigningMistake::Undated.into());
            }
            entries.push(elsewhere(manifest, &statement(manifest, hash)?, &given)?);
            proof = proof.or_else(|| given.iter().find_map(|one| proof_by(manifest, one)));
        }
        entries.extend(proof);
        Ok(entries)
    }
}

/// What is signed. The rules of the format were held against the times before.
fn statement(manifest: &Manifest, hash: B256) -> Result<SignedStatement, ManifestError> {
    SignedStatement::of(manifest, hash).ok_or_else(|| ManifestError::Shape {
        reason: "its times cannot be read".to_owned(),
    })
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signer = self.signer.as_ref().map(|signer| signer.address());
        f.debug_struct("Seal")
            .field("signer", &signer)
            .finish_non_exhaustive()
    }
}

/// Rule: whoever signs is paid, or declared; and is not an account whose key everybody knows, where money is real.
fn may_sign(manifest: &Manifest, account: Address) -> Result<(), SigningMistake> {
    let address = checksum(account);
    if !manifest.is_payee(account) && !manifest.is_declared(account) {
        let mut paid: Vec<&str> = Vec::new();
        for rail in manifest.rails.values() {
            if !paid.contains(&&*rail.pay_to) {
                paid.push(&rail.pay_to);
            }
        }
        let paid = paid.join(" or ");
        return Err(SigningMistake::Stranger { address, paid });
    }
    let mut networks = manifest.assets.values().map(|asset| &asset.network);
    let real = networks.find(|network| network.parse().is_ok_and(|network| is_main(&network)));
    match real {
        Some(network) if is_development_account(account) => Err(SigningMistake::Development {
            address,
            network: network.clone(),
        }),
        _ => Ok(()),
    }
}

/// A signature over a digest, which is the signer's own in the form that readers take.
fn signed(signer: &dyn ManifestSigner, digest: B256) -> Result<Signature, SigningMistake> {
    let account = signer.address();
    let address = || checksum(account);
    let signature = signer
        .sign(digest)
        .map_err(|_| SigningMistake::Failed { address: address() })?;
    if by(&signature, digest) != Some(account) {
        return Err(SigningMistake::OtherKey { address: address() });
    }
    Ok(signature)
}

/// Who made a signature over a digest, in the form that readers take.
fn by(signature: &Signature, digest: B256) -> Option<Address> {
    let parts = signature.split().filter(|parts| parts.is_low_s())?;
    recover(digest, &parts)
}

/// Signatures as they were written, with blanks or line feeds between them.
fn read(text: &str) -> Result<Vec<Signature>, SigningMistake> {
    let one = |(place, text): (usize, &str)| {
        let signature = Signature::parse(text).ok();
        let whole = signature.filter(|it| it.split().is_some_and(|parts| parts.is_low_s()));
        whole.ok_or(SigningMistake::Malformed { place })
    };
    (1..).zip(text.split_whitespace()).map(one).collect()
}

/// The one of these signatures that is over a manifest. Whose it is follows from what it is over, so one over something else is by
/// nobody who may sign.
fn elsewhere(
    manifest: &Manifest,
    statement: &SignedStatement,
    given: &[Signature],
) -> Result<SignatureEntry, SigningMistake> {
    let digest = statement.digest();
    for signature in given {
        let Some(account) = by(signature, digest) else {
            continue;
        };
        match may_sign(manifest, account) {
            Ok(()) => return Ok(statement.signed(account, signature)),
            Err(SigningMistake::Stranger { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Err(SigningMistake::OtherContent {
        content_hash: hash_text(&statement.content_hash.0),
        issued_at: manifest.service.issued_at.clone(),
    })
}

/// The proof that somebody made elsewhere, if an account that is paid made it over this origin.
fn given_proof(manifest: &Manifest, text: &str) -> Result<SignatureEntry, SigningMistake> {
    let signature = Signature::parse(text).ok();
    let proof = signature.and_then(|signature| proof_by(manifest, &signature));
    proof.ok_or_else(|| SigningMistake::Proof {
        origin: manifest.service.origin.clone(),
    })
}

/// What a signature proves of the origin, if it is over that and by an account that is paid.
fn proof_by(manifest: &Manifest, signature: &Signature) -> Option<SignatureEntry> {
    let account = by(signature, origin_digest(&manifest.service.origin))?;
    let paid = manifest.is_payee(account);
    paid.then(|| origin_proof(account, signature))
}
