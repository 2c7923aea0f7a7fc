//! The contract interfaces that settlement speaks, and how revert data is read.

use alloy_primitives::{B256, U256, hex};
use alloy_sol_types::{SolError, SolEvent, sol};

use crate::evm::chain::LogInfo;

/// How much of a foreign text is kept in messages and logs.
const MAX_TEXT: usize = 200;

sol! {
    /// The parts of an EIP-20 + EIP-3009 token that settlement uses.
    interface Eip3009Token {
        /// EIP-20 transfer.
        event Transfer(address indexed from, address indexed to, uint256 value);
        /// EIP-3009: the nonce was used by a transfer.
        event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
        /// EIP-3009: the nonce was used up without a transfer.
        event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

        function name() external view returns (string);
        function version() external view returns (string);
        function balanceOf(address account) external view returns (uint256);
        function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);
        function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;
        function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature) external;
    }

    /// What payments through Permit2 need of a token.
    interface Approvable {
        function allowance(address owner, address spender) external view returns (uint256);
        function approve(address spender, uint256 amount) external returns (bool);
        function decimals() external view returns (uint8);
        function nonces(address owner) external view returns (uint256);
        function DOMAIN_SEPARATOR() external view returns (bytes32);
        function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
    }

    /// Permit2's nonces: one bit each, 256 in a word.
    interface Permit2Nonces {
        /// The owner used nonces up without a transfer.
        event UnorderedNonceInvalidation(address indexed owner, uint256 word, uint256 mask);

        function nonceBitmap(address owner, uint256 word) external view returns (uint256);
    }

    /// The proxy of scheme `exact`.
    interface ExactProxy {
        struct TokenPermissions { address token; uint256 amount; }
        struct PermitTransferFrom { TokenPermissions permitted; uint256 nonce; uint256 deadline; }
        struct EIP2612Permit { uint256 value; uint256 deadline; bytes32 r; bytes32 s; uint8 v; }
        struct Witness { address to; uint256 validAfter; }

        function PERMIT2() external view returns (address);
        function settle(PermitTransferFrom permit, address owner, Witness witness, bytes signature) external;
        function settleWithPermit(EIP2612Permit permit2612, PermitTransferFrom permit, address owner, Witness witness, bytes signature) external;
    }

    /// The proxy of scheme `upto`.
    interface UptoProxy {
        struct TokenPermissions { address token; uint256 amount; }
        struct PermitTransferFrom { TokenPermissions permitted; uint256 nonce; uint256 deadline; }
        struct EIP2612Permit { uint256 value; uint256 deadline; bytes32 r; bytes32 s; uint8 v; }
        struct Witness { address to; address facilitator; uint256 validAfter; }

        function settle(PermitTransferFrom permit, uint256 amount, address owner, Witness witness, bytes signature) external;
        function settleWithPermit(EIP2612Permit permit2612, PermitTransferFrom permit, uint256 amount, address owner, Witness witness, bytes signature) external;
    }

    /// What Permit2 and the proxies revert with.
    interface Permit2Errors {
        error SignatureExpired(uint256 signatureDeadline);
        error InvalidAmount(uint256 maxAmount);
        error InvalidNonce();
        error InvalidSignature();
        error InvalidSigner();
        error InvalidSignatureLength();
        error InvalidContractSignature();
        error InvalidOwner();
        error InvalidDestination();
        error PaymentTooEarly();
        error Permit2612AmountMismatch();
        error AmountExceedsPermitted();
        error UnauthorizedFacilitator();
    }

    /// The proxies' word for an amount of zero; Permit2 has an error of the same name.
    interface ProxyErrors {
        error InvalidAmount();
    }

    /// ERC-1271.
    interface SignatureWallet {
        function isValidSignature(bytes32 hash, bytes signature) external view returns (bytes4);
    }

    /// The part of Multicall3 that simulates two calls in one state.
    interface Multicall {
        struct Call { address target; bytes callData; }
        struct Result { bool success; bytes returnData; }
        function tryAggregate(bool requireSuccess, Call[] calls) external payable returns (Result[] results);
    }

    /// Solidity's `require` with a text.
    error Error(string message);
    /// Solidity's checked arithmetic, bounds and asserts.
    error Panic(uint256 code);
    /// ERC-6093, used by newer token implementations.
    error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
}

/// What revert data says, if it says something readable.
pub(crate) fn revert_reason(data: &[u8]) -> Option<String> {
    if let Ok(Error { message }) = Error::abi_decode(data) {
        return Some(shorten(&message));
    }
    if let Ok(Panic { code }) = Panic::abi_decode(data) {
        return Some(format!("panic {code}"));
    }
    if ERC20InsufficientBalance::abi_decode(data).is_ok() {
        return Some("ERC20: transfer amount exceeds balance".to_owned());
    }
    let selector = data.first_chunk::<4>()?;
    if let Some(name) = Permit2Errors::Permit2ErrorsErrors::name_by_selector(*selector) {
        return Some(name.to_owned());
    }
    if *selector == ProxyErrors::InvalidAmount::SELECTOR {
        return Some("InvalidAmount".to_owned());
    }
    Some(format!("custom error {}", hex::encode_prefixed(selector)))
}

/// Cuts foreign text to a length that is fit for a log line and takes control characters out of it.
pub(crate) fn shorten(text: &str) -> String {
    text.chars()
        .take(MAX_TEXT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Whether a log is the event `E` with exactly these indexed words.
pub(crate) fn is_event<E: SolEvent>(log: &LogInfo, indexed: &[B256]) -> bool {
    log.topics
        .split_first()
        .is_some_and(|(signature, rest)| *signature == E::SIGNATURE_HASH && rest == indexed)
}

/// The only word of a log's data.
pub(crate) fn single_word(log: &LogInfo) -> Option<U256> {
    let word: &[u8; 32] = log.data.as_ref().try_into().ok()?;
    Some(U256::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revert_data_is_read_and_cut() {
        let long = Error {
            message: "a\nb".repeat(200),
        }
        .abi_encode();
        let text = revert_reason(&long).unwrap();
        assert_eq!(text.chars().count(), MAX_TEXT);
        assert!(text.starts_with("a ba b"));
        assert_eq!(
            revert_reason(
                &Panic {
                    code: U256::from(0x11)
                }
                .abi_encode()
            )
            .unwrap(),
            "panic 17"
        );
        assert_eq!(
            revert_reason(&[1, 2, 3, 4, 5]).unwrap(),
            "custom error 0x01020304"
        );
        assert_eq!(revert_reason(&[]), None);
        let nonce = Permit2Errors::InvalidNonce {}.abi_encode();
        assert_eq!(revert_reason(&nonce).unwrap(), "InvalidNonce");
        for data in [
            ProxyErrors::InvalidAmount {}.abi_encode(),
            Permit2Errors::InvalidAmount {
                maxAmount: U256::ONE,
            }
            .abi_encode(),
        ] {
            assert_eq!(revert_reason(&data).unwrap(), "InvalidAmount");
        }
    }

    #[test]
    fn hostile_revert_data_does_not_panic() {
        let good = Error {
            message: "hello".into(),
        }
        .abi_encode();
        for cut in 0..good.len() {
            let _ = revert_reason(&good[..cut]);
        }
        for at in 4..good.len() {
            let mut bad = good.clone();
            bad[at] = 0xff;
            let _ = revert_reason(&bad);
        }
    }
}
