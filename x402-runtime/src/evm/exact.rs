//! Reads a facilitator request into the one payment it asks about, whatever version and spelling it came in.

use alloy_primitives::{Address, B256, Bytes, Keccak256, U256};
use serde_json::{Map, Value};
use x402_model::evm::address::read_address;
use x402_model::evm::{DomainSeparator, Eip712Domain, ExactEvmPayload, PayloadError};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

use crate::evm::reason::{self, Refusal, Stop, refuse};
use crate::facilitator::FacilitatorRequest;

/// What identifies a payment on one chain. Not the nonce alone: two payers may use the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PaymentId {
    pub(crate) asset: Address,
    pub(crate) payer: Address,
    pub(crate) nonce: B256,
}

/// A well-formed `exact` payment and the terms it must meet.
#[derive(Debug, Clone)]
pub(crate) struct Exact {
    pub(crate) version: u8,
    pub(crate) asset: Address,
    pub(crate) pay_to: Address,
    pub(crate) amount: U256,
    pub(crate) name: String,
    pub(crate) token_version: String,
    pub(crate) separator: DomainSeparator,
    pub(crate) payload: ExactEvmPayload,
}

/// The parts of the answer that only echo the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Echo {
    pub(crate) payer: Option<String>,
    pub(crate) network: String,
}

impl Exact {
    pub(crate) const fn id(&self) -> PaymentId {
        PaymentId {
            asset: self.asset,
            payer: self.payload.authorization.from,
            nonce: self.payload.authorization.nonce,
        }
    }

    /// A digest over everything that decides the outcome, so that a changed field is never answered with the outcome
    /// of another request.
    pub(crate) fn fingerprint(&self) -> B256 {
        let mut hash = Keccak256::new();
        let authorization = self.payload.authorization.struct_hash();
        for word in [
            self.separator.0,
            authorization,
            self.asset.into_word(),
            self.pay_to.into_word(),
            self.amount.into(),
        ] {
            hash.update(word);
        }
        hash.update([self.version]);
        hash.update(self.payload.signature.as_bytes());
        hash.finalize()
    }

    /// Reads a request, in the order of protocol 3.1, steps 1 to 3, and then the payload itself.
    pub(crate) fn read(request: &FacilitatorRequest, chain_id: u64) -> Result<Self, Stop> {
        let payload = request.payload.to_value();
        let terms = request.requirements.to_value();
        let (Some(payload), Some(terms)) = (payload.as_object(), terms.as_object()) else {
            return refuse(
                reason::INVALID_PAYLOAD,
                "payload and requirements must be objects",
            );
        };
        let version = version(request, payload)?;
        let chosen = chosen(version, payload)?;
        let (chosen_scheme, scheme) = (text(chosen, "scheme"), text(terms, "scheme"));
        if chosen_scheme != Some("exact") || scheme != Some("exact") {
            return refuse(reason::SCHEME, "only exact is settled");
        }
        let (name, token_version) = domain(terms)?;
        let network = network(
            version,
            text(chosen, "network"),
            text(terms, "network"),
            chain_id,
        );
        network.map_err(|refusal| Stop::from(*refusal))?;
        let terms = Terms::read(version, terms)?;
        let payload = read_payload(payload.get("payload"))?;
        let domain = Eip712Domain {
            name: name.clone(),
            version: token_version.clone(),
            chain_id,
            verifying_contract: terms.asset,
        };
        Ok(Self {
            version,
            asset: terms.asset,
            pay_to: terms.pay_to,
            amount: terms.amount,
            name,
            token_version,
            separator: domain.separator(),
            payload,
        })
    }

    /// The bytes of the signature that the token is given.
    pub(crate) fn signature(&self) -> &Bytes {
        self.payload.signature.bytes()
    }
}

impl Echo {
    /// What the answer repeats, bounded and only if it looks like what it should be.
    pub(crate) fn read(request: &FacilitatorRequest, own: &Network) -> Self {
        let payer = request.payer().filter(|text| looks_like_hex(text));
        let network = if request.x402_version == 1 {
            own.short_name().map(str::to_owned)
        } else {
            None
        };
        Self {
            payer,
            network: network.unwrap_or_else(|| own.to_string()),
        }
    }
}

