//! Tokens are read and verified by other libraries than the one that makes them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Verifier as _;
use p256::ecdsa::signature::Verifier as _;
use p256::elliptic_curve::pkcs8::{EncodePrivateKey as _, LineEnding};
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::facilitator::http::Operation;
use crate::secret::SecretFileError;

const KEY_ID: &str = "organizations/0d0c/apiKeys/5f1e";
const NOW: u64 = 1_790_000_000;

fn p256_key() -> p256::SecretKey {
    p256::SecretKey::from_slice(&[7; 32]).unwrap()
}

fn pkcs8() -> String {
    let pem = p256_key().to_pkcs8_pem(LineEnding::LF).unwrap();
    pem.as_str().to_owned()
}

/// As OpenSSL writes it, with the parameters of the curve in a block of their own.
fn sec1() -> String {
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let pem = p256_key().to_sec1_pem(LineEnding::CRLF).unwrap();
    format!("{parameters}{}", pem.as_str())
}

fn ed25519_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[9; 32])
}

fn ed25519() -> String {
    STANDARD.encode(ed25519_key().to_keypair_bytes())
}

fn auth(key: &str) -> CdpAuth {
    CdpAuth::from_key(KEY_ID, key)
        .unwrap()
        .clock(ManualClock::at_seconds(NOW))
}

const fn call(operation: Operation, path: &str) -> Call<'_> {
    Call {
        operation,
        method: operation.method(),
        host: "api.cdp.coinbase.com",
        path,
    }
}

fn settle() -> Call<'static> {
    call(Operation::Settle, "/platform/v2/x402/settle")
}

/// The signed text, the header, the claims and the signature of the token for a call.
fn token(auth: &CdpAuth, call: Call<'_>) -> (String, Value, Value, Vec<u8>) {
    let headers = auth.make(call).unwrap();
    let (name, value) = &headers[0];
    assert_eq!(name, AUTHORIZATION);
    assert!(value.is_sensitive());
    let token = value.to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let object = |part: &str| serde_json::from_slice(&bytes(part)).unwrap();
    (
        format!("{}.{}", parts[0], parts[1]),
        object(parts[0]),
        object(parts[1]),
        bytes(parts[2]),
    )
}

#[test]
fn header_and_claims_are_exactly_those_of_the_protocol() {
    for (key, algorithm) in [(pkcs8(), "ES256"), (sec1(), "ES256"), (ed25519(), "EdDSA")] {
        let (_, header, claims, _) = token(&auth(&key), settle());
        let nonce = header["nonce"].as_str().unwrap();
        assert_eq!(nonce.len(), 32);
        assert!(nonce.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(
            header,
            json!({ "alg": algorithm, "kid": KEY_ID, "typ": "JWT", "nonce": nonce })
        );
        assert_eq!(
            claims,
            json!({
                "sub": KEY_ID, "iss": "cdp",
                "uris": ["POST api.cdp.coinbase.com/platform/v2/x402/settle"],
                "iat": NOW, "nbf": NOW, "exp": NOW + 120,
            })
        );
    }
    let (_, _, claims, _) = token(
        &auth(&ed25519()).audience("cdp_service"),
        call(Operation::Supported, "/platform/v2/x402/supported"),
    );
    assert_eq!(claims["aud"], json!(["cdp_service"]));
    assert_eq!(
        claims["uris"],
        json!(["GET api.cdp.coinbase.com/platform/v2/x402/supported"])
    );
}

#[test]
fn other_libraries_verify_the_signatures() {
    let public = p256::ecdsa::VerifyingKey::from(p256_key().public_key());
    for key in [pkcs8(), sec1()] {
        let (text, _, _, signature) = token(&auth(&key), settle());
        let signature = p256::ecdsa::Signature::from_slice(&signature).unwrap();
        public.verify(text.as_bytes(), &signature).unwrap();
        assert!(public.verify(b"another text", &signature).is_err());
    }
    let public = ed25519_key().verifying_key();
    let (text, _, _, signature) = token(&auth(&ed25519()), settle());
    let signature = ed25519_dalek::Signature::from_slice(&signature).unwrap();
    public.verify(text.as_bytes(), &signature).unwrap();
    assert!(public.verify(b"another text", &signature).is_err());
}

#[test]
fn every_call_gets_a_token_of_its_own() {
    let auth = auth(&ed25519());
    let nonces: BTreeSet<String> = (0..100)
        .map(|_| token(&auth, settle()).1["nonce"].to_string())
        .collect();
    assert_eq!(nonces.len(), 100);
}

#[test]
fn the_provider_learns_which_software_calls() {
    let version = env!("CARGO_PKG_VERSION");
    let said = |auth: CdpAuth| {
        let headers = auth.make(settle()).unwrap();
        assert_eq!(headers[1].0, "correlation-context");
        headers[1].1.to_str().unwrap().to_owned()
    };
    assert_eq!(
        said(auth(&ed25519())),
        format!("sdk_version={version},sdk_language=rust,source=x402,source_version={version}")
    );
    assert_eq!(
        said(auth(&ed25519()).source("my shop, ü", "1.0+2")),
        format!(
            "sdk_version={version},sdk_language=rust,source=my%20shop%2C%20%C3%BC,source_version=1.0%2B2"
        )
    );
}

/// A PEM text around any bytes. The words are joined here, because nothing in a file shall look like a private key.
fn pem(label: &str, bytes: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(bytes)
    )
}

