//! The ten public development accounts of the sandbox.

use std::fmt;

use alloy_primitives::{Address, B256, b256};
use alloy_signer_local::PrivateKeySigner;

/// The private keys that every Ethereum development tool shares. They are public: never send real money to them.
pub(crate) const PUBLIC_KEYS: [B256; 10] = [
    b256!("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    b256!("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    b256!("0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    b256!("0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    b256!("0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    b256!("0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    b256!("0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    b256!("0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
    b256!("0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
    b256!("0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
];

/// One of the sandbox's accounts, with its (public) key.
#[derive(Clone)]
pub struct DevAccount {
    signer: PrivateKeySigner,
}

impl DevAccount {
    pub(super) fn from_key(key: &B256) -> Option<Self> {
        PrivateKeySigner::from_bytes(key)
            .ok()
            .map(|signer| Self { signer })
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.signer.address()
    }

    /// A signer with its key, for a client's wallet.
    #[must_use]
    pub fn signer(&self) -> PrivateKeySigner {
        self.signer.clone()
    }

    /// Signs a 32-byte digest and returns `r`, `s`, `v` with `v` 27 or 28.
    ///
    /// # Errors
    /// Never for a well-formed key; the signing library's type says otherwise.
    pub fn sign(&self, digest: B256) -> Result<[u8; 65], super::SandboxError> {
        use alloy_signer::SignerSync;
        let signature = self
            .signer
            .sign_hash_sync(&digest)
            .map_err(|error| super::SandboxError::new(error.to_string()))?;
        Ok(signature.as_bytes())
    }
}

impl fmt::Debug for DevAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevAccount")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}