fn looks_like_hex(text: &str) -> bool {
    text.len() <= 42
        && text
            .strip_prefix("0x")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str)
}

/// The version that the payload and the request agree on.
fn version(request: &FacilitatorRequest, payload: &Map<String, Value>) -> Result<u8, Stop> {
    let named = payload
        .get("x402Version")
        .and_then(Value::as_u64)
        .and_then(|version| u8::try_from(version).ok());
    match named {
        Some(version @ (1 | 2)) if version == request.x402_version => Ok(version),
        _ => refuse(
            reason::INVALID_VERSION,
            "x402Version must be 1 or 2, the same in request and payload",
        ),
    }
}

/// Where the payload says what was chosen: `accepted` in version 2, its own top level in version 1.
fn chosen(version: u8, payload: &Map<String, Value>) -> Result<&Map<String, Value>, Stop> {
    if version == 1 {
        return Ok(payload);
    }
    match payload.get("accepted").and_then(Value::as_object) {
        Some(accepted) => Ok(accepted),
        None => refuse(reason::INVALID_PAYLOAD, "accepted is missing"),
    }
}

fn domain(terms: &Map<String, Value>) -> Result<(String, String), Stop> {
    let extra = terms.get("extra").and_then(Value::as_object);
    if let Some(method) = extra.and_then(|extra| text(extra, "assetTransferMethod"))
        && method != "eip3009"
    {
        return refuse(
            reason::UNSUPPORTED_PAYLOAD,
            "only EIP-3009 transfers are settled",
        );
    }
    let part = |key| {
        extra
            .and_then(|extra| text(extra, key))
            .filter(|text| !text.is_empty() && text.len() <= 256)
    };
    match (part("name"), part("version")) {
        (Some(name), Some(version)) => Ok((name.to_owned(), version.to_owned())),
        _ => refuse(
            reason::MISSING_DOMAIN,
            "extra.name and extra.version are needed",
        ),
    }
}

fn network(
    version: u8,
    chosen: Option<&str>,
    wanted: Option<&str>,
    chain_id: u64,
) -> Result<(), Box<Refusal>> {
    let no = |reason, message: &str| Err(Box::new(Refusal::new(reason, message)));
    if chosen.is_none() || chosen != wanted {
        return no(
            reason::NETWORK_MISMATCH,
            "payload and requirements name different networks",
        );
    }
    let parsed = match (version, wanted) {
        (1, Some(name)) => Network::from_short_name(name),
        (_, Some(name)) => name.parse().ok(),
        _ => None,
    };
    match parsed.as_ref().and_then(Network::chain_id) {
        Some(id) if id == chain_id => Ok(()),
        _ => no(
            reason::INVALID_NETWORK,
            "this facilitator does not serve the network",
        ),
    }
}

struct Terms {
    asset: Address,
    pay_to: Address,
    amount: U256,
}

impl Terms {
    fn read(version: u8, terms: &Map<String, Value>) -> Result<Self, Stop> {
        let amount_key = if version == 1 {
            "maxAmountRequired"
        } else {
            "amount"
        };
        let address = |key| text(terms, key).and_then(read_address);
        let amount = text(terms, amount_key).and_then(|text| text.parse::<AtomicAmount>().ok());
        match (address("asset"), address("payTo"), amount) {
            (Some(asset), Some(pay_to), Some(amount)) => Ok(Self {
                asset,
                pay_to,
                amount: amount.get(),
            }),
            _ => refuse(
                reason::INVALID_REQUIREMENTS,
                "asset, payTo or amount is malformed",
            ),
        }
    }
}

fn read_payload(payload: Option<&Value>) -> Result<ExactEvmPayload, Stop> {
    ExactEvmPayload::parse(payload.unwrap_or(&Value::Null)).map_err(|error| {
        let reason = match error {
            // These cannot be what a key has signed, and the reference answers them as a bad signature.
            PayloadError::Signature(_) | PayloadError::Address(_) | PayloadError::Nonce => {
                reason::SIGNATURE
            }
            _ => reason::INVALID_PAYLOAD,
        };
        Stop::Refused(Refusal::new(reason, error.to_string()))
    })
}
