//! Whether buyers give their purchases ids of their own.

use core::fmt;

/// What a seller does with the `payment-identifier` extension.
///
/// A buyer that lost an answer may not have its payment any more, or may not know any more which one it sent, and signs again.
/// An id tells that it is still the same purchase: the new payment is not used, and the buyer gets the stored answer and the
/// settlement of the first one. The same id with another request is refused (409 `payment_id_reused`).
///
/// An id belongs to the payer at an endpoint and is looked up only for a payment that the payer has signed, so guessing one
/// shows nobody's answer. It is known for as long as closed payments are kept (the paywall's `retention`).
///
/// ```
/// use x402_model::endpoint::PaymentIds;
/// assert_eq!(PaymentIds::from_name("required"), Some(PaymentIds::Required));
/// assert_eq!(PaymentIds::Off.as_str(), "off");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentIds {
    /// Ids are not advertised and not looked at. The stored answer is then found by the payment itself, which is enough for
    /// buyers that present the same payment again.
    #[default]
    Off,
    /// Ids are advertised and honoured; payments without one are taken as well. It protects buyers that sign again, and makes
    /// every 402 about half a kilobyte longer.
    Optional,
    /// A payment without an id is refused (400 `payment_id_missing`), which shuts out buyers of protocol version 1.
    Required,
}

impl PaymentIds {
    /// Every setting, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Off, Self::Optional, Self::Required];

    /// The setting as it is written in `#[paid]`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }

    /// The setting with this name; names are compared exactly.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|ids| ids.as_str() == name)
    }
}

impl fmt::Display for PaymentIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
