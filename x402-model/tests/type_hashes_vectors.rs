//! EIP-712 type hashes against the recorded ones.

#[path = "support/vectors.rs"]
mod vectors;

use vectors::{Vectors, same};
use x402_model::evm::address::read_word;
use x402_model::evm::eip712::{NAMED_TYPES, type_hash};

#[test]
fn every_type_hash_case() {
    Vectors::parse(include_str!("data/type_hashes.json")).check(|case| {
        let text = case
            .input
            .as_str()
            .ok_or("the input is not a type string")?;
        let theirs = case.expected.as_str().and_then(read_word);
        same("hash", Some(type_hash(text)), theirs)?;
        match NAMED_TYPES.iter().find(|(named, _)| *named == text) {
            Some((_, hash)) => same("named hash", Some(*hash), theirs),
            None => Ok(()),
        }
    });
}
