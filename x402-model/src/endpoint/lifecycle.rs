//! What will change about an endpoint, and when: what agents are told before it happens.

use super::rules::{Rule, RuleError, check_id};
use crate::extension::timestamp;
use crate::money::quote;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Days that should lie between the deprecation of an endpoint and its sunset: whoever has agents in the field needs them.
pub const MIN_SUNSET_DAYS: u64 = 30;

/// What will change about an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// That it should no longer be used.
    pub deprecation: Option<DeprecationSpec>,
}

impl Lifecycle {
    /// Nothing will change.
    pub const NONE: Self = Self { deprecation: None };

    /// Checks the rules that types cannot hold.
    ///
    /// # Errors
    /// [`LifecycleError`].
    pub fn check(&self) -> Result<(), LifecycleError> {
        self.deprecation.map_or(Ok(()), |one| one.check())
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

/// Checks what is named as a replacement: the id of an endpoint, or an http(s) URL without blanks.
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
    let plain = !rest.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
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
            Lifecycle { deprecation }.check()
        };
        assert_eq!(Lifecycle::NONE.check(), Ok(()));
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
