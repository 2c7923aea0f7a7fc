//! What hooks are told. Nothing in it is a secret, and `Debug` leaves out what ties the requests of one person together.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::Address;
use axum::http::Method;
use x402_model::asset::Asset;
use x402_model::evm::EvmKind;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

use crate::extract::PaymentId;
use crate::ledger::{PaymentKey, Record};

/// A call that presents a payment, as the seller is asked about it. Its signature and its headers are not here.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct PaidCall<'a> {
    /// The endpoint's id.
    pub endpoint: &'a str,
    /// The method; `HEAD` where a `GET` endpoint is asked so.
    pub method: &'a Method,
    /// The path as the client sent it, without its query.
    pub path: &'a str,
    /// The account that signed.
    pub payer: Address,
    /// The network.
    pub network: &'a Network,
    /// The token.
    pub asset: &'a Asset,
    /// How much is signed for, in the token's smallest unit.
    pub amount: AtomicAmount,
    /// Who is paid.
    pub pay_to: Address,
    /// The way in which it is paid.
    pub kind: EvmKind,
    /// Names this payment, in this process and in every other.
    pub payment_id: &'a PaymentId,
}

impl fmt::Debug for PaidCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaidCall")
            .field("endpoint", &self.endpoint)
            .field("method", &self.method)
            .field("network", &self.network)
            .field("asset", &self.asset.symbol)
            .field("amount", &self.amount)
            .field("kind", &self.kind)
            .field("payment_id", &self.payment_id)
            .finish_non_exhaustive()
    }
}

/// A payment whose money moved.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settlement {
    /// The endpoint's id.
    pub endpoint: Arc<str>,
    /// Names this payment, in this process and in every other.
    pub payment_id: PaymentId,
    /// The account that paid.
    pub payer: Address,
    /// The network.
    pub network: Network,
    /// The token contract.
    pub asset: Address,
    /// How much moved, in the token's smallest unit; zero for a metered call that came to nothing.
    pub amount: AtomicAmount,
    /// Who was paid.
    pub pay_to: Address,
    /// The transaction that moved it; empty where nothing had to move.
    pub transaction: String,
}

impl Settlement {
    pub(super) fn of(record: &Record) -> Self {
        let told = record.settlement.as_ref();
        let transaction = told.map(|settlement| settlement.transaction.clone());
        Self {
            endpoint: Arc::clone(&record.endpoint),
            payment_id: PaymentId::of(&record.key),
            payer: record.key.payer,
            network: record.key.network.clone(),
            asset: record.key.asset,
            amount: record.amount,
            pay_to: record.pay_to,
            transaction: transaction
                .or_else(|| record.transaction.clone())
                .unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Settlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settlement")
            .field("endpoint", &self.endpoint)
            .field("payment_id", &self.payment_id)
            .field("network", &self.network)
            .field("asset", &self.asset)
            .field("amount", &self.amount)
            .field("transaction", &self.transaction)
            .finish_non_exhaustive()
    }
}

/// Where a payment came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The facilitator or the chain found it invalid, or did not say.
    Verify,
    /// A hook refused it, or did not say.
    Hook,
    /// The handler failed or took too long, which costs nothing.
    Serve,
    /// The settlement was refused, is not known, or can never happen.
    Settle,
}

impl Stage {
    /// A stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Hook => "hook",
            Self::Serve => "serve",
            Self::Settle => "settle",
        }
    }
}

/// A payment that came to nothing, for now or for good.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Where.
    pub stage: Stage,
    /// What the buyer was told, or would be: a code of `docs/was-i-charged.md`, or `handler_failed` for a handler's own answer of
    /// status 400 or more.
    pub code: &'static str,
    /// More, if more is known: the facilitator's code, the hook's own, or the status of the handler's answer.
    pub reason: Option<String>,
    /// The endpoint's id.
    pub endpoint: Arc<str>,
    /// Names this payment, in this process and in every other.
    pub payment_id: PaymentId,
    /// The account that signed; of a contract whose signature was not approved ([`Stage::Verify`]), the one that the payment
    /// names.
    pub payer: Address,
    /// The network.
    pub network: Network,
    /// The token contract.
    pub asset: Address,
    /// How much was signed for, in the token's smallest unit.
    pub amount: AtomicAmount,
}

impl Failure {
    pub(crate) fn new(
        (stage, code, reason): (Stage, &'static str, Option<String>),
        endpoint: impl Into<Arc<str>>,
        key: &PaymentKey,
        amount: AtomicAmount,
    ) -> Self {
        Self {
            stage,
            code,
            reason,
            endpoint: endpoint.into(),
            payment_id: PaymentId::of(key),
            payer: key.payer,
            network: key.network.clone(),
            asset: key.asset,
            amount,
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("stage", &self.stage)
            .field("code", &self.code)
            .field("reason", &self.reason)
            .field("endpoint", &self.endpoint)
            .field("payment_id", &self.payment_id)
            .field("network", &self.network)
            .field("asset", &self.asset)
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}
