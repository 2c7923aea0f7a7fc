//! What a payment says in its extensions: an echo of what was advertised, and the id of the purchase.

use serde_json::{Map, Value};
use x402_model::evm::gas_sponsoring::{EIP2612_GAS_SPONSORING, ERC20_APPROVAL_GAS_SPONSORING};
use x402_model::extension::PaymentIdentifier;
use x402_model::extension::payment_identifier;
use x402_model::extension::siwx;
use x402_model::problem::{Problem, ProblemCode};
use x402_model::wire::check_echo;

use super::Refusal;
use crate::gate::Gate;
use crate::paywall::PaymentIds;

/// Reads the extensions of a version 2 payment, in the order of protocol 1.5 and 6.2: the echo first.
pub(super) fn read(
    gate: &Gate,
    extensions: Option<&Map<String, Value>>,
) -> Result<Option<PaymentIdentifier>, Refusal> {
    echoed(gate.endpoint.extensions(), extensions)?;
    let ids = gate.endpoint.payment_ids();
    if ids == PaymentIds::Off {
        // Whoever did not declare it has no use for it, as for any unknown extension.
        return Ok(None);
    }
    let id = payment_identifier::read(extensions)
        .map_err(|_| Refusal::from(ProblemCode::PaymentIdMalformed))?;
    demanded(gate, id)
}

/// Refuses a payment without an id where one is demanded. Version 1 has no place for it.
pub(super) fn demanded(
    gate: &Gate,
    id: Option<PaymentIdentifier>,
) -> Result<Option<PaymentIdentifier>, Refusal> {
    if id.is_none() && gate.endpoint.payment_ids() == PaymentIds::Required {
        return Err(ProblemCode::PaymentIdMissing.into());
    }
    Ok(id)
}

/// The extensions of a payment that was read as a tree.
pub(super) fn of(payload: &Value) -> Result<Option<&Map<String, Value>>, Refusal> {
    match payload.get("extensions") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(extensions)) => Ok(Some(extensions)),
        Some(_) => Err(ProblemCode::PaymentUndecodable.into()),
    }
}

fn echoed(
    advertised: &Map<String, Value>,
    extensions: Option<&Map<String, Value>>,
) -> Result<(), Refusal> {
    let dynamic = |key: &str| match key {
        siwx::KEY => siwx::DYNAMIC_INFO,
        // It is for people; `x402-reqwest` sends its permits without it.
        EIP2612_GAS_SPONSORING | ERC20_APPROVAL_GAS_SPONSORING => &["description"],
        // For catalogues: nothing here depends on it, and it is long.
        "bazaar" => &["input", "output"],
        _ => &[],
    };
    check_echo(Some(advertised), extensions, &dynamic).map_err(|key| {
        let key: String = key.chars().take(64).collect();
        Problem::new(ProblemCode::ExtensionEchoMismatch)
            .extension(key)
            .into()
    })
}
