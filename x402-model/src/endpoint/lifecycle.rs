//! What will change about an endpoint, and when: what agents are told before it happens.

use super::rules::{Rule, RuleError, check_id};
use crate::extension::timestamp;
use crate::money::quote;
use crate::price::{PriceModel, PriceModelError};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Days that should lie between the deprecation of an endpoint and its sunset: whoever has agents in the field needs them.
pub const MIN_SUNSET_DAYS: u64 = 30;

/// Days that should lie between the announcement of a higher price and the price.
pub const MIN_PRICE_DAYS: u64 = 7;

/// Most prices that are scheduled for one endpoint: each is made ready when the seller starts.
pub const MAX_SCHEDULED: usize = 8;

/// Seconds between two scheduled prices at least, which is longer than anything that was told may be paid; what changes more often is a
/// price of a function.
pub const MIN_BETWEEN_PRICES: u64 = DAY;

/// Most characters of the reason for a price.
pub const MAX_REASON_CHARS: usize = 200;

/// What will change about an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// That it should no longer be used.
    pub deprecation: Option<DeprecationSpec>,
    /// What it will cost, in the order of time.
    pub scheduled: &'static [ScheduledPrice],
}

impl Lifecycle {
    /// Nothing will change.
    pub const NONE: Self = Self {
        deprecation: None,
        scheduled: &[],
    };

    /// Checks the rules that types cannot hold, given what the endpoint costs now.
    ///
    /// # Errors
    /// [`LifecycleError`].
    pub fn check(&self, price: &PriceModel) -> Result<(), LifecycleError> {
        self.deprecation.map_or(Ok(()), |one| one.check())?;
        if self.scheduled.len() > MAX_SCHEDULED {
            return Err(LifecycleError::TooMany);
        }
        let (mut before, mut from) = (price, None);
        for next in self.scheduled {
            next.price.check().map_err(LifecycleError::Price)?;
            let earliest = from.map(|from: u64| from.saturating_add(MIN_BETWEEN_PRICES));
            if earliest.is_some_and(|earliest| next.from < earliest) {
                return Err(LifecycleError::Order);
            }
            if next.announced.is_some_and(|day| day >= next.from) {
                return Err(LifecycleError::AnnouncedLate);
            }
            let sunset = self.deprecation.and_then(|one| one.sunset);
            if sunset.is_some_and(|sunset| sunset <= next.from) {
                return Err(LifecycleError::AfterSunset);
            }
            if next.reason.map_or(0, |text| text.chars().count()) > MAX_REASON_CHARS {
                return Err(LifecycleError::LongReason);
            }
            follows(before, &next.price)?;
            (before, from) = (&next.price, Some(next.from));
        }
        Ok(())
    }
}

/// A price that will hold from some time on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledPrice {
    /// From when on, Unix seconds.
    pub from: u64,
    /// Since when buyers can know of it, Unix seconds, before `from`.
    pub announced: Option<u64>,
    /// What the endpoint costs then: in the unit of the price before it, and of its kind.
    pub price: PriceModel,
    /// Why, at most [`MAX_REASON_CHARS`].
    pub reason: Option<&'static str>,
}

impl ScheduledPrice {
    /// Whole days between an announcement and the price.
    #[must_use]
    pub const fn notice_days(&self, announced: u64) -> u64 {
        self.from.saturating_sub(announced) / DAY
    }
}

