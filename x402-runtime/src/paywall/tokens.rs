//! Asks the chain about the accepted tokens, and compares what it says with the settings.
//!
//! A node that does not answer stops no start: the same settings were good enough for earlier starts, and every payment is checked
//! by the token itself. It leaves a warning. Only what nobody else knows (a token given by address alone) is a mistake then.

use std::time::Duration;

use alloy_primitives::Address;
use futures_util::future::join_all;
use tokio::time::timeout;
use x402_model::asset::{Asset, AssetTable, TransferMethod, checksum};
use x402_model::evm::permit2::{EXACT_PERMIT2_PROXY, UPTO_PERMIT2_PROXY};
use x402_model::evm::{Eip712Domain, EvmKind};
use x402_model::network::Network;

use super::mistake::{Mistake, TokenMistake};
use super::rail::{Rail, rail_id};
use super::warning::Warning;
use crate::bind::Bound;
use crate::facilitator::{Facilitator, TokenFacts, TokenLook};

/// What is known of one token's contract.
#[derive(Debug, Clone)]
pub(crate) enum Looked {
    /// The chain was asked, or there is nobody who can ask it.
    Saw(TokenLook),
    /// There is somebody who can, and it did not answer.
    Failed(String),
}

/// What the chain says about the tokens of all rails.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens(Vec<(Network, Address, Looked)>);

impl Tokens {
    /// Asks about every token at once, for no longer than `time`.
    pub(super) async fn look(
        facilitator: Option<&dyn Facilitator>,
        rails: &[Rail],
        time: Duration,
    ) -> Self {
        let Some(facilitator) = facilitator else {
            return Self::default();
        };
        let table = AssetTable::builtin();
        let mut wanted: Vec<(&Network, Address)> = Vec::new();
        for rail in rails {
            let token = rail.address(&table).map(|token| (rail.network(), token));
            wanted.extend(token.filter(|token| !wanted.contains(token)));
        }
        let looks = wanted.into_iter().map(|(network, token)| async move {
            let looked = match timeout(time, facilitator.token_facts(network, token)).await {
                Ok(Ok(look)) => Looked::Saw(look),
                Ok(Err(error)) => Looked::Failed(error.to_string()),
                Err(_) => Looked::Failed("the chain gave no answer in time".to_owned()),
            };
            (network.clone(), token, looked)
        });
        Self(join_all(looks).await)
    }

    fn of(&self, network: &Network, token: Address) -> Option<&Looked> {
        let same = |known: &&(Network, Address, Looked)| known.0 == *network && known.1 == token;
        self.0.iter().find(same).map(|(_, _, looked)| looked)
    }

    /// What the contract says, if it was heard.
    fn facts(&self, network: &Network, token: Address) -> Option<&TokenFacts> {
        match self.of(network, token)? {
            Looked::Saw(TokenLook::Found(facts)) => Some(facts),
            _ => None,
        }
    }

    /// The token of a rail that says no more than its address.
    ///
    /// # Errors
    /// When nobody could be asked, or when the contract does not say enough.
    pub(crate) fn describe(&self, rail: &Rail, token: Address) -> Result<Asset, TokenMistake> {
        let missing = |reason: &str| TokenMistake::FactsMissing {
            rail: rail.to_string(),
            reason: reason.to_owned(),
        };
        match self.of(rail.network(), token) {
            Some(Looked::Saw(TokenLook::Found(facts))) => {
                rail.described(token, facts)
                    .map_err(|reason| TokenMistake::Indescribable {
                        rail: rail.to_string(),
                        reason: reason.to_owned(),
                    })
            }
            Some(Looked::Saw(TokenLook::Absent)) => Err(TokenMistake::Absent {
                rail: rail.to_string(),
                address: checksum(token),
                network: rail.network().to_string(),
            }),
            Some(Looked::Failed(reason)) => {
                Err(missing(&format!("the chain could not be asked ({reason})")))
            }
            Some(Looked::Saw(TokenLook::Unable)) | None => {
                Err(missing("the facilitator cannot read that chain"))
            }
        }
    }

    /// The token with the EIP-712 name and version that its contract uses, if nothing else says them.
    pub(crate) fn complete(&self, asset: Asset) -> Asset {
        let facts = self.facts(&asset.network, asset.address);
        let told = facts.and_then(|facts| facts.eip712.clone());
        Asset {
            eip712: asset.eip712.or(told),
            ..asset
        }
    }

