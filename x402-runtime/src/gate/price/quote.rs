//! Tokens that bind told terms to a request and a time, so that a price that was told is kept to without remembering it.
//!
//! A token is `<unix seconds>.<code>` in the member `x402Quote` of the terms' `extra`, which buyers repeat; `-<address>` follows if
//! only that account may pay, and `.<name>,<name>` if the price looks at headers. The code is Keccak-256 over a key, the endpoint,
//! the request's fingerprint and those headers, the account, the time and the terms, cut to 16 bytes; the key goes in first, and
//! Keccak needs no more to be a message authentication code. A paywall makes a key at each start and has the ledger remember it
//! for as long as what it told may be paid.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, Keccak256, hex};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use x402_model::wire::{Offered, PaymentRequirements};

use crate::bind::Terms;
use crate::gate::Gate;
use crate::gate::checks::payment_text;
use crate::ledger::Fingerprint;

/// The member of `extra`.
const MEMBER: &str = "x402Quote";

/// What stands before the account that alone may pay.
const BY: char = '-';

/// How many bytes of the code are shown. Guessing 16 is hopeless.
const CODE_BYTES: usize = 16;

/// The keys of a paywall.
pub(crate) struct Quotes {
    /// The one that new tokens are made with.
    key: [u8; 32],
    /// Those of earlier starts, and until when what they told may be paid, unix milliseconds.
    earlier: Vec<([u8; 32], u64)>,
}

impl Quotes {
    pub(crate) const fn new(key: [u8; 32], earlier: Vec<([u8; 32], u64)>) -> Self {
        Self { key, earlier }
    }

    /// The gate whose 402 tells its terms for one request, with a token in each. With a payer, they hold for him only.
    pub(super) fn told(
        &self,
        gate: &Gate,
        request: &Request<'_>,
        looked_at: &BTreeSet<String>,
        payer: Option<Address>,
    ) -> Gate {
        let names: Vec<&str> = looked_at.iter().map(String::as_str).collect();
        let names = names.join(",");
        let now = gate.core.clock.now_ms() / 1000;
        let terms = gate.endpoint.terms().iter().filter_map(|terms| {
            let until = now.saturating_add(terms.max_timeout_seconds());
            let promise = Promise {
                names: &names,
                payer,
                until,
                terms: terms.offered().view()?,
            };
            let code = code(&self.key, gate.endpoint.id(), request, &promise);
            let mut token = format!("{until}.{}", hex::encode(code));
            if let Some(payer) = payer {
                token.push(BY);
                token.push_str(&hex::encode(payer));
            }
            if !names.is_empty() {
                token.push('.');
                token.push_str(&names);
            }
            Some(terms.with_extra(MEMBER, token))
        });
        let endpoint = gate.endpoint.with_terms(terms);
        gate.with_terms_of(endpoint)
    }

    /// The terms that a payment repeats, if this paywall told them for this request and they still hold, and who alone may pay
    /// them, if not everybody.
    pub(super) fn recognise(
        &self,
        gate: &Gate,
        request: &Request<'_>,
        now_ms: u64,
    ) -> Option<(Terms, Option<Address>)> {
        let text = payment_text(gate, request.headers)?;
        let Repeated { accepted } = serde_json::from_str(&text).ok()?;
        let repeated: PaymentRequirements = serde_json::from_str(accepted.get()).ok()?;
        let mut plain = repeated.clone();
        let token = plain.extra.remove(MEMBER)?;
        let (until, rest) = token.as_str()?.split_once('.')?;
        let (shown, names) = rest.split_once('.').unwrap_or((rest, ""));
        let (shown, payer) = match shown.split_once(BY) {
            Some((shown, payer)) => (shown, Some(hex::decode(payer).ok()?)),
            None => (shown, None),
        };
        let payer = match payer {
            Some(bytes) => Some(Address::try_from(bytes.as_slice()).ok()?),
            None => None,
        };
        let until: u64 = until.parse().ok()?;
        let shown: [u8; CODE_BYTES] = hex::decode(shown).ok()?.try_into().ok()?;
        let promise = Promise {
            names,
            payer,
            until,
            terms: &plain,
        };
        let holds = now_ms
            <= until
                .saturating_add(gate.core.limits.clock_skew_seconds)
                .saturating_mul(1000);
        let earlier = self
            .earlier
            .iter()
            .filter(|(_, until_ms)| now_ms <= *until_ms);
        let known = std::iter::once(&self.key)
            .chain(earlier.map(|(key, _)| key))
            .any(|key| same(&code(key, gate.endpoint.id(), request, &promise), &shown));
        if !(holds && known) {
            return None;
        }
        // Written anew: what the payment adds to the terms was never promised, and is not under the code.
        let terms = Terms::of_earlier(Offered::new(repeated), gate.endpoint.assets())?;
        Some((terms, payer))
    }
}

