use std::collections::HashSet;

use super::known::ALL;
use super::{Network, NetworkError};

#[test]
fn known_names_and_ids_are_unique_and_valid() {
    let names: HashSet<_> = ALL.iter().map(|known| known.name).collect();
    let networks: HashSet<_> = ALL.iter().map(super::known::Known::network).collect();
    assert_eq!((names.len(), networks.len()), (ALL.len(), ALL.len()));
    for known in ALL {
        let network = known.network();
        assert_eq!(network.to_string().parse(), Ok(network.clone()));
        assert_eq!(Network::parse_any(known.name), Ok(network.clone()));
        assert_eq!(network.name(), Some(known.name));
        assert_eq!(network.short_name().is_some(), known.v1);
        assert_eq!(Network::from_short_name(known.name).is_some(), known.v1);
    }
}

#[test]
fn caip2_is_read_strictly() {
    for good in [
        "eip155:1",
        "eip155:18446744073709551615",
        "cosmos:cosmoshub-3",
        "abc:A_b-9",
        "bip122:0000000000",
    ] {
        assert_eq!(
            good.parse::<Network>().map(|network| network.to_string()),
            Ok(good.to_owned()),
            "{good}"
        );
    }
    let code = |text: &str| text.parse::<Network>().err();
    for text in [
        "eip155:01",
        "eip155:",
        "eip155:+1",
        "eip155:1 ",
        "eip155:18446744073709551616",
        "eip155:0x1",
        "eip155:1:2",
    ] {
        assert!(
            matches!(code(text), Some(NetworkError::ChainId { .. })),
            "{text}"
        );
    }
    for text in [
        "EIP155:1",
        "ab:1",
        "abcdefghi:1",
        " eip155:1",
        ":1",
        "ei_p:1",
    ] {
        assert!(
            matches!(code(text), Some(NetworkError::Namespace { .. })),
            "{text}"
        );
    }
    for text in [
        "solana:",
        "solana:a b",
        "solana:é",
        "solana:123456789012345678901234567890123",
        "abc:d:e",
    ] {
        assert!(
            matches!(code(text), Some(NetworkError::Reference { .. })),
            "{text}"
        );
    }
    let endless = "a".repeat(100_000) + ":1";
    assert!(matches!(code(&endless), Some(NetworkError::NotCaip2 { name }) if name.len() <= 80));
    assert!(matches!(code("base"), Some(NetworkError::NotCaip2 { .. })));
}

#[test]
fn wrong_names_get_a_suggestion() {
    for (wrong, right) in [
        ("bass", "base"),
        ("Base", "base"),
        ("base_sepolia", "base-sepolia"),
        ("arbitum", "arbitrum"),
    ] {
        let Err(NetworkError::Unknown { suggestion, .. }) = Network::parse_any(wrong) else {
            panic!("{wrong}")
        };
        assert_eq!(suggestion, Some(right), "{wrong}");
    }
    assert!(matches!(
        Network::parse_any("zzzz"),
        Err(NetworkError::Unknown {
            suggestion: None,
            ..
        })
    ));
}

#[test]
fn only_the_star_is_special_in_patterns() {
    let base = Network::BASE;
    for pattern in [
        "*",
        "eip155:*",
        "eip155:8453",
        "*:8453",
        "e*5:*3",
        "**",
        "eip155:8453*",
        "*8*4*5*3*",
    ] {
        assert!(base.matches(pattern), "{pattern}");
    }
    for pattern in [
        "",
        "eip155:845?",
        "eip155:.*",
        "solana:*",
        "eip155:845",
        "*84532",
        "eip155:8453*3",
        "[e]*",
        "EIP155:*",
    ] {
        assert!(!base.matches(pattern), "{pattern}");
    }
}

#[test]
fn serde_is_the_caip2_string() {
    let json = serde_json::to_string(&Network::BASE).unwrap();
    assert_eq!(json, "\"eip155:8453\"");
    assert_eq!(
        serde_json::from_str::<Network>(&json).unwrap(),
        Network::BASE
    );
    assert!(serde_json::from_str::<Network>("\"base\"").is_err());
    assert!(serde_json::from_str::<Network>("8453").is_err());
}

#[test]
fn testnets_are_known() {
    assert_eq!(Network::BASE.is_testnet(), Some(false));
    assert_eq!(Network::BASE_SEPOLIA.is_testnet(), Some(true));
    assert_eq!(Network::evm(999_999_999).is_testnet(), None);
}