/// Whether a price may follow another one on the same handler: it is another price, in the same unit, and of a kind that the
/// handler serves and that the same payments pay.
///
/// # Errors
/// [`LifecycleError`].
pub fn follows(before: &PriceModel, next: &PriceModel) -> Result<(), LifecycleError> {
    if before == next {
        return Err(LifecycleError::SamePrice);
    }
    if before.bounds().max.unit != next.bounds().max.unit {
        return Err(LifecycleError::Unit);
    }
    let fits = match (before, next) {
        (
            PriceModel::Flat { .. } | PriceModel::Tiered { .. },
            PriceModel::Flat { .. } | PriceModel::Tiered { .. },
        )
        | (PriceModel::Dynamic { .. }, PriceModel::Dynamic { .. }) => true,
        // What the handler meters goes by these names.
        (PriceModel::Usage { units: old, .. }, PriceModel::Usage { units: new, .. }) => {
            old.len() == new.len()
                && old
                    .iter()
                    .all(|unit| new.iter().any(|other| other.id == unit.id))
        }
        _ => false,
    };
    fits.then_some(()).ok_or(LifecycleError::Kind)
}

/// What a change of price means to buyers, as manifests call it: `price-increase`, `price-decrease`, or `price-change` where it
/// depends on the call.
#[must_use]
pub fn class_of_change(before: &PriceModel, next: &PriceModel) -> &'static str {
    use core::cmp::Ordering::{Equal, Greater, Less};
    let (before, next) = (before.bounds(), next.bounds());
    let most = next.max.amount.cmp(&before.max.amount);
    let least = next.min.amount.cmp(&before.min.amount);
    match (least, most) {
        (Greater | Equal, Greater) | (Greater, Equal) => "price-increase",
        (Less | Equal, Less) | (Less, Equal) => "price-decrease",
        _ => "price-change",
    }
}

/// That an endpoint should no longer be used, since when, and until when it can be.
///
/// It is for buyers: Rust's `#[deprecated]` on the handler is for callers in Rust, and says nothing to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeprecationSpec {
    /// Since when, Unix seconds; may lie ahead.
    pub since: u64,
    /// From when on it may be gone, Unix seconds, after `since`.
    pub sunset: Option<u64>,
    /// What to use instead: the id of another endpoint of the paywall, or a URL.
    pub replacement: Option<&'static str>,
}

impl DeprecationSpec {
    /// Whole days between deprecation and sunset, if there is one.
    #[must_use]
    pub const fn notice_days(&self) -> Option<u64> {
        match self.sunset {
            Some(sunset) => Some(sunset.saturating_sub(self.since) / DAY),
            None => None,
        }
    }

    fn check(&self) -> Result<(), LifecycleError> {
        if self.sunset.is_some_and(|sunset| sunset <= self.since) {
            return Err(LifecycleError::SunsetFirst);
        }
        let replacement = self.replacement.map_or(Ok(()), check_replacement);
        replacement.map_err(LifecycleError::Replacement)
    }
}

/// A broken rule of a [`Lifecycle`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LifecycleError {
    /// The sunset is not after the deprecation.
    #[error("the sunset is not after the deprecation")]
    SunsetFirst,
    /// More prices than are kept ready.
    #[error("more than {MAX_SCHEDULED} prices are scheduled")]
    TooMany,
    /// A scheduled price is wrong by itself.
    #[error("a scheduled price: {0}")]
    Price(PriceModelError),
    /// Two prices within a day, or out of order.
    #[error(
        "the scheduled prices are not in the order of time, each a day or more after the one before it"
    )]
    Order,
    /// Nobody could know before.
    #[error("a scheduled price is not announced before it holds")]
    AnnouncedLate,
    /// Nobody would ever pay it.
    #[error("a scheduled price holds from the sunset of the endpoint or later")]
    AfterSunset,
    /// The reason is no line.
    #[error("the reason for a scheduled price has more than {MAX_REASON_CHARS} characters")]
    LongReason,
    /// It is the price before it.
    #[error("a scheduled price is the same as the price before it")]
    SamePrice,
    /// It is in another unit than the price before it.
    #[error("a scheduled price is in another unit than the price before it")]
    Unit,
    /// It is of another kind than the price before it.
    #[error(
        "a scheduled price is of another kind than the price before it: fixed and tiered prices may follow each other, metered ones \
         of the same units, and quoted ones"
    )]
    Kind,
    /// What to use instead is neither an id nor a URL.
    #[error("the replacement: {0}")]
    Replacement(RuleError),
}

