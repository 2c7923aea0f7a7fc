//! What a seller declares in a 402: that it takes approvals along with payments, and how they look.

use serde_json::{Map, Value, json};

use super::{EIP2612_GAS_SPONSORING, ERC20_APPROVAL_GAS_SPONSORING, VERSION};

const ADDRESS: &str = "^0x[a-fA-F0-9]{40}$";
const INTEGER: &str = "^[0-9]+$";
const BYTES: &str = "^0x[a-fA-F0-9]+$";
const DOTTED: &str = r"^[0-9]+(\.[0-9]+)*$";

/// Member, pattern and meaning of what a buyer adds to an info.
type Row = (&'static str, &'static str, &'static str);

const EIP2612: &[Row] = &[
    ("from", ADDRESS, "Account that pays and permits."),
    ("asset", ADDRESS, "Token contract."),
    ("spender", ADDRESS, "Account that is permitted: Permit2."),
    (
        "amount",
        INTEGER,
        "Allowance: the amount of the payment, in atomic units.",
    ),
    (
        "nonce",
        INTEGER,
        "Permit nonce of the account, as the token counts it.",
    ),
    (
        "deadline",
        INTEGER,
        "Unix seconds at which the permit ends.",
    ),
    (
        "signature",
        BYTES,
        "65-byte signature (r, s, v) of the permit.",
    ),
    ("version", DOTTED, "Version of this extension."),
];

const ERC20_APPROVAL: &[Row] = &[
    ("from", ADDRESS, "Account that pays and approves."),
    ("asset", ADDRESS, "Token contract."),
    ("spender", ADDRESS, "Account that is approved: Permit2."),
    (
        "amount",
        INTEGER,
        "Allowance in atomic units: the largest there is.",
    ),
    (
        "signedTransaction",
        BYTES,
        "Signed EIP-1559 transaction that approves.",
    ),
    ("version", DOTTED, "Version of this extension."),
];

/// The declaration `{info, schema}` of a gas-sponsoring extension by its key; `None` for keys of other extensions.
///
/// ```
/// use x402_model::evm::gas_sponsoring::{EIP2612_GAS_SPONSORING, declaration};
/// let declared = declaration(EIP2612_GAS_SPONSORING).ok_or("no such extension")?;
/// assert_eq!(declared["info"]["version"], "1");
/// assert!(declaration("bazaar").is_none());
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn declaration(key: &str) -> Option<Value> {
    let (description, rows) = match key {
        EIP2612_GAS_SPONSORING => (
            "A signed EIP-2612 permit for Permit2 may come along with the payment.",
            EIP2612,
        ),
        ERC20_APPROVAL_GAS_SPONSORING => (
            "A signed transaction that approves Permit2 may come along with the payment.",
            ERC20_APPROVAL,
        ),
        _ => return None,
    };
    let properties: Map<String, Value> = rows
        .iter()
        .map(|(name, pattern, meaning)| {
            let property = json!({"type": "string", "pattern": pattern, "description": meaning});
            ((*name).to_owned(), property)
        })
        .collect();
    let required: Vec<&str> = rows.iter().map(|(name, ..)| *name).collect();
    Some(json!({
        "info": {"description": description, "version": VERSION},
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": required,
        },
    }))
}