/// Keys are secret.
impl fmt::Debug for Quotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quotes")
            .field("earlier", &self.earlier.len())
            .finish_non_exhaustive()
    }
}

/// The part of a payment that repeats terms.
#[derive(Deserialize)]
struct Repeated<'a> {
    #[serde(borrow)]
    accepted: &'a RawValue,
}

/// A request as far as its price may depend on it.
pub(super) struct Request<'a> {
    /// Of method, path, query and body.
    pub(super) fingerprint: &'a Fingerprint,
    pub(super) headers: &'a HeaderMap,
}

/// What is promised for a request.
struct Promise<'a> {
    /// The headers that the price looks at.
    names: &'a str,
    /// Who alone may pay.
    payer: Option<Address>,
    /// Until when, unix seconds.
    until: u64,
    terms: &'a PaymentRequirements,
}

fn code(
    key: &[u8; 32],
    endpoint: &str,
    request: &Request<'_>,
    promise: &Promise<'_>,
) -> [u8; CODE_BYTES] {
    let Promise {
        names,
        payer,
        until,
        terms,
    } = promise;
    let mut hash = Keccak256::new();
    hash.update(key);
    // Lengths keep the parts apart.
    let mut part = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    match payer {
        None => part(b"x402 quote 1"),
        Some(payer) => {
            part(b"x402 quote 1 for");
            part(payer.as_slice());
        }
    }
    part(endpoint.as_bytes());
    part(&request.fingerprint.0);
    part(names.as_bytes());
    for name in names.split(',').filter(|name| !name.is_empty()) {
        let values = request.headers.get_all(name);
        part(&values.iter().count().to_be_bytes());
        values.iter().for_each(|value| part(value.as_bytes()));
    }
    part(&until.to_be_bytes());
    // Maps of JSON are sorted by key, so equal terms have equal text.
    let terms = serde_json::to_value(terms).unwrap_or(Value::Null);
    part(terms.to_string().as_bytes());
    let whole = hash.finalize();
    let mut code = [0; CODE_BYTES];
    code.copy_from_slice(whole.split_at(CODE_BYTES).0);
    code
}

/// Compares without telling by its time where the first difference is.
fn same(left: &[u8; CODE_BYTES], right: &[u8; CODE_BYTES]) -> bool {
    left.iter()
        .zip(right)
        .fold(0, |difference, (left, right)| difference | (left ^ right))
        == 0
}

/// What the ledger calls the keys of quotes among the offers it remembers; no endpoint can be named so.
pub(crate) const LEDGER_NAME: &str = "#quote-key";

/// A key that nobody can guess.
///
/// # Errors
/// When the system has no random numbers.
pub(crate) fn new_key() -> Result<[u8; 32], String> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| error.to_string())?;
    Ok(key)
}

/// A key as the ledger keeps it.
pub(crate) fn key_text(key: &[u8; 32]) -> String {
    hex::encode(key)
}

/// A key from the ledger.
pub(crate) fn key_of(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

/// The quotes of a paywall whose endpoints all have one price.
pub(crate) fn none() -> Arc<Quotes> {
    Arc::new(Quotes::new([0; 32], Vec::new()))
}
