//! The compiled test contracts of `contracts/artifacts`.

use alloy_primitives::{Address, Bytes, hex};
use alloy_sol_types::SolValue;
use serde_json::Value;

use crate::tools::workspace;

fn artifact(name: &str) -> Value {
    let path = workspace().join(format!("contracts/artifacts/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).expect("an artifact is JSON")
}

fn code(name: &str, kind: &str) -> Bytes {
    let code = artifact(name)[kind]
        .as_str()
        .expect("an artifact has code")
        .to_owned();
    hex::decode(code).expect("code is hex").into()
}

/// The code that a deployed contract has.
#[must_use]
pub fn runtime(name: &str) -> Bytes {
    code(name, "runtime")
}

/// The code that deploys a contract whose constructor takes one address.
#[must_use]
pub fn creation(name: &str, argument: Address) -> Bytes {
    [code(name, "creation").as_ref(), &argument.abi_encode()]
        .concat()
        .into()
}
