//! Reason codes that are not of the protocol: the limits of this facilitator, not faults of a payment.

/// What the network charges now is more than this facilitator may spend on one settlement.
pub const FEE_ABOVE_CAP: &str = "settlement_fee_above_cap";
/// The fees of the last hour leave no room for another settlement.
pub const FEE_BUDGET_SPENT: &str = "settlement_fee_budget_spent";
/// The transfer needs more gas than this facilitator may use.
pub const GAS_ABOVE_CAP: &str = "settlement_gas_above_cap";
/// The settling account has too little native currency.
pub const SETTLER_FUNDS: &str = "settler_insufficient_funds";
/// The amount is below the least that this facilitator settles of the token.
pub const BELOW_MINIMUM: &str = "amount_below_minimum";
