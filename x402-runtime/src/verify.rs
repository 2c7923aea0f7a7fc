//! Whether a payment's signature is the payer's, checked in this process with libsecp256k1.

use alloy_primitives::{Address, B256, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey};
use x402_model::evm::{DomainSeparator, EcdsaParts, EvmPayload};

/// What a signature proves without asking a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    /// It is the payer's own, in the form that tokens accept.
    Payer,
    /// It is the payer's own, but with a high `s` or with `v` 0 or 1, which tokens refuse.
    PayerInRefusedForm,
    /// It is an ERC-6492 wrapper: the payer is a wallet that may not be deployed yet.
    Wrapped,
    /// No key of the payer made it. If the payer is a contract, the contract may still accept it.
    SomebodyElse,
}

/// Finds out who signed an authorization (protocol 3.3): of EIP-3009 in the domain of its token, or of Permit2 in that of
/// Permit2.
pub(crate) fn signer(payload: &EvmPayload, separator: &DomainSeparator) -> Signer {
    let signature = payload.signature();
    if signature.is_erc6492() {
        return Signer::Wrapped;
    }
    let Some(parts) = signature.split() else {
        return Signer::SomebodyElse;
    };
    let digest = match payload {
        EvmPayload::Eip3009(exact) => exact.authorization.digest(separator),
        EvmPayload::Permit2(permitted) => permitted.authorization.digest(separator),
    };
    if recover(digest, &parts) != Some(payload.payer()) {
        return Signer::SomebodyElse;
    }
    let v = signature.as_bytes().last().copied();
    if parts.is_low_s() && matches!(v, Some(27 | 28)) {
        Signer::Payer
    } else {
        Signer::PayerInRefusedForm
    }
}

/// The account whose key signed the digest.
pub(crate) fn recover(digest: B256, parts: &EcdsaParts) -> Option<Address> {
    let mut compact = [0; 64];
    let (r, s) = compact.split_at_mut(32);
    r.copy_from_slice(parts.r.as_slice());
    s.copy_from_slice(parts.s.as_slice());
    let id = if parts.y_parity {
        RecoveryId::One
    } else {
        RecoveryId::Zero
    };
    let key = RecoverableSignature::from_compact(&compact, id)
        .ok()?
        .recover(Message::from_digest(digest.0))
        .ok()?;
    Some(account(&key))
}

/// The account of a public key.
pub(crate) fn account(key: &PublicKey) -> Address {
    let point = key.serialize_uncompressed();
    // The first byte only says that the point is uncompressed.
    let [_, coordinates @ ..] = &point;
    Address::from_word(keccak256(coordinates))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, address};
    use x402_model::evm::{Authorization, Eip712Domain, ExactEvmPayload, Signature};

    use super::*;

    fn signed() -> (ExactEvmPayload, DomainSeparator) {
        let key = secp256k1::SecretKey::from_secret_bytes([7; 32]).unwrap();
        let point = key.public_key().serialize_uncompressed();
        let separator = Eip712Domain {
            name: "USDC".to_owned(),
            version: "2".to_owned(),
            chain_id: 84_532,
            verifying_contract: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
        }
        .separator();
        let authorization = Authorization {
            from: Address::from_word(keccak256(&point[1..])),
            to: Address::repeat_byte(2),
            value: U256::from(10_000),
            valid_after: U256::ZERO,
            valid_before: U256::from(1_790_000_300),
            nonce: B256::repeat_byte(3),
        };
        let message = Message::from_digest(authorization.digest(&separator).0);
        let (id, compact) =
            RecoverableSignature::sign_ecdsa_recoverable(message, &key).serialize_compact();
        let mut bytes = compact.to_vec();
        bytes.push(27 + id.to_u8());
        (
            ExactEvmPayload {
                signature: Signature::new(bytes).unwrap(),
                authorization,
            },
            separator,
        )
    }

    fn who(payload: &ExactEvmPayload, separator: &DomainSeparator) -> Signer {
        signer(&EvmPayload::Eip3009(payload.clone()), separator)
    }

    fn with_signature(payload: &ExactEvmPayload, bytes: Vec<u8>) -> ExactEvmPayload {
        ExactEvmPayload {
            signature: Signature::new(bytes).unwrap(),
            ..payload.clone()
        }
    }

    #[test]
    fn accepts_the_payers_key_only() {
        let (payload, separator) = signed();
        assert_eq!(who(&payload, &separator), Signer::Payer);
        let mut other = payload.clone();
        other.authorization.from = Address::repeat_byte(9);
        assert_eq!(who(&other, &separator), Signer::SomebodyElse);
        for field in 0..4 {
            let mut changed = payload.clone();
            match field {
                0 => changed.authorization.value += U256::from(1),
                1 => changed.authorization.to = Address::repeat_byte(4),
                2 => changed.authorization.valid_before += U256::from(1),
                _ => changed.authorization.nonce = B256::repeat_byte(4),
            }
            assert_eq!(
                who(&changed, &separator),
                Signer::SomebodyElse,
                "field {field}"
            );
        }
    }

    #[test]
    fn tells_forms_that_tokens_refuse() {
        let (payload, separator) = signed();
        let mut bytes = payload.signature.as_bytes().to_vec();
        bytes[64] -= 27;
        assert_eq!(
            who(&with_signature(&payload, bytes), &separator),
            Signer::PayerInRefusedForm
        );
        let parts = payload.signature.split().unwrap();
        let order = U256::from_be_bytes(secp256k1::constants::CURVE_ORDER);
        let high = EcdsaParts {
            s: B256::from(order - U256::from_be_bytes(parts.s.0)),
            y_parity: !parts.y_parity,
            ..parts
        };
        let high = with_signature(&payload, Signature::from_parts(&high).as_bytes().to_vec());
        assert_eq!(who(&high, &separator), Signer::PayerInRefusedForm);
    }

    #[test]
    fn odd_lengths_and_zeros_are_nobodys() {
        let (payload, separator) = signed();
        for bytes in [
            vec![0; 65],
            vec![0xff; 65],
            vec![1; 64],
            vec![1; 66],
            vec![1],
        ] {
            assert_eq!(
                who(&with_signature(&payload, bytes), &separator),
                Signer::SomebodyElse
            );
        }
    }
}