/// Reads a point in time in Unix seconds: a day, which begins at midnight UTC, or RFC 3339 to the second.
///
/// # Errors
/// [`RuleError`] for days that the calendar does not have, and for anything else.
///
/// ```
/// use x402_model::endpoint::read_instant;
/// assert_eq!(read_instant("2027-03-01"), Ok(1_803_859_200));
/// assert_eq!(read_instant("2027-03-01T01:00:00+01:00"), Ok(1_803_859_200));
/// assert!(read_instant("2027-02-29").is_err());
/// ```
pub fn read_instant(text: &str) -> Result<u64, RuleError> {
    let day = format!("{text}T00:00:00Z");
    let whole = |ms: u64| ms.is_multiple_of(1000).then_some(ms / 1000);
    let read = timestamp::read(text).and_then(whole);
    let is_day = text.len() == "2027-03-01".len();
    read.or_else(|| timestamp::read(&day).filter(|_| is_day).and_then(whole))
        .ok_or_else(|| RuleError {
            rule: Rule::Time,
            span: 0..text.len(),
            message: format!("{} is no day or time", quote(text)),
            help: Some(
                "write a day that exists, as in \"2027-03-01\" (which begins at midnight UTC), or a time as in \
                 \"2027-03-01T09:00:00Z\""
                    .to_owned(),
            ),
        })
}

/// Checks what is named as a replacement: the id of an endpoint, or an http(s) URL that a `Link` header can hold.
///
/// # Errors
/// [`RuleError`].
pub fn check_replacement(text: &str) -> Result<(), RuleError> {
    let after = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = after else {
        return check_id(text).map_err(|error| RuleError {
            help: Some("name another endpoint by its id, or give an https URL".to_owned()),
            ..error
        });
    };
    // What would end a URL in a header, too. Braces stay: they are captures.
    let ends = |byte: u8| matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'|');
    let plain = |byte: u8| byte.is_ascii_graphic() && !ends(byte);
    let plain = !rest.is_empty() && text.bytes().all(plain);
    if plain && text.len() <= MAX_URL {
        return Ok(());
    }
    Err(RuleError {
        rule: Rule::Character,
        span: 0..text.len(),
        message: format!("{} is no URL that headers can hold", quote(text)),
        help: Some("write printable ASCII without blanks, escaped where need be".to_owned()),
    })
}