const fn name(error: &CdpKeyError) -> &'static str {
    match error {
        CdpKeyError::File(_) => "file",
        CdpKeyError::Environment(_) => "environment",
        CdpKeyError::KeyId => "key id",
        CdpKeyError::NotAKey(_) => "not a key",
        CdpKeyError::Pem(_) => "pem",
        CdpKeyError::NotP256(_) => "not P-256",
        CdpKeyError::Length { .. } => "length",
        CdpKeyError::Halves(_) => "halves",
    }
}

#[test]
fn wrong_keys_are_refused_with_one_error_each() {
    use p256::elliptic_curve::pkcs8::EncodePublicKey as _;
    let public = p256_key().public_key().to_public_key_pem(LineEnding::LF);
    let mut halves = ed25519_key().to_keypair_bytes();
    halves[63] ^= 1;
    let label = ["PRIVATE", "KEY"].join(" ");
    // RFC 8410: version, algorithm, seed.
    let mut rfc8410 = hex::decode("302e020100300506032b657004220420").unwrap();
    rfc8410.extend([9; 32]);
    let whole = pkcs8();
    let encrypted = format!("ENCRYPTED {label}");
    let table = [
        ("nothing", String::new(), "not a key"),
        ("a word", "CANARY-not-base64".to_owned(), "not a key"),
        ("a public key", public.unwrap(), "pem"),
        ("half a file", whole[..whole.len() / 2].to_owned(), "pem"),
        ("no base64", whole.replace("MIG", "M G!"), "pem"),
        ("encrypted", pem(&encrypted, b"CANARY"), "pem"),
        ("other bytes", pem(&label, b"CANARY"), "not P-256"),
        ("Ed25519 in PEM", pem(&label, &rfc8410), "not P-256"),
        ("the seed alone", STANDARD.encode([9; 32]), "length"),
        ("a byte more", STANDARD.encode([9; 65]), "length"),
        ("halves", STANDARD.encode(halves), "halves"),
    ];
    for (what, key, expected) in table {
        let error = CdpAuth::from_key(KEY_ID, &key).unwrap_err();
        assert_eq!(name(&error), expected, "{what}: {error}");
        let shown = format!("{error} {error:?}");
        for line in key.lines().filter(|line| line.len() > 8) {
            assert!(!shown.contains(line), "{what}: {shown}");
        }
    }
}

#[test]
fn ids_of_keys_are_one_word() {
    for id in ["", " ", "two words", "ü", &"x".repeat(513)] {
        let error = CdpAuth::from_key(id, &ed25519()).unwrap_err();
        assert_eq!(name(&error), "key id", "{id}");
    }
}

#[test]
fn another_curve_is_refused_in_either_form() {
    use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der};
    use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
    let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let sec1: EcPrivateKeyRfc5915Der<'_> = key.private_key().as_der().unwrap();
    let label = ["PRIVATE", "KEY"].join(" ");
    for text in [
        pem(&label, key.to_pkcs8v1().unwrap().as_ref()),
        pem(&format!("EC {label}"), sec1.as_ref()),
    ] {
        let error = CdpAuth::from_key(KEY_ID, &text).unwrap_err();
        assert!(matches!(error, CdpKeyError::NotP256(_)), "{error}");
    }
}

#[test]
fn keys_come_from_files_of_ones_own_or_from_the_environment() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cdp.key");
    std::fs::write(&path, format!("{}\n", ed25519())).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |bits| std::fs::set_permissions(&path, PermissionsExt::from_mode(bits)).unwrap();
        mode(0o644);
        assert!(matches!(
            CdpAuth::from_file(KEY_ID, &path),
            Err(CdpKeyError::File(SecretFileError::Permissions {
                mode: 0o644,
                ..
            }))
        ));
        mode(0o600);
    }
    assert!(CdpAuth::from_file(KEY_ID, &path).is_ok());
    std::fs::write(&path, pkcs8()).unwrap();
    assert!(CdpAuth::from_file(KEY_ID, &path).is_ok());
    assert!(matches!(
        CdpAuth::from_file(KEY_ID, directory.path().join("none")),
        Err(CdpKeyError::File(SecretFileError::Read { .. }))
    ));
    assert!(matches!(
        CdpAuth::from_env(KEY_ID, "X402_TEST_NO_SUCH_KEY"),
        Err(CdpKeyError::Environment(_))
    ));
}

#[test]
fn t09_debug_shows_no_key() {
    for key in [pkcs8(), ed25519()] {
        let auth = auth(&key);
        let shown = format!("{auth:?} {:?}", auth.key);
        for secret in key.lines().filter(|line| !line.starts_with("--")) {
            assert!(!shown.contains(secret), "{shown}");
        }
        for byte in [7_u8, 9] {
            let mut scalar = String::new();
            for _ in 0..32 {
                let _ = write!(scalar, "{byte:02x}");
            }
            assert!(!shown.contains(&scalar), "{shown}");
        }
        assert!(!shown.contains(KEY_ID), "{shown}");
    }
}
