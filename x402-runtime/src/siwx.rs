//! Who calls: sign-in messages of the `sign-in-with-x` extension, asked for and verified (protocol 6.4).
//!
//! A message says which account sends a request, and nothing more: it pays for nothing. It counts once, for five minutes after
//! it was issued, at the origin that this server was configured to be. Whatever is wrong with it, the request counts as one
//! without it.

mod keys;

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::{Address, B256, hex};
use axum::http::{HeaderMap, HeaderValue};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use x402_model::asset::checksum;
use x402_model::evm::Signature;
use x402_model::extension::siwx::{self, Chain, MAX_AGE_SECONDS, Origin, Proof};
use x402_model::extension::{SignIn, SiwxError, base58};
use x402_model::network::Network;

use crate::clock::Clock;
use crate::facilitator::Facilitator;
use crate::ledger::{Ledger, LedgerError};

/// Longest header that is read, in bytes. Messages take about one kilobyte, signatures of contract wallets and long paths more.
const HEADER_CAP: usize = 16 * 1024;

/// Why a name for the verifier is not taken. Found when it is made, not by a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SiwxSetupError {
    /// The origin has a path, upper case, or another scheme than http and https.
    #[error("`{0}` is not an origin such as https://api.example.com")]
    Origin(String),
    /// A chain whose accounts cannot sign in.
    #[error("accounts of `{0}` cannot sign in: chains are named like eip155:8453")]
    Chain(String),
}

/// Verifies sign-in messages for one origin.
pub struct Siwx {
    origin: Origin,
    chains: Vec<Chain>,
    statement: Option<String>,
    max_age: Duration,
    patience: Duration,
    clock: Arc<dyn Clock>,
    ledger: Arc<dyn Ledger>,
    facilitator: Arc<dyn Facilitator>,
    random: RandomState,
    issued: AtomicU64,
}

/// An account that signed in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignedIn {
    /// An EVM account: the same on every chain, so the chain is not part of it.
    Evm(Address),
    /// A Solana account.
    Solana([u8; 32]),
}

impl fmt::Display for SignedIn {
    /// The address as people know it: with its checksum, or in base58.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evm(address) => f.write_str(&checksum(*address)),
            Self::Solana(key) => f.write_str(&base58::encode(key)),
        }
    }
}

/// A message whose signature is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recognised {
    pub(crate) account: SignedIn,
    /// Names the message; nobody else can have one of this name.
    pub(crate) message: B256,
    /// Whether it is too old for anything new.
    pub(crate) late: bool,
    /// Whether it is about the path of the request, and no other one of this server.
    pub(crate) about_path: bool,
    /// Where a contract says that it signed; no key did.
    pub(crate) contract_on: Option<Network>,
    /// When its name need not be kept any more.
    forgotten_ms: u64,
}

/// Why nobody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SiwxRefusal {
    /// The header is no signed message.
    #[error("the {} header cannot be read", siwx::HEADER)]
    Unreadable,
    /// The message does not count.
    #[error(transparent)]
    Invalid(#[from] SiwxError),
    /// Whether it was used before cannot be known now.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl SiwxRefusal {
    /// A stable code: the extension's own where it has one.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable => "siwx_unreadable",
            Self::Invalid(error) => error.code(),
            Self::Ledger(_) => "ledger_unavailable",
        }
    }
}

impl Siwx {
    /// A verifier for `origin`, the configured public address of this server, and accounts of these chains (CAIP-2 names).
    /// `Host` headers are never asked.
    ///
    /// Used messages are noted in the ledger, so that neither a restart nor a second process lets one in again.
    ///
    /// # Errors
    /// [`SiwxSetupError`] when the origin or a chain is not one.
    pub fn new(
        origin: &str,
        chains: &[&str],
        clock: Arc<dyn Clock>,
        ledger: Arc<dyn Ledger>,
        facilitator: Arc<dyn Facilitator>,
    ) -> Result<Self, SiwxSetupError> {
        let chain = |name: &&str| {
            Chain::new(name)
                .filter(|chain| keys::can_verify(chain.kind))
                .ok_or_else(|| SiwxSetupError::Chain((*name).to_owned()))
        };
        // Origins of browsers and clients leave the usual port out.
        let usual = match origin.split_once("://") {
            Some(("https", _)) => ":443",
            _ => ":80",
        };
        let origin = origin.strip_suffix(usual).unwrap_or(origin);
        Ok(Self {
            origin: Origin::new(origin).ok_or_else(|| SiwxSetupError::Origin(origin.to_owned()))?,
            chains: chains.iter().map(chain).collect::<Result<_, _>>()?,
            statement: None,
            max_age: Duration::from_secs(MAX_AGE_SECONDS),
            patience: Duration::from_secs(10),
            clock,
            ledger,
            facilitator,
            random: RandomState::new(),
            issued: AtomicU64::new(0),
        })
    }

