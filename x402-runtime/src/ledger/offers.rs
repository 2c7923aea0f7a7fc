//! Terms that were offered before and may still come back as a payment.

/// Terms of an endpoint that were replaced, but that a buyer may still pay: it read them in a 402 before the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupersededOffer {
    /// The `accepts` list as it was published, JSON text.
    pub accepts_json: String,
    /// When they were replaced, unix milliseconds.
    pub superseded_ms: u64,
    /// Until when a payment made for them is accepted, unix milliseconds: when they were replaced plus their own
    /// `maxTimeoutSeconds`.
    pub until_ms: u64,
}
