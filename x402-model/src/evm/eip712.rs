//! EIP-712 domains and type hashes.

use alloy_primitives::{Address, B256, FixedBytesSliceExt, U256, b256, keccak256};

/// EIP-712 domain type with name, version, chain and contract, as EIP-3009 tokens use it.
pub const DOMAIN_TYPE: &str =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
/// EIP-712 domain type without a version, as the Permit2 contract uses it.
pub const DOMAIN_TYPE_WITHOUT_VERSION: &str =
    "EIP712Domain(string name,uint256 chainId,address verifyingContract)";
/// EIP-3009 `TransferWithAuthorization`: anyone may submit it.
pub const TRANSFER_WITH_AUTHORIZATION_TYPE: &str = "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";
/// EIP-3009 `ReceiveWithAuthorization`: only the payee may submit it.
pub const RECEIVE_WITH_AUTHORIZATION_TYPE: &str = "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";
/// EIP-3009 `CancelAuthorization`: uses a nonce up without moving money.
pub const CANCEL_AUTHORIZATION_TYPE: &str = "CancelAuthorization(address authorizer,bytes32 nonce)";
/// EIP-2612 `Permit`.
pub const PERMIT_TYPE: &str =
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)";
/// Permit2 witness transfer of the `exact` scheme.
pub const PERMIT2_EXACT_TYPE: &str = "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Witness witness)TokenPermissions(address token,uint256 amount)Witness(address to,uint256 validAfter)";
/// Permit2 witness transfer of the `upto` scheme, whose witness also names the facilitator.
pub const PERMIT2_UPTO_TYPE: &str = "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Witness witness)TokenPermissions(address token,uint256 amount)Witness(address to,address facilitator,uint256 validAfter)";
/// What a Permit2 transfer takes, inside of both transfers.
pub const TOKEN_PERMISSIONS_TYPE: &str = "TokenPermissions(address token,uint256 amount)";
/// The witness of [`PERMIT2_EXACT_TYPE`].
pub const EXACT_WITNESS_TYPE: &str = "Witness(address to,uint256 validAfter)";
/// The witness of [`PERMIT2_UPTO_TYPE`].
pub const UPTO_WITNESS_TYPE: &str = "Witness(address to,address facilitator,uint256 validAfter)";

/// [`type_hash`] of [`DOMAIN_TYPE`].
pub const DOMAIN_TYPE_HASH: B256 =
    b256!("0x8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f");
/// [`type_hash`] of [`DOMAIN_TYPE_WITHOUT_VERSION`].
pub const DOMAIN_TYPE_WITHOUT_VERSION_HASH: B256 =
    b256!("0x8cad95687ba82c2ce50e74f7b754645e5117c3a5bec8151c0726d5857980a866");
/// [`type_hash`] of [`TRANSFER_WITH_AUTHORIZATION_TYPE`].
pub const TRANSFER_WITH_AUTHORIZATION_TYPE_HASH: B256 =
    b256!("0x7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267");
/// [`type_hash`] of [`RECEIVE_WITH_AUTHORIZATION_TYPE`].
pub const RECEIVE_WITH_AUTHORIZATION_TYPE_HASH: B256 =
    b256!("0xd099cc98ef71107a616c4f0f941f04c322d8e254fe26b3c6668db87aae413de8");
/// [`type_hash`] of [`CANCEL_AUTHORIZATION_TYPE`].
pub const CANCEL_AUTHORIZATION_TYPE_HASH: B256 =
    b256!("0x158b0a9edf7a828aad02f63cd515c68ef2f50ba807396f6d12842833a1597429");
/// [`type_hash`] of [`PERMIT_TYPE`].
pub const PERMIT_TYPE_HASH: B256 =
    b256!("0x6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9");
/// [`type_hash`] of [`PERMIT2_EXACT_TYPE`].
pub const PERMIT2_EXACT_TYPE_HASH: B256 =
    b256!("0xebc156cd23678a74c94df13d772ef5478420637f0c94bd10d509e1dc98f521c7");
/// [`type_hash`] of [`PERMIT2_UPTO_TYPE`].
pub const PERMIT2_UPTO_TYPE_HASH: B256 =
    b256!("0x51dff6974ad4388c499e7fcfe838d2bd767162553a144098ce20ea661d70c2ee");
/// [`type_hash`] of [`TOKEN_PERMISSIONS_TYPE`].
pub const TOKEN_PERMISSIONS_TYPE_HASH: B256 =
    b256!("0x618358ac3db8dc274f0cd8829da7e234bd48cd73c4a740aede1adec9846d06a1");
/// [`type_hash`] of [`EXACT_WITNESS_TYPE`].
pub const EXACT_WITNESS_TYPE_HASH: B256 =
    b256!("0xd97b3239a7f32295517bd14cb074edfdd188dfe5eb42f802bb26d4fd1eb12c37");
/// [`type_hash`] of [`UPTO_WITNESS_TYPE`].
pub const UPTO_WITNESS_TYPE_HASH: B256 =
    b256!("0xd4171c445a74218b01d4fd8af34ff1106580ea1e36ff837e64484bfaa2253b75");

