//! The id of a purchase: the same however often the call is paid for anew (`payment-identifier`).

use alloy_primitives::{B256, keccak256};
use serde_json::{Map, Value};
use x402_model::extension::PaymentIdentifier;
use x402_model::extension::payment_identifier::{append, declared};

use crate::client::Call;
use crate::terms::{Terms, Version};
use crate::wallet::{CallFingerprint, SigningError, Wallet};

/// The id that goes with the payment of a call, if the seller asks for one: the caller's own, else derived from the call's
/// idempotency key, so that a new process finds it again, else made from the payment's nonce, which is random.
pub(crate) fn id_of(
    call: &Call,
    terms: &Terms,
    wallet: &Wallet,
    nonce: B256,
) -> Result<Option<PaymentIdentifier>, SigningError> {
    let asked = terms.version == Version::V2 && declared(terms.extensions.as_ref()).is_some();
    if !asked {
        return Ok(None);
    }
    if let Some(id) = &call.payment_id {
        return Ok(Some(id.clone()));
    }
    let seed = match &call.idempotency_key {
        Some(key) => {
            let plain = &call.request;
            let (method, url) = (plain.method.as_str(), plain.url.as_str());
            let fingerprint = CallFingerprint::new(method, url, &plain.body);
            wallet.derive_purchase(key, &fingerprint)?
        }
        None => keccak256([b"x402-client/payment-id/1".as_slice(), nonce.as_slice()].concat()),
    };
    let (half, _) = seed
        .0
        .split_first_chunk::<16>()
        .ok_or(SigningError::Encoding)?;
    Ok(Some(PaymentIdentifier::from_random(*half)))
}

/// The extensions that go back to the seller, with the id in its place.
pub(crate) fn with_id(
    mut extensions: Option<Map<String, Value>>,
    id: Option<&PaymentIdentifier>,
) -> Option<Map<String, Value>> {
    if let (Some(extensions), Some(id)) = (&mut extensions, id) {
        append(extensions, id);
    }
    extensions
}
