//! Who vouches for a manifest: its content hash, its signature, and whether its time is now.

use alloy_primitives::{Address, B256, Signature, U256};
use serde_json::{Value, json};
use x402_client::time::{Clock as _, SystemClock};
use x402_runtime::model::asset::{checksum, parse_address};
use x402_runtime::model::evm::EcdsaParts;
use x402_runtime::model::extension::timestamp;
use x402_runtime::model::manifest::{Document, SignatureFault};

use crate::source::Found;
use crate::{Exit, Failure, shown};

/// Most characters of a time.
const TIME: usize = 40;

/// What became of one signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    /// There is none that this program can check.
    Not,
    /// By an account that a rail pays.
    Receiver(Address),
    /// By an account that the document names, and that no rail pays.
    Declared(Address),
    /// There is one, and it says nothing about this document.
    Wrong(SignatureFault),
}

/// What is known about a manifest besides what it says.
#[derive(Debug)]
pub(crate) struct Vouched {
    /// Whether the hash that it states is its own; `None` if it states none.
    pub(crate) hash: Option<bool>,
    pub(crate) signature: Signed,
    /// The proof that a key stands for the origin.
    pub(crate) origin_proof: Signed,
    /// What is no mistake, and worth a look: a code and a sentence.
    pub(crate) warnings: Vec<(&'static str, String)>,
}

impl Signed {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Not => "none",
            Self::Receiver(_) => "receiver",
            Self::Declared(_) => "declared",
            Self::Wrong(_) => "wrong",
        }
    }

    pub(crate) const fn signer(self) -> Option<Address> {
        match self {
            Self::Receiver(signer) | Self::Declared(signer) => Some(signer),
            Self::Not | Self::Wrong(_) => None,
        }
    }

    /// In words, after "the manifest is".
    pub(crate) fn sentence(self) -> String {
        match self {
            Self::Not => "not signed: nobody but the server vouches for it".to_owned(),
            Self::Receiver(signer) => format!("signed by {}, which is paid", checksum(signer)),
            Self::Declared(signer) => format!(
                "signed by {}, which is not paid: see that it is the seller's",
                checksum(signer)
            ),
            Self::Wrong(fault) => fault.to_string(),
        }
    }

    fn of(document: &Document, signer: Result<Address, SignatureFault>) -> Self {
        match signer {
            Ok(signer) if document.is_payee(signer) => Self::Receiver(signer),
            Ok(signer) => Self::Declared(signer),
            Err(SignatureFault::Missing) => Self::Not,
            Err(fault) => Self::Wrong(fault),
        }
    }
}

impl Vouched {
    /// Checks a document as it stands now.
    pub(crate) fn check(document: &Document, found: &Found) -> Self {
        Self::at(document, found.origin.as_deref(), SystemClock.now_ms())
    }

    fn at(document: &Document, fetched_from: Option<&str>, now_ms: u64) -> Self {
        let mut warnings = Vec::new();
        let signed = document.signed_by(now_ms / 1000, recover);
        let signer = match signed {
            // The signature is good; that its time is over is told below.
            Err(SignatureFault::Expired) => {
                warnings.push((SignatureFault::Expired.code(), expired(document)));
                named_signer(document)
            }
            other => other.map(|(signer, _)| signer),
        };
        let service = &document.manifest().service;
        if warnings.is_empty() {
            let is_over = |text: &String| timestamp::read(text).is_none_or(|until| until < now_ms);
            if service.valid_until.as_ref().is_some_and(is_over) {
                warnings.push((SignatureFault::Expired.code(), expired(document)));
            }
        }
        let elsewhere = |origin: &&str| !origin.eq_ignore_ascii_case(&service.origin);
        if let Some(origin) = fetched_from.filter(elsewhere) {
            warnings.push((
                "manifest_other_origin",
                format!(
                    "the manifest is about {}, and it was fetched from {origin}",
                    service.origin
                ),
            ));
        }
        let proof = document.origin_proved_by(recover);
        Self {
            hash: document.states_its_hash(),
            signature: Signed::of(document, signer),
            origin_proof: Signed::of(document, proof),
            warnings,
        }
    }

    /// Refuses what is not what it claims to be.
    pub(crate) fn refuse_wrong(&self, found: &Found) -> Result<(), Failure> {
        let (code, reason) = if self.hash == Some(false) {
            let reason = "the content hash that the manifest states is not that of its content";
            ("manifest_hash_wrong", reason.to_owned())
        } else if let Signed::Wrong(fault) = self.signature {
            (fault.code(), format!("the signature is wrong: {fault}"))
        } else if let Signed::Wrong(fault) = self.origin_proof {
            let reason = format!("the proof of the origin is wrong: {fault}");
            (fault.code(), reason)
        } else {
            return Ok(());
        };
        Err(
            Failure::new(Exit::Failed, format!("{}: {reason}", found.name()))
                .code(code)
                .help("it was changed after it was made, or made wrong: do not pay by it, and tell the seller"),
        )
    }

    pub(crate) fn to_json(&self) -> Value {
        let fault = match self.signature {
            Signed::Wrong(fault) => Some(fault.code()),
            _ => None,
        };
        let warnings: Vec<Value> = self
            .warnings
            .iter()
            .map(|(code, message)| json!({ "code": code, "message": message }))
            .collect();
        json!({
            "hash": match self.hash { Some(true) => "right", Some(false) => "wrong", None => "none" },
            "signature": self.signature.word(),
            "signature_fault": fault,
            "signer": self.signature.signer().map(checksum),
            "origin_proof": self.origin_proof.word(),
            "warnings": warnings,
        })
    }
}

fn expired(document: &Document) -> String {
    let service = &document.manifest().service;
    let until = service
        .valid_until
        .as_deref()
        .map(|until| shown::line(until, TIME));
    format!(
        "the manifest is not valid at this time: it was issued at {} and is good until {}",
        shown::line(&service.issued_at, TIME),
        until.as_deref().unwrap_or("no time that it states")
    )
}

/// The account that the signature names.
fn named_signer(document: &Document) -> Result<Address, SignatureFault> {
    let integrity = document.manifest().integrity.as_ref();
    let mut signatures = integrity
        .into_iter()
        .flat_map(|integrity| &integrity.signatures);
    signatures
        .find(|one| one.format == "eip712")
        .and_then(|one| parse_address(one.signer.as_deref()?).ok())
        .ok_or(SignatureFault::Malformed)
}

fn recover(digest: B256, parts: &EcdsaParts) -> Option<Address> {
    let (r, s) = (
        U256::from_be_bytes(parts.r.0),
        U256::from_be_bytes(parts.s.0),
    );
    Signature::new(r, s, parts.y_parity)
        .recover_address_from_prehash(&digest)
        .ok()
}