/// Every type string this crate names together with the hash it claims, for tests and documentation.
pub const NAMED_TYPES: &[(&str, B256)] = &[
    (DOMAIN_TYPE, DOMAIN_TYPE_HASH),
    (
        DOMAIN_TYPE_WITHOUT_VERSION,
        DOMAIN_TYPE_WITHOUT_VERSION_HASH,
    ),
    (
        TRANSFER_WITH_AUTHORIZATION_TYPE,
        TRANSFER_WITH_AUTHORIZATION_TYPE_HASH,
    ),
    (
        RECEIVE_WITH_AUTHORIZATION_TYPE,
        RECEIVE_WITH_AUTHORIZATION_TYPE_HASH,
    ),
    (CANCEL_AUTHORIZATION_TYPE, CANCEL_AUTHORIZATION_TYPE_HASH),
    (PERMIT_TYPE, PERMIT_TYPE_HASH),
    (PERMIT2_EXACT_TYPE, PERMIT2_EXACT_TYPE_HASH),
    (PERMIT2_UPTO_TYPE, PERMIT2_UPTO_TYPE_HASH),
    (TOKEN_PERMISSIONS_TYPE, TOKEN_PERMISSIONS_TYPE_HASH),
    (EXACT_WITNESS_TYPE, EXACT_WITNESS_TYPE_HASH),
    (UPTO_WITNESS_TYPE, UPTO_WITNESS_TYPE_HASH),
];

/// The keccak-256 hash of an EIP-712 type string.
///
/// ```
/// use x402_model::evm::eip712::{TRANSFER_WITH_AUTHORIZATION_TYPE, TRANSFER_WITH_AUTHORIZATION_TYPE_HASH, type_hash};
/// assert_eq!(type_hash(TRANSFER_WITH_AUTHORIZATION_TYPE), TRANSFER_WITH_AUTHORIZATION_TYPE_HASH);
/// ```
#[must_use]
pub fn type_hash(type_string: &str) -> B256 {
    keccak256(type_string.as_bytes())
}

/// The EIP-712 domain of an EIP-3009 token.
///
/// `name` and `version` are what the token contract answers on that chain; they cannot be derived from the
/// symbol (USDC is called `USD Coin` on Base and `USDC` on Base Sepolia).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Eip712Domain {
    /// The token's EIP-712 name, any UTF-8.
    pub name: String,
    /// The token's EIP-712 version, for example `"2"`.
    pub version: String,
    /// The EVM chain id.
    pub chain_id: u64,
    /// The token contract.
    pub verifying_contract: Address,
}

impl Eip712Domain {
    /// Hashes the domain. The result depends on nothing else, so it can be computed once per token and kept.
    ///
    /// ```
    /// use alloy_primitives::{address, b256};
    /// use x402_model::evm::Eip712Domain;
    /// let domain = Eip712Domain {
    ///     name: "USDC".into(),
    ///     version: "2".into(),
    ///     chain_id: 84532,
    ///     verifying_contract: address!("0x036CbD53842c5426634e7929541eC2318f3dCF7e"),
    /// };
    /// assert_eq!(
    ///     domain.separator().0,
    ///     b256!("0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818"),
    /// );
    /// ```
    #[must_use]
    pub fn separator(&self) -> DomainSeparator {
        DomainSeparator(hash_words(&[
            DOMAIN_TYPE_HASH,
            keccak256(self.name.as_bytes()),
            keccak256(self.version.as_bytes()),
            B256::from(U256::from(self.chain_id)),
            self.verifying_contract.into_word(),
        ]))
    }
}

/// The domain of a contract that gives no version, which is Permit2.
pub(super) fn separator_without_version(
    name: &str,
    chain_id: u64,
    verifying_contract: Address,
) -> DomainSeparator {
    DomainSeparator(hash_words(&[
        DOMAIN_TYPE_WITHOUT_VERSION_HASH,
        keccak256(name.as_bytes()),
        B256::from(U256::from(chain_id)),
        verifying_contract.into_word(),
    ]))
}

/// The hash of an [`Eip712Domain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DomainSeparator(pub B256);

impl DomainSeparator {
    /// The digest to sign for a struct hash in this domain: `keccak256(0x1901 ‖ separator ‖ struct hash)`.
    #[must_use]
    pub fn digest(&self, struct_hash: B256) -> B256 {
        // Laid out first, because hashing piece by piece costs more than the copies.
        let mut message = [0; 66];
        let (prefix, words) = message.split_at_mut(2);
        let (separator, hash) = words.split_at_mut(32);
        prefix.copy_from_slice(&[0x19, 0x01]);
        separator.copy_from_slice(self.0.as_slice());
        hash.copy_from_slice(struct_hash.as_slice());
        keccak256(message)
    }
}

/// Hashes ABI words laid end to end, which is how EIP-712 encodes a struct of static members.
pub(crate) fn hash_words(words: &[B256]) -> B256 {
    keccak256(words.as_flattened())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_hash_is_the_hash_of_its_type_string() {
        for (text, hash) in NAMED_TYPES {
            assert_eq!(type_hash(text), *hash, "{text}");
        }
    }
}
