//! The id of an endpoint in documents for programs, where it becomes the name of an operation.

/// What stands before an id that would begin with a digit, or be empty.
const FIRST: char = 'x';

/// The id of an endpoint as documents write it: a small letter, then letters and digits, no more than the id has.
///
/// It is made of the letters and digits of the id; a letter is large where something else stood before it. So different ids may
/// become the same one, and a manifest that says it twice is refused.
///
/// ```
/// use x402_model::endpoint::operation_id;
/// assert_eq!(operation_id("current_weather"), "currentWeather");
/// assert_eq!(operation_id("current.weather"), "currentWeather");
/// assert_eq!(operation_id("_2"), "x2");
/// ```
#[must_use]
pub fn operation_id(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    let mut upper = false;
    for letter in id.chars() {
        if !letter.is_ascii_alphanumeric() {
            upper = !out.is_empty();
            continue;
        }
        if out.is_empty() && letter.is_ascii_digit() {
            out.push(FIRST);
        }
        if out.is_empty() {
            out.push(letter.to_ascii_lowercase());
        } else if core::mem::take(&mut upper) {
            out.push(letter.to_ascii_uppercase());
        } else {
            out.push(letter);
        }
    }
    if out.is_empty() {
        out.push(FIRST);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::rules::{MAX_ID_CHARS, check_id};

    #[test]
    fn every_id_becomes_one_that_documents_take() {
        let long = format!("_{}", "7".repeat(MAX_ID_CHARS - 1));
        for (id, written) in [
            ("weather", "weather"),
            ("Weather", "weather"),
            ("getWEATHER", "getWEATHER"),
            ("get_weather", "getWeather"),
            ("get--weather.v2", "getWeatherV2"),
            ("_get_", "get"),
            ("get_2", "get2"),
            ("_1st", "x1st"),
            ("_", "x"),
            ("__.-", "x"),
            (&long, &format!("x{}", "7".repeat(MAX_ID_CHARS - 1))),
        ] {
            assert!(check_id(id).is_ok(), "{id}");
            let made = operation_id(id);
            assert_eq!(made, written);
            assert!(check_id(&made).is_ok(), "{made}");
            assert!(made.starts_with(|c: char| c.is_ascii_lowercase()), "{made}");
            assert!(made.chars().all(|c| c.is_ascii_alphanumeric()), "{made}");
            assert_eq!(operation_id(&made), made, "once more is the same");
        }
        // What is no id becomes one all the same.
        assert_eq!(operation_id(""), "x");
        assert_eq!(operation_id("größe"), "grE");
        for id in ["", "größe", "1st", ".a", &"a".repeat(MAX_ID_CHARS + 1)] {
            assert!(check_id(id).is_err(), "{id}");
        }
    }
}