    /// A sentence that wallets show to the person who signs.
    #[must_use]
    pub fn with_statement(mut self, statement: impl Into<String>) -> Self {
        self.statement = Some(statement.into());
        self
    }

    /// How long a message counts after it was issued; 5 minutes unless set.
    #[must_use]
    pub const fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// What a 402 for this path (with its query, if any) declares under `sign-in-with-x`. New each time.
    #[must_use]
    pub fn challenge(&self, path_and_query: &str) -> Value {
        siwx::challenge(
            &self.origin,
            path_and_query,
            &self.chains,
            self.statement.as_deref(),
            self.nonce(),
            self.clock.now_ms(),
            self.max_age_ms(),
        )
    }

    /// Numbers under a random key that never leaves the process: unique, and not to be guessed.
    fn nonce(&self) -> [u8; 16] {
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        let half = |which: u8| u128::from(self.random.hash_one((number, which)));
        (half(0) << 64 | half(1)).to_be_bytes()
    }

    fn max_age_ms(&self) -> u64 {
        crate::paywall::millis(self.max_age)
    }

    /// Who sends a request with these headers; `None` if it does not say. The message is used up by that.
    ///
    /// # Errors
    /// [`SiwxRefusal`]; the request then counts as one without the header.
    pub(crate) async fn caller(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<SignedIn>, SiwxRefusal> {
        match only(headers)? {
            None => Ok(None),
            Some(header) => self.verify(header).await.map(Some),
        }
    }

    /// Who sends a request with this `SIGN-IN-WITH-X` header. The message is used up by that.
    ///
    /// The nonce is noted after the signature was found good, so that nobody can fill the store, or use up the messages of
    /// others, without an account of his own.
    ///
    /// # Errors
    /// [`SiwxRefusal`]; the request then counts as one without the header.
    pub async fn verify(&self, header: &[u8]) -> Result<SignedIn, SiwxRefusal> {
        let sign_in =
            SignIn::from_header(header, HEADER_CAP).map_err(|_| SiwxRefusal::Unreadable)?;
        let account = self.judge(&sign_in).await?;
        self.use_up(&sign_in, &account).await?;
        Ok(account)
    }

    /// Who signed a message, without using it up: it may have been used, and may only be good for showing again what it was
    /// used for. `path` is that of the request.
    pub(crate) async fn recognise(
        &self,
        header: &[u8],
        path: &str,
    ) -> Result<Recognised, SiwxRefusal> {
        let sign_in =
            SignIn::from_header(header, HEADER_CAP).map_err(|_| SiwxRefusal::Unreadable)?;
        let checked = sign_in.check(&self.origin, self.clock.now_ms(), self.max_age_ms());
        let late = match checked {
            Ok(()) => false,
            // Good for nothing new any more.
            Err(SiwxError::TooOld | SiwxError::Expired) => true,
            Err(other) => return Err(other.into()),
        };
        let (account, contract_on) = self.signer(&sign_in).await?;
        let about = sign_in.message.uri.strip_prefix(self.origin.as_str());
        Ok(Recognised {
            late,
            about_path: about == Some(path),
            message: self.digest(&sign_in, &account),
            forgotten_ms: sign_in.forgotten_ms(self.max_age_ms()),
            contract_on,
            account,
        })
    }

    /// Uses a message up: `true` for the first who does, for ever.
    pub(crate) async fn claim(&self, known: &Recognised) -> Result<bool, LedgerError> {
        if known.late {
            return Ok(false);
        }
        self.claim_named(known.message, known.forgotten_ms).await
    }

    async fn claim_named(&self, message: B256, until_ms: u64) -> Result<bool, LedgerError> {
        let name = format!("siwx/{}", hex::encode(message));
        let books = self.ledger.accounts();
        books.use_once(&name, until_ms, self.clock.now_ms()).await
    }

    async fn judge(&self, sign_in: &SignIn) -> Result<SignedIn, SiwxError> {
        sign_in.check(&self.origin, self.clock.now_ms(), self.max_age_ms())?;
        self.signer(sign_in).await.map(|(account, _)| account)
    }

    /// Whose signature it is, whatever the time, and the network of the contract that vouches for it, if no key does.
    async fn signer(&self, sign_in: &SignIn) -> Result<(SignedIn, Option<Network>), SiwxError> {
        let proof = sign_in.proof()?;
        let message = &sign_in.message;
        if !self
            .chains
            .iter()
            .any(|chain| chain.chain_id == message.chain_id)
        {
            return Err(SiwxError::ChainId);
        }
        match proof {
            Proof::Evm {
                address,
                chain_id,
                hash,
                signature,
            } => {
                if keys::signed_by(hash, &signature, address) {
                    return Ok((SignedIn::Evm(address), None));
                }
                self.wallet(chain_id, address, hash, &signature).await?;
                Ok((SignedIn::Evm(address), Some(Network::evm(chain_id))))
            }
            Proof::Solana {
                public_key,
                text,
                signature,
            } if keys::signed_by_ed25519(&public_key, text.as_bytes(), &signature) => {
                Ok((SignedIn::Solana(public_key), None))
            }
            _ => Err(SiwxError::Signature),
        }
    }

    /// Asks a contract wallet whether it agrees (ERC-1271), where the facilitator can. One that cannot makes a signature that
    /// only a contract could have made one that cannot be checked; any other is simply not the account's.
    async fn wallet(
        &self,
        chain_id: u64,
        wallet: Address,
        hash: B256,
        signature: &Signature,
    ) -> Result<(), SiwxError> {
        let network = Network::evm(chain_id);
        let asked = self
            .facilitator
            .wallet_approves(&network, wallet, hash, signature);
        match timeout(self.patience, asked).await {
            Ok(Ok(Some(true))) => Ok(()),
            Ok(Ok(Some(false))) => Err(SiwxError::Signature),
            Ok(Ok(None)) if signature.split().is_some() => Err(SiwxError::Signature),
            Ok(Ok(None) | Err(_)) | Err(_) => Err(SiwxError::Verifier),
        }
    }

    /// Which message it is: of a fixed length, whatever was sent, and the account's own, so that others cannot use it up.
    fn digest(&self, sign_in: &SignIn, account: &SignedIn) -> B256 {
        let mut digest = Sha256::new();
        for part in [
            self.origin.as_str(),
            &account.to_string(),
            &sign_in.message.nonce,
        ] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        B256::from(<[u8; 32]>::from(digest.finalize()))
    }

    async fn use_up(&self, sign_in: &SignIn, account: &SignedIn) -> Result<(), SiwxRefusal> {
        let until_ms = sign_in.forgotten_ms(self.max_age_ms());
        let message = self.digest(sign_in, account);
        if self.claim_named(message, until_ms).await? {
            Ok(())
        } else {
            Err(SiwxError::Nonce.into())
        }
    }
}

/// The header of a request that signs in, if it is there.
///
/// # Errors
/// [`SiwxRefusal::Unreadable`] if it is there twice: two readers of one request must not see two callers.
pub(crate) fn only(headers: &HeaderMap) -> Result<Option<&[u8]>, SiwxRefusal> {
    let mut values = headers.get_all(siwx::HEADER).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(HeaderValue::as_bytes)),
        _ => Err(SiwxRefusal::Unreadable),
    }
}

impl fmt::Debug for Siwx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Siwx")
            .field("origin", &self.origin.as_str())
            .field("chains", &self.chains.len())
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}
