//! The product's own settler, on the test chain.

use std::sync::Arc;
use std::time::Duration;

use x402_runtime::evm::{EvmConfig, EvmFacilitator, RpcChain, RpcLimits, SettlerKey};
use x402_runtime::facilitator::Facilitator;

use crate::accounts::{self, SETTLER};

/// A facilitator that settles with the third development account through the node at `url`.
///
/// It is as patient as a chain needs that mines at once, so that tests of a silent node end soon.
pub async fn facilitator(url: &str) -> Arc<dyn Facilitator> {
    let limits = RpcLimits::default().with_deadline(Duration::from_secs(1));
    let chain = RpcChain::connect_with(url, limits)
        .await
        .expect("the node answers");
    let key = SettlerKey::from_signer(accounts::signer(SETTLER));
    let facilitator = EvmFacilitator::new(Arc::new(chain), key, EvmConfig::sandbox()).await;
    Arc::new(facilitator.expect("the settler starts"))
}
