//! The signer of a wallet that has no key.

use std::future::Future;
use std::pin::Pin;

use alloy_primitives::{Address, B256, Signature};
use alloy_signer::{Error, Signer, UnsupportedSignerOperation};

/// Knows an address and refuses to sign for it.
pub(super) struct NoSigner(pub(super) Address);

impl Signer for NoSigner {
    fn sign_hash<'a, 'b, 'c>(
        &'a self,
        _: &'b B256,
    ) -> Pin<Box<dyn Future<Output = alloy_signer::Result<Signature>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async {
            Err(Error::UnsupportedOperation(
                UnsupportedSignerOperation::SignHash,
            ))
        })
    }

    fn address(&self) -> Address {
        self.0
    }

    fn chain_id(&self) -> Option<u64> {
        None
    }

    fn set_chain_id(&mut self, _: Option<u64>) {}
}
