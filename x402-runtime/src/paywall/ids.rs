//! Whether buyers give their purchases ids of their own.

/// What a paywall does with the `payment-identifier` extension (protocol 6.2).
///
/// A buyer that lost an answer may not have its payment any more, or may not know any more which one it sent, and signs again.
/// An id tells that it is still the same purchase: the new payment is not used, and the buyer gets the stored answer and the
/// settlement of the first one. The same id with another request is refused (409 `payment_id_reused`).
///
/// An id belongs to the payer at an endpoint and is looked up only for a payment that the payer has signed, so guessing one
/// shows nobody's answer. It is known for as long as closed payments are kept
/// ([`retention`](super::PaywallBuilder::retention)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
