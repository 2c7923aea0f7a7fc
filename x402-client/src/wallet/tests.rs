//! Signatures against the reference's, derived nonces, key files and keystores.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use alloy_primitives::{Signature as EvmSignature, U256, b256};
use alloy_signer::Signer;
use serde_json::value::RawValue;
use tempfile::TempDir;
use x402_model::asset::AssetTable;
use x402_model::evm::{Authorization, EvmPayload, Permit2Payload};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

use super::*;
use crate::select::{Rail, token_domain};
use crate::terms::Version;

const ANVIL_0: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

fn wallet() -> Wallet {
    Wallet::from_local_key(ANVIL_0.parse().unwrap())
}

fn choice(version: Version) -> Choice {
    let table = AssetTable::builtin();
    let asset = table
        .by_symbol(&Network::BASE_SEPOLIA, "USDC")
        .unwrap()
        .clone();
    Choice {
        version,
        index: 0,
        accepted: RawValue::NULL.to_owned(),
        network_text: "base-sepolia".into(),
        chain_id: 84_532,
        rail: Rail::Eip3009(token_domain(&asset, 84_532).unwrap()),
        asset,
        amount: AtomicAmount::from_u128(10_000),
        pay_to: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
            .parse()
            .unwrap(),
        validity: 60,
    }
}

async fn sign(wallet: &Wallet, choice: &Choice, nonce: B256) -> Result<EvmPayload, SigningError> {
    wallet
        .sign(wallet.unsigned(choice, nonce, 1_790_000_000))
        .await
}

async fn authorization(choice: &Choice, now: u64) -> Authorization {
    let wallet = wallet();
    let unsigned = wallet.unsigned(choice, B256::ZERO, now);
    match wallet.sign(unsigned).await.unwrap() {
        EvmPayload::Eip3009(payload) => payload.authorization,
        EvmPayload::Permit2(_) => panic!("not by EIP-3009"),
    }
}

#[derive(serde::Deserialize)]
struct Permit2Vectors {
    cases: Vec<Permit2Case>,
}

#[derive(serde::Deserialize)]
struct Permit2Case {
    name: String,
    input: serde_json::Value,
    expected: serde_json::Value,
}

/// `permit2.json`: the reference's payloads for `exact` and `upto`, signatures bit for bit.
#[tokio::test]
async fn permit2_payloads_equal_the_reference() {
    let text = include_str!("../../../x402-model/tests/data/permit2.json");
    let vectors: Permit2Vectors = serde_json::from_str(text).unwrap();
    assert_eq!(vectors.cases.len(), 4);
    for case in vectors.cases {
        let terms = &case.input["requirements"];
        let text = |pointer: &str| terms.pointer(pointer).unwrap().as_str().unwrap();
        let network: Network = text("/network").parse().unwrap();
        let asset = AssetTable::builtin();
        let asset = asset
            .get(&network, text("/asset").parse().unwrap())
            .unwrap();
        let rail = match text("/scheme") {
            "upto" => Rail::Upto {
                facilitator: text("/extra/facilitatorAddress").parse().unwrap(),
            },
            _ => Rail::Permit2,
        };
        let choice = Choice {
            chain_id: network.chain_id().unwrap(),
            rail,
            asset: asset.clone(),
            amount: text("/amount").parse().unwrap(),
            pay_to: text("/payTo").parse().unwrap(),
            validity: terms["maxTimeoutSeconds"].as_u64().unwrap(),
            ..choice(Version::V2)
        };
        let wanted = &case.expected["payload"];
        let read = Permit2Payload::parse(wanted).unwrap();
        let nonce = B256::from(read.authorization.nonce);
        let payload = sign(&wallet(), &choice, nonce).await.unwrap();
        assert_eq!(&payload.to_json(), wanted, "{}", case.name);
        assert_eq!(payload.kind(), choice.kind(), "{}", case.name);
    }
}

/// `http_client.json`: the reference's signatures, bit for bit, in both versions.
#[tokio::test]
async fn signatures_equal_the_reference() {
    let nonce = b256!("0x8990979ea5acb3bac1c8cfd6dde4ebf2f900070e151c232a31383f464d545b62");
    for (version, expected) in [
        (
            Version::V2,
            "0xa12195fc8a245652fccb5d7ef07ae288498012d16e39b9bc51559a5e197f017712ebe8fb4c00fed17421ff23c26c6d69ba34cdbc2c7b29d6b6c4796616e7e75a1b",
        ),
        (
            Version::V1,
            "0x3ad664ce925bf9fda0670663d2041ae4cd980756580f55b86e529ef0a687194314c67ffb70a596b5a86dbbf53ecdb091c7f0c6ab579cc2e7d9dfc21ac9d7c6601c",
        ),
    ] {
        let payload = sign(&wallet(), &choice(version), nonce).await.unwrap();
        assert_eq!(payload.signature().to_hex(), expected, "{version:?}");
    }
}

