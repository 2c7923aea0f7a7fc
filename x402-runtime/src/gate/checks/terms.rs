//! Which of the terms a payment accepts: named in version 2, worked out in version 1.

use std::sync::Arc;

use serde_json::{Map, Value};
use x402_model::asset::parse_address;
use x402_model::evm::{EvmKind, EvmPayload};
use x402_model::network::Network;
use x402_model::problem::ProblemCode;
use x402_model::wire::find_match;

use super::{Presented, Refusal};
use crate::bind::Terms;
use crate::gate::Gate;
use crate::ledger::PaymentKey;
use crate::verify::{Signer, signer};

/// The present terms, and earlier ones that are still open.
pub(super) fn open(gate: &Gate, now_ms: u64) -> impl Iterator<Item = &Arc<Terms>> {
    let earlier = gate
        .earlier
        .iter()
        .filter(move |earlier| now_ms <= earlier.until_ms);
    gate.endpoint
        .terms()
        .iter()
        .chain(earlier.flat_map(|earlier| &earlier.terms))
}

/// The terms that a version 2 payment repeats in `accepted`.
///
/// A buyer may add members to `extra`, so terms of a token's own transfer also fit a payment of the same token through Permit2: it
/// is for the terms of its own kind, where there are such.
pub(super) fn accepted(gate: &Gate, accepted: &Value, now_ms: u64) -> Option<Arc<Terms>> {
    let mut fit = open(gate, now_ms)
        .filter(|terms| find_match(std::slice::from_ref(terms.offered()), accepted, &[]).is_some())
        .peekable();
    let first = Arc::clone(fit.peek()?);
    let kind = kind_of(accepted);
    let own = fit.find(|terms| kind == Some(terms.kind()));
    Some(own.map_or(first, Arc::clone))
}

fn kind_of(accepted: &Value) -> Option<EvmKind> {
    let scheme = accepted.get("scheme")?.as_str()?;
    let none = Map::new();
    let extra = accepted.get("extra").and_then(Value::as_object);
    EvmKind::of_terms(scheme, extra.unwrap_or(&none)).ok()
}

/// The terms that a version 1 payment is for. It names only scheme and network, so where several tokens or an earlier price
/// are open, the signature says which token it is for, and receiver and value say which price.
///
/// When nothing fits better, the first offer on that network: what differs from it is then refused by name.
pub(super) fn implied(
    gate: &Gate,
    payload: &Value,
    signed: &EvmPayload,
    now_ms: u64,
) -> Option<Arc<Terms>> {
    let text = |key: &str| payload.get(key).and_then(Value::as_str);
    let (scheme, network) = (text("scheme")?, text("network")?);
    let on_network: Vec<&Arc<Terms>> = open(gate, now_ms)
        .filter(|terms| {
            let view = terms.offered().view();
            terms.kind() == EvmKind::Eip3009Exact
                && terms.network().short_name() == Some(network)
                && view.is_some_and(|view| view.scheme == scheme)
        })
        .collect();
    let first = *on_network.first()?;
    let one_token = on_network
        .iter()
        .all(|terms| terms.separator() == first.separator());
    let token = if one_token {
        first
    } else {
        signed_for(&on_network, signed).unwrap_or(first)
    };
    let fits = |terms: &&&Arc<Terms>| {
        terms.separator() == token.separator()
            && terms.pay_to() == signed.pay_to()
            && terms.amount().get() == signed.amount()
    };
    Some(Arc::clone(on_network.iter().find(fits).unwrap_or(&token)))
}

/// The first terms whose token the payer's key signed for.
fn signed_for<'a>(terms: &[&'a Arc<Terms>], signed: &EvmPayload) -> Option<&'a Arc<Terms>> {
    let mut tried = Vec::new();
    terms.iter().copied().find(|terms| {
        if tried.contains(terms.separator()) {
            return false;
        }
        tried.push(*terms.separator());
        matches!(
            signer(signed, terms.separator()),
            Signer::Payer | Signer::PayerInRefusedForm
        )
    })
}

/// A version 2 payment for terms that are not offered (any more). It may have been served while they were.
pub(super) fn unmatched(accepted: &Value, body: &Value) -> Presented {
    let refusal = Refusal::from(ProblemCode::NoMatchingRequirements);
    let text = |key: &str| accepted.get(key).and_then(Value::as_str);
    let network = text("network").and_then(|network| network.parse::<Network>().ok());
    let asset = text("asset").and_then(|asset| parse_address(asset).ok());
    match (network, asset, EvmPayload::parse(body)) {
        (Some(network), Some(asset), Ok(signed)) => {
            let key = PaymentKey {
                network,
                asset,
                payer: signed.payer(),
                nonce: signed.nonce(),
            };
            Presented::Late(Box::new((key, signed)), refusal)
        }
        _ => Presented::Refused(refusal),
    }
}
