use std::collections::HashSet;

use super::{Action, Charged, Problem, ProblemCode};

#[test]
fn codes_are_unique_snake_case_and_found_again() {
    let codes: HashSet<_> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes.len(), ProblemCode::ALL.len());
    for code in ProblemCode::ALL.iter().copied() {
        let text = code.as_str();
        assert!(
            text.bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')),
            "{text}"
        );
        assert_eq!(ProblemCode::from_code(text), Some(code));
        assert!(
            code.detail().ends_with('.') && code.detail().len() < 240,
            "{text}"
        );
        assert!(matches!(code.http_status(), 400..=599), "{text}");
    }
}

#[test]
fn what_was_charged_fits_what_to_do() {
    for code in ProblemCode::ALL.iter().copied() {
        let (charged, action) = (code.charged(), code.action());
        if charged != Charged::No {
            let safe = [Action::RetrySamePayment, Action::AskHuman, Action::Stop];
            assert!(
                safe.contains(&action),
                "{code} may have charged, so it must not ask for more money"
            );
        }
        match code.http_status() {
            402 => assert!(
                code.reason().is_some() && code.retry_after().is_none(),
                "{code}"
            ),
            409 => assert!(
                matches!(action, Action::RetrySamePayment | Action::NewPayment),
                "{code}"
            ),
            503 => {
                assert!(matches!(code.retry_after(), Some(1..=60)), "{code}");
                assert!(
                    matches!(action, Action::Wait | Action::RetrySamePayment),
                    "{code}"
                );
            }
            _ => {}
        }
        if action == Action::Pay {
            assert_eq!(code, ProblemCode::PaymentRequired);
        }
        if action == Action::Wait {
            assert!(code.retry_after().is_some(), "{code}");
        }
    }
}

#[test]
fn reasons_lead_back_to_codes() {
    for code in ProblemCode::ALL.iter().copied() {
        let Some(reason) = code.reason() else {
            continue;
        };
        let found = ProblemCode::from_reason(reason).unwrap();
        assert_eq!(found.reason(), Some(reason), "{code}");
    }
    let long = "invalid_exact_evm_transaction_failed: execution reverted\nat line 2";
    assert_eq!(
        ProblemCode::from_reason(long),
        Some(ProblemCode::TransactionFailed)
    );
    assert_eq!(
        ProblemCode::from_reason("Unsupported x402 version: 3"),
        Some(ProblemCode::UnsupportedVersion)
    );
    assert_eq!(
        ProblemCode::from_reason("insufficient_funds"),
        Some(ProblemCode::InsufficientBalance)
    );
    assert_eq!(ProblemCode::from_reason("settlement_pendingx"), None);
}

#[test]
fn bodies_hold_codes_but_no_foreign_text() {
    let body = Problem::new(ProblemCode::SettlementPending)
        .payment_id("p1")
        .transaction("0xabc", "eip155:8453")
        .with_reason("<html>oops</html>")
        .to_json();
    assert_eq!(
        body,
        serde_json::json!({
            "code": "settlement_pending", "status": 503, "charged": "maybe", "action": "retry-same-id",
            "detail": ProblemCode::SettlementPending.detail(), "retryAfter": 2, "reason": "settlement_pending",
            "paymentId": "p1", "transaction": "0xabc", "network": "eip155:8453",
        })
    );
    let body = Problem::from(ProblemCode::PaymentInvalid)
        .with_reason("kyt_blocked")
        .extension("bazaar")
        .wait(7)
        .to_json();
    assert_eq!(
        (&body["reason"], &body["extension"], &body["retryAfter"]),
        (&"kyt_blocked".into(), &"bazaar".into(), &7.into())
    );
}
