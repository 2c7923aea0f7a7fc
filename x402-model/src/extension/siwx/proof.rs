//! What has to be verified, with which key: the step between a message and a curve.

use alloy_primitives::{Address, B256, Keccak256};

use super::error::SiwxError;
use super::message::{SignIn, SignatureType};
use crate::evm::address::read_address;
use crate::evm::signature::Signature;
use crate::extension::base58;

/// A signature and what it must be the signature of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// An EVM account's `personal_sign`.
    Evm {
        /// Who is said to have signed.
        address: Address,
        /// On which chain, which matters for contract wallets only.
        chain_id: u64,
        /// The EIP-191 hash of the text.
        hash: B256,
        /// The signature.
        signature: Signature,
    },
    /// A Solana account's Ed25519 signature.
    Solana {
        /// The account.
        public_key: [u8; 32],
        /// The signed text.
        text: String,
        /// The signature.
        signature: [u8; 64],
    },
}

/// The EIP-191 hash that `personal_sign` signs.
///
/// ```
/// use x402_model::extension::siwx::personal_hash;
/// let hash = personal_hash("hello");
/// assert_eq!(hash.to_string(), "0x50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750");
/// ```
#[must_use]
pub fn personal_hash(text: &str) -> B256 {
    let mut hash = Keccak256::new();
    hash.update(b"\x19Ethereum Signed Message:\n");
    hash.update(text.len().to_string());
    hash.update(text);
    hash.finalize()
}

impl SignIn {
    /// What to verify. The caller checked the message before and recovers or asks a chain afterwards.
    ///
    /// # Errors
    /// [`SiwxError::UnsupportedChain`], [`SiwxError::ChainId`] or [`SiwxError::MalformedSignature`], in this order.
    pub fn proof(&self) -> Result<Proof, SiwxError> {
        let message = &self.message;
        let (namespace, reference) = message
            .chain_id
            .split_once(':')
            .ok_or(SiwxError::UnsupportedChain)?;
        match (namespace, message.kind) {
            ("eip155", SignatureType::Eip191) => self.evm(reference),
            ("solana", SignatureType::Ed25519) => self.solana(),
            _ => Err(SiwxError::UnsupportedChain),
        }
    }

    fn evm(&self, reference: &str) -> Result<Proof, SiwxError> {
        let plain =
            reference.bytes().all(|byte| byte.is_ascii_digit()) && !reference.starts_with('0');
        let chain_id = reference
            .parse()
            .ok()
            .filter(|_| plain)
            .ok_or(SiwxError::ChainId)?;
        let malformed = SiwxError::MalformedSignature;
        let signature = Signature::parse(&self.signature).map_err(|_| malformed)?;
        let address = read_address(&self.message.address).ok_or(malformed)?;
        let text = self.message.text().map_err(|_| malformed)?;
        Ok(Proof::Evm {
            address,
            chain_id,
            hash: personal_hash(&text),
            signature,
        })
    }

    fn solana(&self) -> Result<Proof, SiwxError> {
        let malformed = SiwxError::MalformedSignature;
        let bytes = |text: &str| base58::decode(text).ok_or(malformed);
        Ok(Proof::Solana {
            signature: bytes(&self.signature)?.try_into().map_err(|_| malformed)?,
            public_key: bytes(&self.message.address)?
                .try_into()
                .map_err(|_| malformed)?,
            text: self.message.text().map_err(|_| malformed)?,
        })
    }
}
