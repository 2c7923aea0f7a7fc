//! Keys that sign manifests, and who they are.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "every test program uses a part of it, and fails by panicking"
)]

use std::path::PathBuf;

use alloy_primitives::{Address, B256, hex, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SecretKey};
use x402_runtime::model::evm::{EcdsaParts, Signature};
use x402_runtime::model::manifest::{Document, SignedStatement};

pub const KEY: [u8; 32] = [0x46; 32];

pub fn account(key: [u8; 32]) -> Address {
    let key = SecretKey::from_secret_bytes(key).unwrap().public_key();
    Address::from_word(keccak256(&key.serialize_uncompressed()[1..]))
}

pub fn recover(digest: B256, parts: &EcdsaParts) -> Option<Address> {
    let compact: [u8; 64] = [parts.r.0, parts.s.0].concat().try_into().unwrap();
    let id = if parts.y_parity {
        RecoveryId::One
    } else {
        RecoveryId::Zero
    };
    let signature = RecoverableSignature::from_compact(&compact, id).ok()?;
    let key = signature.recover(Message::from_digest(digest.0)).ok()?;
    Some(Address::from_word(keccak256(
        &key.serialize_uncompressed()[1..],
    )))
}

pub fn signature(key: [u8; 32], digest: B256) -> Signature {
    let key = SecretKey::from_secret_bytes(key).unwrap();
    let message = Message::from_digest(digest.0);
    let (id, compact) =
        RecoverableSignature::sign_ecdsa_recoverable(message, &key).serialize_compact();
    Signature::from_parts(&EcdsaParts {
        r: B256::from_slice(&compact[..32]),
        s: B256::from_slice(&compact[32..]),
        y_parity: id.to_u8() == 1,
    })
}

/// The signature over a manifest, without asking any rule.
pub fn statement(document: &Document, key: [u8; 32]) -> String {
    let statement = SignedStatement::of(document.manifest(), document.content_hash()).unwrap();
    signature(key, statement.digest()).to_hex()
}

pub fn key_file(folder: &tempfile::TempDir, key: [u8; 32]) -> PathBuf {
    let path = folder.path().join("manifest.key");
    std::fs::write(&path, hex::encode(key)).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    path
}
