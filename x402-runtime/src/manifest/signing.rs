//! Signatures over a manifest: by whom, and when they are made.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use x402_model::asset::checksum;
use x402_model::evm::{Signature, is_development_account};
use x402_model::manifest::{
    Manifest, ManifestError, SignatureEntry, SignedStatement, origin_digest, origin_proof,
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
    /// A proof that a key which is not at hand stands for the origin.
    pub(crate) proof: Option<String>,
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
            // The rules of the format were held against the times before.
            let statement = SignedStatement::of(manifest, hash);
            let statement = statement.ok_or_else(|| ManifestError::Shape {
                reason: "its times cannot be read".to_owned(),
            })?;
            let signature = signed(&**signer, statement.digest())?;
            entries.push(statement.signed(account, &signature));
            if proof.is_none() && manifest.is_payee(account) {
                let signature = signed(&**signer, origin_digest(&manifest.service.origin))?;
                proof = Some(origin_proof(account, &signature));
            }
        }
        entries.extend(proof);
        Ok(entries)
    }
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
    let parts = signature.split().filter(|parts| parts.is_low_s());
    let by = parts.and_then(|parts| recover(digest, &parts));
    if by != Some(account) {
        return Err(SigningMistake::OtherKey { address: address() });
    }
    Ok(signature)
}

/// The proof that somebody made elsewhere, if an account that is paid made it over this origin.
fn given_proof(manifest: &Manifest, text: &str) -> Result<SignatureEntry, SigningMistake> {
    let origin = &manifest.service.origin;
    let wrong = || SigningMistake::Proof {
        origin: origin.clone(),
    };
    let signature = Signature::parse(text).map_err(|_| wrong())?;
    let parts = signature.split().filter(|parts| parts.is_low_s());
    let by = parts.and_then(|parts| recover(origin_digest(origin), &parts));
    let by = by.filter(|account| manifest.is_payee(*account));
    Ok(origin_proof(by.ok_or_else(wrong)?, &signature))
}