/// A signer that misbehaves as told.
struct OddSigner {
    key: PrivateKeySigner,
    oddity: Oddity,
}

#[derive(Clone, Copy)]
enum Oddity {
    HighS,
    OtherKey,
    Fails,
}

impl Signer for OddSigner {
    fn sign_hash<'a, 'b, 'c>(
        &'a self,
        hash: &'b B256,
    ) -> Pin<Box<dyn Future<Output = alloy_signer::Result<EvmSignature>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            let good = self.key.sign_hash(hash).await?;
            match self.oddity {
                Oddity::HighS => {
                    let order = U256::from_str_radix(
                        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
                        16,
                    );
                    Ok(EvmSignature::new(
                        good.r(),
                        order.unwrap() - good.s(),
                        !good.v(),
                    ))
                }
                Oddity::OtherKey => PrivateKeySigner::random().sign_hash(hash).await,
                Oddity::Fails => Err(alloy_signer::Error::message("secret-path/token=abc")),
            }
        })
    }

    fn address(&self) -> Address {
        self.key.address()
    }

    fn chain_id(&self) -> Option<u64> {
        None
    }

    fn set_chain_id(&mut self, _: Option<u64>) {}
}

#[tokio::test]
async fn signatures_are_low_s_and_by_the_wallet_or_not_sent_at_all() {
    let odd = |oddity| {
        Wallet::from_signer(OddSigner {
            key: ANVIL_0.parse().unwrap(),
            oddity,
        })
    };
    let choice = choice(Version::V2);
    let straight = sign(&wallet(), &choice, B256::ZERO).await.unwrap();
    let normalised = sign(&odd(Oddity::HighS), &choice, B256::ZERO)
        .await
        .unwrap();
    assert_eq!(normalised, straight);
    let parts = normalised.signature().split().unwrap();
    assert!(parts.is_low_s());
    assert!(matches!(
        normalised.signature().as_bytes().last(),
        Some(27 | 28)
    ));
    assert_eq!(
        sign(&odd(Oddity::OtherKey), &choice, B256::ZERO).await,
        Err(SigningError::WrongKey)
    );
    let failed = sign(&odd(Oddity::Fails), &choice, B256::ZERO)
        .await
        .unwrap_err();
    assert_eq!(failed, SigningError::Signer);
    assert!(!format!("{failed} {failed:?}").contains("secret"));
}

