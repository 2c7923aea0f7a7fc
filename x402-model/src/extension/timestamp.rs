//! Points in time as RFC 3339 text, as sign-in messages write them.

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Reads an RFC 3339 date and time as milliseconds since 1970. Fractions beyond a millisecond are dropped, as other readers do.
///
/// `None` for anything else, for times before 1970, and for a leap second, which the calendar of Unix time does not have.
///
/// ```
/// use x402_model::extension::timestamp::{print, read};
/// assert_eq!(read("2026-09-21T14:13:20.000Z"), Some(1_790_000_000_000));
/// assert_eq!(read("2026-09-21T16:13:20+02:00"), Some(1_790_000_000_000));
/// assert_eq!(read("2026-09-21"), None);
/// assert_eq!(print(1_790_000_000_000), "2026-09-21T14:13:20.000Z");
/// ```
#[must_use]
pub fn read(text: &str) -> Option<u64> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    let month = after(&mut rest, "-", 2)?;
    let day = after(&mut rest, "-", 2)?;
    rest = rest.strip_prefix(['T', 't'])?;
    let hour = digits(&mut rest, 2)?;
    let minute = after(&mut rest, ":", 2)?;
    let second = after(&mut rest, ":", 2)?;
    let real = hour < 24 && minute < 60 && second < 60 && year >= 1970;
    if !real || !(1..=days_in(year, month)?).contains(&day) {
        return None;
    }
    let millis = fraction(&mut rest)?;
    let days = days_before(year, month).checked_add(day)?.checked_sub(1)?;
    let local = ((days * 24 + hour) * 60 + minute) * 60 + second;
    let offset = offset(rest)?;
    let utc = i64::try_from(local).ok()?.checked_sub(offset)?;
    u64::try_from(utc)
        .ok()?
        .checked_mul(1000)?
        .checked_add(millis)
}

/// Prints milliseconds since 1970 as RFC 3339 text in UTC with milliseconds. Years after 9999 print as the end of 9999.
#[must_use]
pub fn print(ms: u64) -> String {
    let time = Civil::of(ms);
    format!("{}T{}.{:03}Z", time.date(), time.clock(), time.millis)
}

/// Prints Unix seconds as RFC 3339 text in UTC. Years after 9999 print as the end of 9999.
///
/// ```
/// use x402_model::extension::timestamp::print_seconds;
/// assert_eq!(print_seconds(1_790_000_000), "2026-09-21T14:13:20Z");
/// ```
#[must_use]
pub fn print_seconds(seconds: u64) -> String {
    let time = Civil::of(seconds.saturating_mul(1000));
    format!("{}T{}Z", time.date(), time.clock())
}

/// Prints Unix seconds as headers of HTTP have them (RFC 9110). Years after 9999 print as the end of 9999.
///
/// ```
/// use x402_model::extension::timestamp::http_date;
/// assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
#[must_use]
pub fn http_date(seconds: u64) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // The first of January 1970 was a Thursday.
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let time = Civil::of(seconds.saturating_mul(1000));
    let name = |names: &[&'static str], at: u64| {
        let at = usize::try_from(at).unwrap_or_default();
        names.get(at).copied().unwrap_or_default()
    };
    let month = name(&MONTHS, time.month - 1);
    let weekday = name(&DAYS, time.days % 7);
    let (day, year, clock) = (time.day, time.year, time.clock());
    format!("{weekday}, {day:02} {month} {year:04} {clock} GMT")
}

/// A point of time in UTC by the calendar.
struct Civil {
    /// Whole days since 1970.
    days: u64,
    year: u64,
    month: u64,
    day: u64,
    seconds: u64,
    millis: u64,
}

impl Civil {
    fn of(ms: u64) -> Self {
        const END_OF_9999: u64 = 253_402_300_799_999;
        let ms = ms.min(END_OF_9999);
        let (days, in_day) = (ms / DAY_MS, ms % DAY_MS);
        let (mut left, mut year, mut month) = (days, 1970, 1);
        while left >= days_in_year(year) {
            left -= days_in_year(year);
            year += 1;
        }
        while let Some(length) = days_in(year, month).filter(|length| left >= *length) {
            left -= length;
            month += 1;
        }
        Self {
            days,
            year,
            month,
            day: left + 1,
            seconds: in_day / 1000,
            millis: in_day % 1000,
        }
    }

