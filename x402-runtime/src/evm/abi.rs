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
    data.first_chunk::<4>()
        .map(|selector| format!("custom error {}", hex::encode_prefixed(selector)))
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