    /// Compares the tokens that are to be sold for with what their contracts say.
    pub(super) fn check(&self, bound: &Bound, mistakes: &mut Vec<Mistake>) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for asset in &bound.assets {
            match self.of(&asset.network, asset.address) {
                Some(Looked::Saw(TokenLook::Found(facts))) => {
                    let wrong = compare(asset, &ways(asset, bound), facts, &mut warnings).err();
                    mistakes.extend(wrong.map(Mistake::from));
                }
                Some(Looked::Saw(TokenLook::Absent)) => mistakes.push(
                    TokenMistake::Absent {
                        rail: rail_id(asset),
                        address: checksum(asset.address),
                        network: asset.network.to_string(),
                    }
                    .into(),
                ),
                Some(Looked::Failed(reason)) => warnings.push(Warning::TokenUnchecked {
                    rail: rail_id(asset),
                    reason: reason.clone(),
                }),
                Some(Looked::Saw(TokenLook::Unable)) | None => {}
            }
        }
        warnings
    }
}

/// The ways in which a token is to be paid. One that no endpoint takes yet is looked at as if one did.
fn ways(asset: &Asset, bound: &Bound) -> Vec<EvmKind> {
    let own = match asset.transfer {
        TransferMethod::Eip3009 => EvmKind::Eip3009Exact,
        TransferMethod::Permit2 => EvmKind::Permit2Exact,
    };
    let takers = bound
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.assets().contains(asset));
    let (metered, at_a_price): (Vec<_>, Vec<_>) = takers.partition(|one| one.is_metered());
    let mut ways = Vec::new();
    if !metered.is_empty() {
        ways.push(EvmKind::Permit2Upto);
    }
    if metered.is_empty() || !at_a_price.is_empty() {
        ways.push(own);
    }
    ways
}

/// What of a token's description its contract contradicts.
fn compare(
    asset: &Asset,
    ways: &[EvmKind],
    facts: &TokenFacts,
    warnings: &mut Vec<Warning>,
) -> Result<(), TokenMistake> {
    let rail = || rail_id(asset);
    let mut unproven = |what| warnings.push(Warning::TokenUnproven { rail: rail(), what });
    match facts.decimals {
        Some(chain) if chain != asset.decimals => {
            return Err(TokenMistake::Decimals {
                rail: rail(),
                said: asset.decimals,
                chain,
            });
        }
        Some(_) => {}
        None => unproven("its contract tells no decimals, so nobody could compare them"),
    }
    for way in ways {
        let (able, proxy) = match way {
            EvmKind::Eip3009Exact if !facts.eip3009 => {
                return Err(TokenMistake::NoSignedTransfers { rail: rail() });
            }
            EvmKind::Eip3009Exact => continue,
            EvmKind::Permit2Exact => (facts.permit2_exact, EXACT_PERMIT2_PROXY),
            EvmKind::Permit2Upto => (facts.permit2_upto, UPTO_PERMIT2_PROXY),
        };
        if !able {
            return Err(TokenMistake::NoPermit2 {
                rail: rail(),
                network: asset.network.to_string(),
                proxy: checksum(proxy),
            });
        }
        if asset.eip2612 && !facts.eip2612 {
            // A node that passes no reasons of reverts on hides it too.
            unproven(
                "its contract shows no signed approvals (EIP-2612); without them buyers that have not approved Permit2 are \
                 refused, unless they approve it themselves",
            );
        }
    }
    match asset.signing_domain() {
        None => Ok(()),
        Some(_) if facts.separator.is_none() => {
            unproven(
                "its contract tells no DOMAIN_SEPARATOR, so nobody could compare its name and version",
            );
            Ok(())
        }
        Some(_) => domain(asset, facts),
    }
}

fn domain(asset: &Asset, facts: &TokenFacts) -> Result<(), TokenMistake> {
    let (Some(said), Some(chain_id)) = (asset.signing_domain(), asset.network.chain_id()) else {
        return Ok(());
    };
    let domain = Eip712Domain {
        name: said.name.to_string(),
        version: said.version.to_string(),
        chain_id,
        verifying_contract: asset.address,
    };
    if facts.separator == Some(domain.separator().0) {
        return Ok(());
    }
    let fix = match &facts.eip712 {
        Some(own) => format!(
            "write name {:?}, version {:?}, which are the contract's, in `Rail::custom(Asset {{ … }})`",
            own.name, own.version
        ),
        None => "ask the token's publisher for both: its contract does not tell them".to_owned(),
    };
    Err(TokenMistake::Domain {
        rail: rail_id(asset),
        name: domain.name,
        version: domain.version,
        fix,
    })
}
