//! Foreign text, made fit for a terminal: it says what it says and steers nothing.

use x402_runtime::model::text::is_hiding;

/// Text with its line breaks and tabs, in which every character that a terminal obeys or that nobody sees is replaced.
pub(crate) fn text(foreign: &str) -> String {
    let tame = |c: char| match c {
        '\n' | '\t' => c,
        c if is_hiding(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    foreign.replace("\r\n", "\n").chars().map(tame).collect()
}

/// At most so many characters of a text on one line; an ellipsis is the last of one that was longer.
pub(crate) fn line(foreign: &str, most: usize) -> String {
    let plain = foreign.split_whitespace().collect::<Vec<_>>().join(" ");
    let tame = text(&plain);
    if tame.chars().count() <= most {
        return tame;
    }
    let kept: String = tame.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// JSON text in which the characters of [`text`] are escaped. It is read as the same JSON: they stand in strings only.
pub(crate) fn json(serialized: &str) -> String {
    let mut out = String::with_capacity(serialized.len());
    for c in serialized.chars() {
        if is_hiding(c) && c != '\n' {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEERING: &str = "a\r\nb\t\u{1b}[2Jc\u{7}\u{202e}d\u{9b}\u{e0041}";

    #[test]
    fn a_seller_does_not_steer_the_terminal() {
        assert_eq!(
            text(STEERING),
            "a\nb\t\u{fffd}[2Jc\u{fffd}\u{fffd}d\u{fffd}\u{fffd}"
        );
        assert_eq!(line("a\n b\u{2028}c\u{200b}", 9), "a b c\u{fffd}");
        assert_eq!(line("abcdef", 4), "abc…");
    }

    #[test]
    fn json_is_the_same_json_without_what_steers() {
        let value = serde_json::json!({ "text": STEERING });
        let shown = json(&value.to_string());
        assert!(shown.chars().all(|c| !is_hiding(c)), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }
}
