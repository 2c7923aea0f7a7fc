//! The option that is paid.

use std::fmt;

use alloy_primitives::Address;
use serde_json::value::RawValue;
use x402_model::asset::Asset;
use x402_model::evm::{Eip712Domain, EvmKind};
use x402_model::money::AtomicAmount;

use crate::terms::Version;

/// The chosen option, in checked and typed form. What is signed is built from this and nothing else.
#[derive(Clone)]
pub struct Choice {
    pub(crate) version: Version,
    pub(crate) index: usize,
    pub(crate) accepted: Box<RawValue>,
    pub(crate) network_text: String,
    pub(crate) asset: Asset,
    pub(crate) amount: AtomicAmount,
    pub(crate) pay_to: Address,
    pub(crate) validity: u64,
    pub(crate) chain_id: u64,
    pub(crate) rail: Rail,
}

/// The way an option is paid, with what only that way needs.
#[derive(Clone, Debug)]
pub(crate) enum Rail {
    /// By EIP-3009, signed in the token's domain.
    Eip3009(Eip712Domain),
    /// Scheme `exact` through Permit2.
    Permit2,
    /// Scheme `upto` through Permit2.
    Upto {
        /// The only account that may settle.
        facilitator: Address,
    },
}

impl Choice {
    /// Position of the option in the terms.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The option's own text, as it is sent back.
    pub fn accepted(&self) -> &RawValue {
        &self.accepted
    }

    /// The asset, from the policy's table.
    pub const fn asset(&self) -> &Asset {
        &self.asset
    }

    /// The way it is paid.
    pub const fn kind(&self) -> EvmKind {
        match self.rail {
            Rail::Eip3009(_) => EvmKind::Eip3009Exact,
            Rail::Permit2 => EvmKind::Permit2Exact,
            Rail::Upto { .. } => EvmKind::Permit2Upto,
        }
    }

    /// The amount in atomic units; under scheme `upto` the most that can be charged.
    pub const fn amount(&self) -> AtomicAmount {
        self.amount
    }

    /// Who is paid.
    pub const fn pay_to(&self) -> Address {
        self.pay_to
    }

    /// How long the payment will be valid, in seconds.
    pub const fn valid_seconds(&self) -> u64 {
        self.validity
    }

    /// The only account that may settle, under scheme `upto`.
    pub const fn facilitator(&self) -> Option<Address> {
        match self.rail {
            Rail::Upto { facilitator } => Some(facilitator),
            Rail::Eip3009(_) | Rail::Permit2 => None,
        }
    }
}

/// The token's own EIP-712 domain, where the table knows it.
pub(crate) fn token_domain(asset: &Asset, chain_id: u64) -> Option<Eip712Domain> {
    let own = asset.eip712.as_ref()?;
    Some(Eip712Domain {
        name: own.name.to_string(),
        version: own.version.to_string(),
        chain_id,
        verifying_contract: asset.address,
    })
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choice")
            .field("index", &self.index)
            .field("asset", &self.asset.symbol)
            .field("network", &self.asset.network)
            .field("amount", &self.amount)
            .field("kind", &self.kind())
            .field("pay_to", &self.pay_to)
            .finish_non_exhaustive()
    }
}
