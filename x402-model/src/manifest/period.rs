//! Lengths of time as a manifest writes them: ISO 8601 durations of days, hours, minutes and seconds.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time in seconds, written `P1D` or `PT1M`. Months and years have no fixed length and are refused.
///
/// ```
/// use x402_model::manifest::Period;
/// assert_eq!(Period::read("P1DT12H"), Some(Period { seconds: 129_600 }));
/// assert_eq!(Period { seconds: 90 }.to_string(), "PT1M30S");
/// assert_eq!(Period::read("P1M"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// How long.
    pub seconds: u64,
}

const DAY: u64 = 86_400;

impl Period {
    /// Reads an ISO 8601 duration.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('P')?;
        let (days, time) = rest
            .split_once('T')
            .map_or((rest, None), |(days, time)| (days, Some(time)));
        if days.is_empty() && time.is_none() || time == Some("") {
            return None;
        }
        let mut seconds = 0_u64;
        let mut days = days;
        take(&mut days, 'D', DAY, &mut seconds)?;
        let mut time = time.unwrap_or_default();
        take(&mut time, 'H', 3600, &mut seconds)?;
        take(&mut time, 'M', 60, &mut seconds)?;
        take(&mut time, 'S', 1, &mut seconds)?;
        (days.is_empty() && time.is_empty()).then_some(Self { seconds })
    }
}

/// Takes one part such as `12H` off the front, if it is there.
fn take(rest: &mut &str, mark: char, worth: u64, sum: &mut u64) -> Option<()> {
    let Some((digits, after)) = rest.split_once(mark) else {
        return Some(());
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = digits.parse::<u64>().ok()?.checked_mul(worth)?;
    *sum = sum.checked_add(part)?;
    *rest = after;
    Some(())
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.seconds / DAY, self.seconds % DAY);
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if rest == 0 && days > 0 {
            return Ok(());
        }
        f.write_str("T")?;
        let parts = [(rest / 3600, 'H'), (rest / 60 % 60, 'M'), (rest % 60, 'S')];
        for (count, mark) in parts {
            if count > 0 || (rest == 0 && mark == 'S') {
                write!(f, "{count}{mark}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| {
            de::Error::invalid_value(
                de::Unexpected::Str(&text),
                &"an ISO 8601 duration of days, hours, minutes and seconds",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_and_printing_are_inverse() {
        for (text, seconds) in [
            ("P1D", 86_400),
            ("P30D", 2_592_000),
            ("PT1M", 60),
            ("PT1H", 3600),
            ("P1DT1S", 86_401),
            ("PT0S", 0),
        ] {
            assert_eq!(Period::read(text), Some(Period { seconds }), "{text}");
            assert_eq!(Period { seconds }.to_string(), text);
        }
        for text in [
            "",
            "P",
            "PT",
            "1D",
            "P1",
            "P-1D",
            "PT1D",
            "P1Y",
            "P99999999999999999999D",
        ] {
            assert_eq!(Period::read(text), None, "{text}");
        }
    }
}