    fn date(&self) -> String {
        let Self {
            year, month, day, ..
        } = self;
        format!("{year:04}-{month:02}-{day:02}")
    }

    fn clock(&self) -> String {
        let (hour, minute, second) = (
            self.seconds / 3600,
            self.seconds / 60 % 60,
            self.seconds % 60,
        );
        format!("{hour:02}:{minute:02}:{second:02}")
    }
}

fn digits(rest: &mut &str, count: usize) -> Option<u64> {
    let (head, tail) = rest.split_at_checked(count)?;
    if !head.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *rest = tail;
    head.parse().ok()
}

fn after(rest: &mut &str, mark: &str, count: usize) -> Option<u64> {
    *rest = rest.strip_prefix(mark)?;
    digits(rest, count)
}

/// An optional fraction of a second in milliseconds.
fn fraction(rest: &mut &str) -> Option<u64> {
    let Some(tail) = rest.strip_prefix('.') else {
        return Some(0);
    };
    let count = tail.bytes().take_while(u8::is_ascii_digit).count();
    let (found, tail) = tail.split_at_checked(count)?;
    if !(1..=9).contains(&count) {
        return None;
    }
    *rest = tail;
    format!("{found:0<3}").get(..3)?.parse().ok()
}

/// Seconds that local time is ahead of UTC.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let (sign, mut rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let hours = digits(&mut rest, 2)?;
    let minutes = after(&mut rest, ":", 2)?;
    if !rest.is_empty() || hours > 23 || minutes > 59 {
        return None;
    }
    Some(sign * i64::try_from(hours * 3600 + minutes * 60).ok()?)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_in(year: u64, month: u64) -> Option<u64> {
    Some(match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    })
}

/// Days from 1970 to the first of a month of 1970 or later.
fn days_before(year: u64, month: u64) -> u64 {
    let years: u64 = (1970..year).map(days_in_year).sum();
    let months: u64 = (1..month).filter_map(|month| days_in(year, month)).sum();
    years + months
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_of_the_standard_and_nothing_else() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00.5Z", Some(500)),
            ("1970-01-01T00:00:00.1239Z", Some(123)),
            ("2000-02-29T23:59:59.999Z", Some(951_868_799_999)),
            ("2026-09-21t14:13:20z", Some(1_790_000_000_000)),
            ("2026-09-21T09:13:20-05:00", Some(1_790_000_000_000)),
            ("9999-12-31T23:59:59.999Z", Some(253_402_300_799_999)),
            ("1969-12-31T23:59:59Z", None),
            ("1970-01-01T00:00:00+01:00", None),
            ("2100-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-00-01T00:00:00Z", None),
            ("2026-01-00T00:00:00Z", None),
            ("2026-01-01T24:00:00Z", None),
            ("2026-01-01T00:00:60Z", None),
            ("2026-01-01T00:00:00", None),
            ("2026-01-01T00:00:00.Z", None),
            ("2026-01-01T00:00:00Z ", None),
            ("2026-01-01 00:00:00Z", None),
            ("+026-01-01T00:00:00Z", None),
            ("2026-01-01T00:00:00+0100", None),
            ("2026-01-01T00:00:00é", None),
            ("", None),
        ] {
            assert_eq!(read(text), ms, "{text}");
        }
    }

    #[test]
    fn prints_what_it_reads() {
        for ms in [
            0,
            1,
            951_868_799_999,
            1_790_000_000_000,
            253_402_300_799_999,
        ] {
            assert_eq!(read(&print(ms)), Some(ms));
        }
        assert_eq!(print(u64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(print_seconds(u64::MAX), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn prints_dates_of_http() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
            (1_803_859_200, "Mon, 01 Mar 2027 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(http_date(seconds), text);
        }
    }
}