/// Most bytes of a URL.
const MAX_URL: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Decimal;
    use crate::price::{Price, PriceUnit};

    const fn flat(cents: u128) -> PriceModel {
        let amount = Decimal::new(cents, 2);
        let unit = PriceUnit::Usd;
        PriceModel::Flat {
            amount: Price { amount, unit },
        }
    }

    const fn at(from: u64, cents: u128) -> ScheduledPrice {
        ScheduledPrice {
            from,
            announced: None,
            price: flat(cents),
            reason: None,
        }
    }

    #[test]
    fn prices_follow_each_other() {
        const FINE: &[ScheduledPrice] = &[at(10, 2), at(10 + DAY, 1)];
        const ORDER: &[ScheduledPrice] = &[at(10, 2), at(9 + DAY, 1)];
        const SAME: &[ScheduledPrice] = &[at(10, 2), at(10 + DAY, 2)];
        const LATE: &[ScheduledPrice] = &[ScheduledPrice {
            from: 10,
            announced: Some(10),
            price: flat(2),
            reason: None,
        }];
        const ZERO: &[ScheduledPrice] = &[at(10, 0)];
        let with = |scheduled, sunset| {
            let deprecation = DeprecationSpec {
                since: 0,
                sunset: Some(sunset),
                replacement: None,
            };
            Lifecycle {
                deprecation: Some(deprecation),
                scheduled,
            }
            .check(&flat(1))
        };
        assert_eq!(with(FINE, 11 + DAY), Ok(()));
        assert_eq!(with(FINE, 10 + DAY), Err(LifecycleError::AfterSunset));
        assert_eq!(with(ORDER, 11 + DAY), Err(LifecycleError::Order));
        assert_eq!(with(SAME, 11 + DAY), Err(LifecycleError::SamePrice));
        assert_eq!(with(LATE, 21), Err(LifecycleError::AnnouncedLate));
        let zero = with(ZERO, 21);
        assert!(matches!(zero, Err(LifecycleError::Price(_))), "{zero:?}");
    }

    #[test]
    fn a_change_is_classified_by_its_bounds() {
        let dynamic = |min, max| PriceModel::Dynamic {
            min: Some(price(min)),
            max: price(max),
            quote: crate::price::Quote::Required402 { ttl_seconds: 60 },
            factors: std::borrow::Cow::Borrowed(&[]),
        };
        for (next, class) in [
            ((1, 6), "price-increase"),
            ((2, 5), "price-increase"),
            ((1, 4), "price-decrease"),
            ((2, 4), "price-change"),
            ((1, 5), "price-change"),
        ] {
            let next = dynamic(next.0, next.1);
            assert_eq!(class_of_change(&dynamic(1, 5), &next), class, "{next:?}");
        }
        let kind = follows(&flat(1), &dynamic(1, 5));
        assert_eq!(kind, Err(LifecycleError::Kind));
    }

    const fn price(cents: u128) -> Price {
        Price {
            amount: Decimal::new(cents, 2),
            unit: PriceUnit::Usd,
        }
    }

    #[test]
    fn days_and_times_are_read_and_nothing_else() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("2028-02-29", Some(1_835_395_200)),
            ("2027-01-15T00:00:00Z", Some(1_799_971_200)),
            ("2027-01-15T00:00:00.000Z", Some(1_799_971_200)),
            ("2027-01-15T00:00:00.5Z", None),
            ("2027-02-29", None),
            ("2027-13-01", None),
            ("2027-3-1", None),
            ("01.03.2027", None),
            ("2027-01-15T00:00:00", None),
            ("1.2.0", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(read_instant(text).ok(), seconds, "{text}");
        }
    }

    #[test]
    fn a_sunset_follows_a_deprecation_and_a_replacement_is_a_name_or_a_url() {
        let with = |sunset, replacement| {
            let deprecation = DeprecationSpec {
                since: 1_000_000,
                sunset,
                replacement,
            };
            let deprecation = Some(deprecation);
            let scheduled = &[];
            Lifecycle {
                deprecation,
                scheduled,
            }
            .check(&flat(1))
        };
        assert_eq!(Lifecycle::NONE.check(&flat(1)), Ok(()));
        for fine in [None, Some("weather.v2"), Some("https://b.example/v2?a=%20")] {
            assert_eq!(with(None, fine), Ok(()), "{fine:?}");
            assert_eq!(with(Some(1_000_001), fine), Ok(()), "{fine:?}");
        }
        for early in [0, 999_999, 1_000_000] {
            assert_eq!(with(Some(early), None), Err(LifecycleError::SunsetFirst));
        }
        for odd in [
            "",
            "/v2",
            "the new one",
            "https://",
            "https://a b",
            "https://a.example/>;rel=x",
            "https://a.example/\"",
            "ftp://a",
        ] {
            let error = with(None, Some(odd));
            assert!(
                matches!(error, Err(LifecycleError::Replacement(_))),
                "{odd}: {error:?}"
            );
        }
    }

    #[test]
    fn notice_is_counted_in_whole_days() {
        let with = |sunset| DeprecationSpec {
            since: 0,
            sunset,
            replacement: None,
        };
        assert_eq!(with(None).notice_days(), None);
        assert_eq!(with(Some(30 * DAY - 1)).notice_days(), Some(29));
        assert_eq!(with(Some(30 * DAY)).notice_days(), Some(30));
    }
}
