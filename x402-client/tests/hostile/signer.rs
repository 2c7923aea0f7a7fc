//! A signer in another process that stalls.

use std::pin::Pin;
use std::time::Duration;

use alloy_primitives::{Address, B256, ChainId, Signature};
use alloy_signer::Signer;
use x402_client::{Budget, Charged, Wallet};

use crate::seller::{Seller, builder, served};

/// A key service that never answers.
struct Stuck(Address);

impl Signer for Stuck {
    fn sign_hash<'a, 'b, 'c>(
        &'a self,
        _: &'b B256,
    ) -> Pin<Box<dyn Future<Output = alloy_signer::Result<Signature>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(std::future::pending())
    }
    fn address(&self) -> Address {
        self.0
    }
    fn chain_id(&self) -> Option<ChainId> {
        None
    }
    fn set_chain_id(&mut self, _: Option<ChainId>) {}
}

#[tokio::test]
async fn a_signer_that_never_answers_ends_the_call_unpaid() {
    let seller = Seller::selling(|_| served()).await;
    let client = builder(Budget::new("1.00 USD", "1.00 USD").unwrap())
        .wallet(Wallet::from_signer(Stuck(Address::repeat_byte(7))))
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let call = client.get(&seller.url()).send();
    let ended = tokio::time::timeout(Duration::from_secs(20), call).await;
    let error = ended.expect("the call ends by itself").unwrap_err();
    assert_eq!((error.code(), error.charged()), ("not_signed", Charged::No));
    assert_eq!(seller.payments(), (0, 0));
    // The signature may still be made somewhere: the room stays taken until the chain has proved the nonce unused.
    assert_eq!(client.budget().spent(), "0.01");
}