fn fingerprint(method: &str, url: &str, body: &[u8]) -> CallFingerprint {
    CallFingerprint::new(method, url, body)
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn derived_nonces_repeat_for_the_same_call_and_differ_for_any_other() {
    let base = choice(Version::V2);
    let derive = |wallet: &Wallet, key: &str, call: &CallFingerprint, choice: &Choice| {
        wallet.derive_nonce(key, call, choice).unwrap()
    };
    let call = fingerprint("GET", "https://a.example/x", b"");
    let first = derive(&wallet(), "order-17", &call, &base);
    assert_eq!(
        first,
        derive(
            &wallet(),
            "order-17",
            &fingerprint("GET", "https://a.example/x", b""),
            &base
        )
    );
    let other_amount = Choice {
        amount: AtomicAmount::from_u128(10_001),
        ..base.clone()
    };
    let other_payee = Choice {
        pay_to: Address::repeat_byte(1),
        ..base.clone()
    };
    let mut other_chain = base.clone();
    other_chain.chain_id = 8453;
    let mut other_asset = base.clone();
    other_asset.asset.address = Address::repeat_byte(2);
    let through_permit2 = Choice {
        rail: Rail::Permit2,
        ..base.clone()
    };
    let others = [
        derive(&wallet(), "order-17", &call, &through_permit2),
        derive(&wallet(), "order-18", &call, &base),
        derive(
            &wallet(),
            "order-17",
            &fingerprint("POST", "https://a.example/x", b""),
            &base,
        ),
        derive(
            &wallet(),
            "order-17",
            &fingerprint("GET", "https://a.example/x?q", b""),
            &base,
        ),
        derive(
            &wallet(),
            "order-17",
            &fingerprint("GET", "https://a.example/x", b"1"),
            &base,
        ),
        derive(
            &wallet(),
            "order-17",
            &fingerprint("GEThttps:", "//a.example/x", b""),
            &base,
        ),
        derive(&wallet(), "order-17", &call, &other_amount),
        derive(&wallet(), "order-17", &call, &other_payee),
        derive(&wallet(), "order-17", &call, &other_chain),
        derive(&wallet(), "order-17", &call, &other_asset),
        derive(&wallet().with_salt([1; 32]), "order-17", &call, &base),
        derive(
            &Wallet::from_local_key(PrivateKeySigner::random()),
            "order-17",
            &call,
            &base,
        ),
    ];
    let distinct: std::collections::BTreeSet<_> = others.iter().chain([&first]).collect();
    assert_eq!(distinct.len(), others.len() + 1);
    // The schemes of Permit2 share its nonces, so that a seller that changes from one to the other is paid once.
    let upto = Choice {
        rail: Rail::Upto {
            facilitator: Address::repeat_byte(9),
        },
        ..base.clone()
    };
    assert_eq!(
        derive(&wallet(), "order-17", &call, &through_permit2),
        derive(&wallet(), "order-17", &call, &upto)
    );
    // A validity that differs after a restart does not change the nonce: the token settles one of the two at most.
    assert_eq!(
        first,
        derive(
            &wallet(),
            "order-17",
            &call,
            &Choice {
                validity: 1,
                ..base
            }
        )
    );
}

#[test]
fn a_signer_without_salt_derives_nothing() {
    let key: PrivateKeySigner = ANVIL_0.parse().unwrap();
    let call = fingerprint("GET", "https://a.example/x", b"");
    let refused = Wallet::from_signer(key).derive_nonce("k", &call, &choice(Version::V2));
    assert_eq!(refused, Err(SigningError::NoSalt));
}

#[test]
fn random_nonces_differ() {
    assert_ne!(OsNonces.nonce().unwrap(), OsNonces.nonce().unwrap());
}

#[test]
fn k03_debug_shows_the_address_and_nothing_else() {
    let shown = format!("{:?}", wallet());
    assert!(
        shown
            .to_lowercase()
            .contains("f39fd6e51aad88f6f4ce6ab8827279cfffb92266"),
        "{shown}"
    );
    let salt = hex_of(wallet().salt.unwrap().as_slice());
    assert!(
        !shown.contains(&ANVIL_0[..8]) && !shown.contains(&salt[..8]),
        "{shown}"
    );
}

fn hex_of(bytes: &[u8]) -> String {
    alloy_primitives::hex::encode(bytes)
}

struct Dir(TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        set_mode(&path, mode);
        path
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}

#[test]
fn key_files_are_read_in_the_usual_spellings() {
    let dir = Dir::new();
    for (name, text) in [
        ("plain", ANVIL_0.to_owned()),
        (
            "prefixed",
            format!(
                "0x{ANVIL_0}
"
            ),
        ),
        (
            "spaced",
            format!(
                "  {}

",
                ANVIL_0.to_uppercase()
            ),
        ),
    ] {
        let loaded = Wallet::from_key_file(dir.write(name, text, 0o600)).unwrap();
        assert_eq!(loaded.address(), wallet().address(), "{name}");
        assert_eq!(loaded.salt, wallet().salt, "{name}");
    }
    assert!(Wallet::from_key_file(dir.write("readonly", ANVIL_0, 0o400)).is_ok());
}

#[cfg(unix)]
#[test]
fn k02_key_files_that_others_can_touch_are_refused() {
    let dir = Dir::new();
    for mode in [
        0o644, 0o640, 0o660, 0o604, 0o602, 0o610, 0o601, 0o700, 0o777,
    ] {
        let path = dir.write("key", ANVIL_0, mode);
        assert!(
            matches!(Wallet::from_key_file(&path), Err(WalletError::Shared { mode: found }) if found == mode)
        );
        let keystore = Wallet::from_keystore("unused", &path);
        assert!(
            matches!(keystore, Err(WalletError::Shared { .. })),
            "password files as well: {mode:o}"
        );
    }
}

#[test]
fn a16_bad_key_files_are_refused_without_repeating_them() {
    let dir = Dir::new();
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let zero = "0".repeat(64);
    let pasted = format!("{ANVIL_0} # my key");
    for text in [
        "",
        "0x",
        &ANVIL_0[..62],
        &zero,
        order,
        &pasted,
        "not a key at all",
    ] {
        let error = Wallet::from_key_file(dir.write("key", text, 0o600)).unwrap_err();
        assert!(matches!(error, WalletError::NotAKey), "{text}: {error}");
        assert!(!format!("{error} {error:?}").contains(&ANVIL_0[..8]));
    }
    assert!(matches!(
        Wallet::from_key_file(dir.write("key", [b'a'; 5_000], 0o600)),
        Err(WalletError::TooLong { .. })
    ));
    assert!(matches!(
        Wallet::from_key_file(dir.0.path()),
        Err(WalletError::NotAFile)
    ));
    assert!(matches!(
        Wallet::from_key_file(dir.0.path().join("absent")),
        Err(WalletError::Io(_))
    ));
}

/// A version 3 keystore with a cheap PBKDF2, made with the standard's own test vector
/// (password `testpassword`, key `7a28b5ba…`), rounds as published.
const KEYSTORE: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;

#[test]
fn k07_keystores_open_with_their_password_only() {
    let dir = Dir::new();
    let keystore = dir.write("keystore", KEYSTORE, 0o644);
    let opened = Wallet::from_keystore(
        &keystore,
        dir.write(
            "password",
            "testpassword
",
            0o600,
        ),
    )
    .unwrap();
    let key: PrivateKeySigner = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
        .parse()
        .unwrap();
    assert_eq!(opened.address(), key.address());
    let typed = Wallet::from_keystore_with_password(&keystore, "testpassword").unwrap();
    assert_eq!(typed.address(), opened.address());
    for (typed, is_wrong) in [("Testpassword", true), ("", false)] {
        let refused = Wallet::from_keystore_with_password(&keystore, typed).unwrap_err();
        assert_eq!(matches!(refused, WalletError::WrongPassword), is_wrong);
        assert_eq!(matches!(refused, WalletError::EmptyPassword), !is_wrong);
    }
    let wrong = Wallet::from_keystore(&keystore, dir.write("wrong", "Testpassword", 0o600));
    assert!(matches!(wrong, Err(WalletError::WrongPassword)));
    for empty in [
        "",
        "
",
        "
password",
    ] {
        let refused = Wallet::from_keystore(&keystore, dir.write("empty", empty, 0o600));
        assert!(matches!(refused, Err(WalletError::EmptyPassword)));
    }
}

/// The library that opens keystores would panic on or hash for hours with each of these.
#[test]
fn hostile_keystores_are_errors() {
    let dir = Dir::new();
    let password = dir.write("password", "testpassword", 0o600);
    for (from, to) in [
        ("\"dklen\":32", "\"dklen\":1"),
        ("\"dklen\":32", "\"dklen\":4294967295"),
        ("\"c\":262144", "\"c\":0"),
        ("\"c\":262144", "\"c\":4294967295"),
        ("6087dab2f9fdbbfaddc31a909735c1e6", "60"),
        ("5318b4d5", ""),
        ("\"version\":3", "\"version\":1"),
        ("aes-128-ctr", "aes-256-gcm"),
        ("pbkdf2", "scrypt"),
        ("\"c\":262144,", "\"n\":1073741824,\"r\":8,\"p\":1,"),
        (KEYSTORE, "{}"),
        (KEYSTORE, ""),
    ] {
        let keystore = dir.write("keystore", KEYSTORE.replacen(from, to, 1), 0o600);
        let refused = Wallet::from_keystore(&keystore, &password);
        assert!(matches!(refused, Err(WalletError::NotAKeystore)), "{to}");
    }
}

#[tokio::test]
async fn validity_is_counted_from_the_clock() {
    let signed = authorization(&choice(Version::V2), 100).await;
    assert_eq!(
        (signed.valid_after, signed.valid_before),
        (U256::ZERO, U256::from(160))
    );
    let authorization = authorization(&choice(Version::V1), 100).await;
    assert_eq!(
        authorization.valid_after,
        U256::ZERO,
        "a clock before 600 does not underflow"
    );
    let long = Choice {
        validity: u64::MAX,
        ..choice(Version::V2)
    };
    assert_eq!(valid_before(&long, 100), u64::MAX);
}
