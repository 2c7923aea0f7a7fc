//! The API key that signs tokens: read from PEM or base64, kept by the cryptographic library only.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::secret::SecretFileError;

/// Bytes of the seed of an Ed25519 key; the public key has as many.
const SEED: usize = 32;

/// Why an API key is not used. Names files and variables, never their content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CdpKeyError {
    /// The file cannot be read, or others can read it too.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The environment variable is not set, or is not text.
    #[error("environment variable {0} is not set to text")]
    Environment(String),
    /// The id of the key is not one word.
    #[error("the id of the API key is not one word of printable ASCII")]
    KeyId,
    /// Neither PEM nor base64.
    #[error("{0} holds no API key: neither a PEM text nor base64")]
    NotAKey(String),
    /// A PEM text without a whole private key.
    #[error("{0} holds a PEM text without a whole, unencrypted private key")]
    Pem(String),
    /// A private key of another kind.
    #[error("{0} holds a private key that is no EC key on the curve P-256")]
    NotP256(String),
    /// Base64 of something else than an Ed25519 key.
    #[error(
        "{place} holds {bytes} bytes in base64; an Ed25519 key has 64, the seed and the public key"
    )]
    Length {
        /// Which file or variable.
        place: String,
        /// How many bytes it holds.
        bytes: usize,
    },
    /// The public half of an Ed25519 key does not belong to its seed.
    #[error("{0} holds an Ed25519 key whose two halves do not belong together")]
    Halves(String),
}

/// A key that signs tokens.
pub(super) enum SigningKey {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Reads a key; `place` is where the text came from, for errors.
    pub(super) fn read(text: &str, place: &str) -> Result<Self, CdpKeyError> {
        if text.contains("-----BEGIN ") {
            let der = pem(text).ok_or_else(|| CdpKeyError::Pem(place.to_owned()))?;
            return EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
                .map(Self::P256)
                .map_err(|_| CdpKeyError::NotP256(place.to_owned()));
        }
        let bytes = decode(text)
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| CdpKeyError::NotAKey(place.to_owned()))?;
        let (seed, public) = match bytes.split_at_checked(SEED) {
            Some((seed, public)) if public.len() == SEED => (seed, public),
            _ => {
                return Err(CdpKeyError::Length {
                    place: place.to_owned(),
                    bytes: bytes.len(),
                });
            }
        };
        Ed25519KeyPair::from_seed_and_public_key(seed, public)
            .map(Self::Ed25519)
            .map_err(|_| CdpKeyError::Halves(place.to_owned()))
    }

    /// The algorithm's name in a token.
    pub(super) const fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    /// The signature in the form that tokens have: 64 bytes for either algorithm.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signature = match self {
            Self::P256(key) => key.sign(&SystemRandom::new(), message),
            Self::Ed25519(key) => key.try_sign(message),
        };
        signature.ok().map(|signature| signature.as_ref().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(<redacted>)")
    }
}

/// The bytes of the first private key of a PEM text. What stands before it, such as the parameters of the curve, is skipped.
fn pem(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut rest = text;
    loop {
        let (_, after) = rest.split_once("-----BEGIN ")?;
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once(&format!("-----END {label}-----"))?;
        if matches!(label, "PRIVATE KEY" | "EC PRIVATE KEY") {
            return decode(body);
        }
        rest = after;
    }
}

/// Decodes base64 with white space in it.
fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    // Room for all of it, because a string that grows leaves copies behind.
    let mut packed = Zeroizing::new(String::with_capacity(text.len()));
    packed.extend(text.split_ascii_whitespace());
    STANDARD.decode(packed.as_bytes()).ok().map(Zeroizing::new)
}
