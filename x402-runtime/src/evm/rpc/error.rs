//! Sorts what nodes answer in errors. Every node has its own words for the same things.

use alloy_json_rpc::{ErrorPayload, RpcError};
use alloy_primitives::Bytes;
use alloy_transport::{TransportError, TransportErrorKind};

use crate::evm::abi::{revert_reason, shorten};
use crate::evm::chain::{CallError, ChainError, SendError};

/// Any error, for questions that cannot revert.
pub(super) fn chain_error(error: TransportError) -> ChainError {
    match error {
        RpcError::ErrorResp(payload) => refused(&payload),
        RpcError::Transport(TransportErrorKind::Custom(inner)) => {
            match inner.downcast::<ChainError>() {
                Ok(error) => *error,
                Err(_) => ChainError::Unreachable("the transport failed".to_owned()),
            }
        }
        RpcError::Transport(_) => ChainError::Unreachable("the transport failed".to_owned()),
        // Their texts repeat the answer, which is foreign.
        RpcError::DeserError { .. } | RpcError::NullResp => {
            ChainError::BadAnswer("a result of another shape".to_owned())
        }
        _ => ChainError::BadAnswer("the request could not be made".to_owned()),
    }
}

fn refused(payload: &ErrorPayload) -> ChainError {
    ChainError::Refused {
        code: payload.code,
        message: shorten(&payload.message),
    }
}

/// The error of a call: a revert, if the node says so in any of the known ways.
pub(super) fn call_error(error: TransportError) -> CallError {
    let RpcError::ErrorResp(payload) = &error else {
        return chain_error(error).into();
    };
    let data = revert_data(payload);
    if payload.code != 3 && data.is_none() && !says_revert(&payload.message) {
        return refused(payload).into();
    }
    let data = data.unwrap_or_default();
    let message = revert_reason(&data).unwrap_or_else(|| shorten(&payload.message));
    CallError::Revert { data, message }
}

fn says_revert(message: &str) -> bool {
    const SIGNS: [&str; 7] = [
        "revert",
        "out of gas",
        "outofgas",
        "invalid opcode",
        "gas required exceeds",
        "always failing",
        "vm execution error",
    ];
    let message = message.to_ascii_lowercase();
    SIGNS.iter().any(|sign| message.contains(sign))
}

/// Revert data is a hex string, alone or in an object, and some nodes put a word before it.
fn revert_data(payload: &ErrorPayload) -> Option<Bytes> {
    let value: serde_json::Value = serde_json::from_str(payload.data.as_ref()?.get()).ok()?;
    let text = value.as_str().or_else(|| value.get("data")?.as_str())?;
    let hex = text.strip_prefix("Reverted ").unwrap_or(text);
    hex.starts_with("0x").then(|| hex.parse().ok())?
}

/// What nodes say of a transaction that no node will ever take as it is.
const MALFORMED: [&str; 12] = [
    "intrinsic gas",
    "exceeds block gas limit",
    "gas limit",
    "gas cap",
    "invalid sender",
    "invalid signature",
    "invalid chain id",
    "chain id",
    "rlp",
    "type not supported",
    "oversized",
    "max priority fee per gas higher",
];

/// The error of a broadcast. Only words that are known to mean "not taken" count as a no.
pub(super) fn send_error(error: TransportError) -> SendError {
    let RpcError::ErrorResp(payload) = &error else {
        return SendError::Unsure(chain_error(error));
    };
    let text = payload.message.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if has(&[
        "already known",
        "known transaction",
        "already imported",
        "alreadyknown",
        "already in mempool",
    ]) {
        SendError::AlreadyKnown
    } else if has(&[
        "nonce too low",
        "nonce is too low",
        "oldnonce",
        "nonce has already been used",
    ]) {
        SendError::NonceTooLow
    } else if has(&["nonce too high", "nonce gap", "nonce is too high"]) {
        SendError::NonceTooHigh
    } else if has(&[
        "underpriced",
        "fee too low",
        "less than block base fee",
        "feetoolow",
        "gas price too low",
    ]) {
        SendError::Underpriced(shorten(&payload.message))
    } else if has(&["insufficient funds", "insufficient balance"]) {
        SendError::InsufficientFunds
    } else if matches!(payload.code, -32003 | -32602) || (payload.code == -32000 && has(&MALFORMED))
    {
        // "Transaction rejected" and "invalid parameters" have codes of their own. The code -32000 means anything,
        // a gateway's timeout behind which the transaction was passed on included, so it needs the words too.
        SendError::Rejected(shorten(&payload.message))
    } else {
        SendError::Unsure(refused(payload))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn payload(code: i64, message: &str, data: Option<&str>) -> TransportError {
        let data = data.map(|data| RawValue::from_string(data.to_owned()).unwrap());
        RpcError::ErrorResp(ErrorPayload {
            code,
            message: message.to_owned().into(),
            data,
        })
    }

    #[test]
    fn broadcast_errors_of_several_nodes_are_sorted() {
        let send = |code, message: &str| send_error(payload(code, message, None));
        assert_eq!(send(-32000, "already known"), SendError::AlreadyKnown);
        assert_eq!(
            send(-32603, "transaction already imported"),
            SendError::AlreadyKnown
        );
        assert_eq!(
            send(-32000, "nonce too low: next nonce 5, tx nonce 4"),
            SendError::NonceTooLow
        );
        assert_eq!(
            send(-32010, "OldNonce, Current nonce: 5"),
            SendError::NonceTooLow
        );
        assert!(matches!(
            send(-32000, "replacement transaction underpriced"),
            SendError::Underpriced(_)
        ));
        assert_eq!(
            send(-32003, "Insufficient funds for gas * price + value"),
            SendError::InsufficientFunds
        );
        assert!(matches!(
            send(-32000, "intrinsic gas too low"),
            SendError::Rejected(_)
        ));
        // None of these says that the node did not pass it on.
        for (code, message) in [
            (-32603, "Internal error"),
            (-32005, "rate limited"),
            (-32000 - 99, "backend timeout"),
            (-32000, "upstream request timeout"),
            (-32000, "header not found"),
        ] {
            assert!(
                matches!(send(code, message), SendError::Unsure(_)),
                "{message}"
            );
        }
    }

    #[test]
    fn reverts_of_several_nodes_are_recognised() {
        let text = "0x08c379a0000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000000000000000000000000000000000026869000000000000000000000000000000000000000000000000000000000000";
        let forms = [
            (3, "execution reverted: hi", format!("{text:?}")),
            (
                -32015,
                "VM execution error.",
                format!("\"Reverted {text}\""),
            ),
            (
                -32000,
                "execution reverted",
                format!("{{\"data\":{text:?}}}"),
            ),
        ];
        for (code, message, data) in forms {
            match call_error(payload(code, message, Some(&data))) {
                CallError::Revert { message, .. } => assert_eq!(message, "hi"),
                error => panic!("{error}"),
            }
        }
        assert!(matches!(
            call_error(payload(-32000, "out of gas", None)),
            CallError::Revert { .. }
        ));
        for message in ["header not found", "rate limited", "missing trie node"] {
            assert!(
                matches!(
                    call_error(payload(-32000, message, None)),
                    CallError::Chain(_)
                ),
                "{message}"
            );
        }
    }
}
