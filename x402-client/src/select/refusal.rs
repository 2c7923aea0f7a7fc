//! Why an option is not paid.

use std::fmt;

use x402_model::evm::KindError;

use crate::budget::BudgetRefusal;

/// Why an option is not paid. Every reason has a stable [`Refusal::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// A member is missing or has the wrong type.
    Unreadable,
    /// Neither scheme `exact` nor `upto`.
    Scheme,
    /// Not an EVM network, or not one by name.
    Network,
    /// A network that the policy does not allow.
    NetworkNotAllowed,
    /// A payment flow other than `authorization`: money could move before the work, or be held.
    PaymentFlow,
    /// The asset would be moved in a way that is not known, or that the asset does not take.
    TransferMethod,
    /// A way to pay that the policy does not allow.
    KindNotAllowed,
    /// Scheme `upto` without the account that may settle.
    Facilitator,
    /// The asset is not an address.
    AssetUnreadable,
    /// The asset is not in the policy's table.
    AssetUnknown,
    /// The terms' signing domain is not that of the asset.
    Domain,
    /// The amount is not a canonical decimal integer.
    AmountUnreadable,
    /// The amount is zero.
    AmountZero,
    /// The payee is not an address.
    PayeeUnreadable,
    /// The payee is the zero address.
    PayeeZero,
    /// The payee is the token itself: the money would be lost.
    PayeeIsAsset,
    /// Not the payee that the caller expects.
    PayeeUnexpected,
    /// Not one of the ways to pay that the caller knows.
    RailUnexpected,
    /// The authorization would be valid for no time at all.
    ValidityZero,
    /// The authorization would be valid longer than the policy's cap.
    ValidityTooLong,
    /// The resource in the terms is not the place that was called.
    OtherResource,
    /// Above the policy's cap for this asset.
    OverAssetCap,
    /// Above the most that the caller set for this call.
    OverMax,
    /// The asset does not count in the unit of the most that the caller set.
    CapUnit,
    /// The payer's key is a public development key and the money is real.
    PublicKey,
    /// The budget refuses.
    Budget(BudgetRefusal),
}

impl Refusal {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "option_unreadable",
            Self::Scheme => "scheme_not_supported",
            Self::Network => "network_not_supported",
            Self::NetworkNotAllowed => "network_not_allowed",
            Self::PaymentFlow => "payment_flow_not_supported",
            Self::TransferMethod => "transfer_method_not_supported",
            Self::KindNotAllowed => "payment_kind_not_allowed",
            Self::Facilitator => "facilitator_unreadable",
            Self::AssetUnreadable => "asset_unreadable",
            Self::AssetUnknown => "asset_not_allowed",
            Self::Domain => "signing_domain_mismatch",
            Self::AmountUnreadable => "amount_unreadable",
            Self::AmountZero => "amount_zero",
            Self::PayeeUnreadable => "payee_unreadable",
            Self::PayeeZero => "payee_zero",
            Self::PayeeIsAsset => "payee_is_asset",
            Self::PayeeUnexpected => "payee_unexpected",
            Self::RailUnexpected => "rail_unexpected",
            Self::ValidityZero => "validity_zero",
            Self::ValidityTooLong => "validity_too_long",
            Self::OtherResource => "other_resource",
            Self::OverAssetCap => "over_asset_cap",
            Self::OverMax => "over_max",
            Self::CapUnit => "asset_not_in_max",
            Self::PublicKey => "public_key_on_main_network",
            Self::Budget(refusal) => refusal.code(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl From<BudgetRefusal> for Refusal {
    fn from(refusal: BudgetRefusal) -> Self {
        Self::Budget(refusal)
    }
}

impl From<KindError> for Refusal {
    fn from(error: KindError) -> Self {
        match error {
            KindError::Scheme => Self::Scheme,
            KindError::Facilitator => Self::Facilitator,
            // What is unknown about the way to pay is never signed as another way.
            _ => Self::TransferMethod,
        }
    }
}

/// Why each option of the terms was refused, in the seller's order. Empty if nothing was offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals(pub Vec<Refusal>);

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing offered");
        }
        for (index, refusal) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}option {index}: {refusal}")?;
        }
        Ok(())
    }
}
