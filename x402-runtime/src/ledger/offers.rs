//! Terms that were offered before and may still come back as a payment.

/// How many replaced terms are kept for one endpoint. More changes than this inside one payment window drop the oldest: their
/// buyers are asked to look at the terms again.
const MAX_SUPERSEDED: usize = 32;

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

/// The present and the replaced terms of one endpoint. Pure; stores only load and save it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OfferBook {
    /// The present terms and their `maxTimeoutSeconds`.
    pub(super) current: Option<(String, u64)>,
    /// Replaced terms, oldest first.
    pub(super) superseded: Vec<SupersededOffer>,
}

impl OfferBook {
    /// Makes `accepts_json` the present terms and drops what nobody may pay for any more.
    pub(super) fn publish(&mut self, accepts_json: &str, max_timeout_seconds: u64, now_ms: u64) {
        if let Some((old, timeout)) = self.current.take()
            && old != accepts_json
        {
            let until_ms = now_ms.saturating_add(timeout.saturating_mul(1000));
            self.superseded.push(SupersededOffer {
                accepts_json: old,
                superseded_ms: now_ms,
                until_ms,
            });
        }
        self.current = Some((accepts_json.to_owned(), max_timeout_seconds));
        self.superseded
            .retain(|offer| offer.until_ms >= now_ms && offer.accepts_json != accepts_json);
        let excess = self.superseded.len().saturating_sub(MAX_SUPERSEDED);
        self.superseded.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(book: &OfferBook) -> Vec<&str> {
        book.superseded
            .iter()
            .map(|offer| offer.accepts_json.as_str())
            .collect()
    }

    #[test]
    fn g9_replaced_terms_stay_payable_for_their_own_timeout() {
        let mut book = OfferBook::default();
        book.publish("[1]", 60, 1_000);
        book.publish("[1]", 60, 2_000);
        assert!(
            book.superseded.is_empty(),
            "publishing the same terms changes nothing"
        );
        book.publish("[2]", 300, 3_000);
        assert_eq!(texts(&book), ["[1]"]);
        assert_eq!(book.superseded[0].until_ms, 63_000);
        book.publish("[2]", 300, 63_000);
        assert_eq!(texts(&book), ["[1]"], "payable up to the last millisecond");
        book.publish("[2]", 300, 63_001);
        assert!(book.superseded.is_empty());
    }

    #[test]
    fn terms_that_come_back_are_present_again() {
        let mut book = OfferBook::default();
        book.publish("[1]", 60, 0);
        book.publish("[2]", 60, 10);
        book.publish("[1]", 60, 20);
        assert_eq!(book.current.as_ref().unwrap().0, "[1]");
        assert_eq!(texts(&book), ["[2]"]);
    }

    #[test]
    fn the_number_of_replaced_terms_is_bounded() {
        let mut book = OfferBook::default();
        for n in 0..100 {
            book.publish(&format!("[{n}]"), 600, n);
        }
        assert_eq!(book.superseded.len(), MAX_SUPERSEDED);
        assert_eq!(texts(&book).last(), Some(&"[98]"));
    }
}
