//! What the wallet says about itself: sign-in messages, and ids of purchases.

use alloy_primitives::B256;
use x402_model::asset::checksum;
use x402_model::evm::Signature;
use x402_model::extension::SignIn;
use x402_model::extension::siwx::{Challenge, Origin, SignatureType, personal_hash};

use super::nonce::{CallFingerprint, derived_purchase};
use super::{SigningError, Wallet};

impl Wallet {
    /// What the id of a purchase with an idempotency key is made of.
    pub(crate) fn derive_purchase(
        &self,
        key: &str,
        call: &CallFingerprint,
    ) -> Result<B256, SigningError> {
        let salt = self.salt.as_ref().ok_or(SigningError::NoSalt)?;
        Ok(derived_purchase(salt, self.address, key, call))
    }

    /// Signs the message that a seller asks for, if all of it is about the origin that was called; the value of the
    /// `SIGN-IN-WITH-X` header. `None` when this wallet should not or cannot.
    ///
    /// What is signed begins with the bytes of EIP-191, so it can be no payment (EIP-712) and no transaction.
    pub(crate) async fn sign_in(&self, challenge: &Challenge, called: &Origin) -> Option<String> {
        if !challenge.is_for(called) {
            return None;
        }
        let mut chains = challenge.supported_chains.iter();
        let chain = chains.find(|chain| chain.kind == SignatureType::Eip191)?;
        let message = challenge.message(chain, &checksum(self.address)).ok()?;
        let hash = personal_hash(&message.text().ok()?);
        let signature = self.signer.sign_hash(&hash).await.ok()?.normalized_s();
        if signature.recover_address_from_prehash(&hash).ok()? != self.address {
            return None;
        }
        let sign_in = SignIn {
            message,
            signature: Signature::new(signature.as_bytes().to_vec()).ok()?.to_hex(),
            signature_scheme: None,
        };
        sign_in.to_header().ok()
    }
}
