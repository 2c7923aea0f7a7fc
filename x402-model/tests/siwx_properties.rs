//! Properties of sign-in messages: every message has one text, and every text one message.
#![allow(
    clippy::expect_used,
    reason = "a test may stop at the first thing that is not as expected"
)]

use alloy_primitives::Address;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use x402_model::asset::checksum;
use x402_model::extension::siwx::SignatureType;
use x402_model::extension::{SignIn, SignInMessage, base58, timestamp};
use x402_model::wire::headers::DEFAULT_CAP;

fn uri() -> impl Strategy<Value = String> {
    "https://[a-z0-9.]{1,12}(:[0-9]{1,4})?(/[a-zA-Z0-9/._~%?=&-]{0,20})?"
}

fn time() -> impl Strategy<Value = String> {
    (0..4_000_000_000_000_u64).prop_map(timestamp::print)
}

fn statement() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{1,30}",
        Just("URI: https://evil.example/".to_owned()),
        Just("Resources:".to_owned()),
        Just("- x".to_owned()),
        Just("grüße, 世界".to_owned()),
    ]
}

fn account() -> impl Strategy<Value = (SignatureType, String, String)> {
    prop_oneof![
        (any::<[u8; 20]>(), 1..u64::MAX).prop_map(|(bytes, chain)| {
            (
                SignatureType::Eip191,
                checksum(Address::from(bytes)),
                format!("eip155:{chain}"),
            )
        }),
        any::<[u8; 32]>().prop_map(|bytes| {
            let chain = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp".to_owned();
            (SignatureType::Ed25519, base58::encode(&bytes), chain)
        }),
    ]
}

prop_compose! {
    fn message()(
        domain in "[a-z0-9.-]{1,20}(:[0-9]{1,5})?",
        (kind, address, chain_id) in account(),
        statement in option::of(statement()),
        uri in uri(),
        nonce in "[a-zA-Z0-9]{8,40}",
        issued_at in time(),
        expiration_time in option::of(time()),
        not_before in option::of(time()),
        request_id in option::of("[!-~]{0,12}"),
        resources in option::of(vec(uri(), 0..4)),
    ) -> SignInMessage {
        SignInMessage {
            domain, address, statement, uri, version: "1".to_owned(), chain_id, kind, nonce, issued_at, expiration_time,
            not_before, request_id, resources,
        }
    }
}

proptest! {
    #[test]
    fn a_text_reads_back_as_its_message(message in message()) {
        let text = message.text().expect("has a text");
        prop_assert_eq!(SignInMessage::parse(&text), Ok(message));
    }

    #[test]
    fn another_message_has_another_text(a in message(), b in message()) {
        prop_assert_eq!(a == b, a.text() == b.text());
    }

    #[test]
    fn a_damaged_text_is_another_message_or_none(message in message(), at in any::<prop::sample::Index>(), with in "[ -~\n]") {
        let text = message.text().expect("has a text");
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        if let (Some(place), Some(with)) = (chars.get_mut(at), with.chars().next()) {
            *place = with;
        }
        let damaged: String = chars.into_iter().collect();
        if let Ok(read) = SignInMessage::parse(&damaged) {
            prop_assert_eq!(read == message, damaged == text);
            prop_assert_eq!(read.text(), Ok(damaged));
        }
    }

    #[test]
    fn foreign_text_never_panics(text in "\\PC{0,80}", lines in vec("[ -~]{0,20}", 0..20)) {
        let _ = SignInMessage::parse(&text);
        let _ = SignInMessage::parse(&lines.join("\n"));
        let _ = SignIn::from_header(text.as_bytes(), DEFAULT_CAP);
        let _ = (timestamp::read(&text), base58::decode(&text));
    }

    #[test]
    fn headers_read_back(message in message(), signature in "0x[0-9a-f]{130}") {
        let sign_in = SignIn { message, signature, signature_scheme: None };
        let header = sign_in.to_header().expect("has a header");
        prop_assert_eq!(SignIn::from_header(header.as_bytes(), usize::MAX), Ok(sign_in));
    }

    #[test]
    fn times_and_base58_read_back(ms in 0..253_402_300_800_000_u64, bytes in vec(any::<u8>(), 0..70)) {
        prop_assert_eq!(timestamp::read(&timestamp::print(ms)), Some(ms));
        prop_assert_eq!(base58::decode(&base58::encode(&bytes)), Some(bytes));
    }
}
