//! Texts of a seller, made fit for the places where programs and models read them.

use crate::text::is_hiding;

/// Most characters of a description; longer ones have made endpoints unpayable at public facilitators.
pub(super) const DESCRIPTION: usize = 480;

/// Most characters of a summary.
pub(super) const SUMMARY: usize = 120;

/// Most characters of the guidance.
pub(super) const GUIDANCE: usize = 4000;

/// Without characters that a person does not see but a program obeys: controls, overrides of the writing direction, tags and
/// characters of no width. Line breaks stay.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| *c == '\n' || !is_hiding(*c))
        .collect()
}

/// As [`visible`], on one line, with single blanks.
pub(super) fn line(text: &str) -> String {
    let separated: String = text
        .chars()
        .filter_map(|c| match c {
            c if c.is_whitespace() || c.is_ascii_control() => Some(' '),
            c if is_hiding(c) => None,
            c => Some(c),
        })
        .collect();
    separated.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters; an ellipsis is the last of a text that was longer.
pub(super) fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A line of text for Markdown: it stays a line of text, whatever it holds.
///
/// Angle brackets are written as entities, so that the page can also be put into HTML as it is.
pub(super) fn markdown(text: &str) -> String {
    let text = line(text);
    let mut out = String::with_capacity(text.len());
    for (place, c) in text.chars().enumerate() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '[' | ']' => out.extend(['\\', c]),
            // Only the first character can open a heading, a list, a rule or a table.
            '#' | '-' | '+' | '*' | '_' | '=' | '~' | '|' | ':' if place == 0 => {
                out.extend(['\\', c]);
            }
            c => out.push(c),
        }
    }
    numbered(&out).unwrap_or(out)
}

/// The text with the mark escaped that makes it an item of a numbered list.
fn numbered(text: &str) -> Option<String> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, rest) = text.split_at_checked(digits)?;
    let opens = digits > 0 && rest.starts_with(['.', ')']);
    opens.then(|| format!("{number}\\{rest}"))
}

/// A URL as the target of a Markdown link.
pub(super) fn target(url: &str) -> String {
    url.replace('(', "%28").replace(')', "%29")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line_of_text() {
        for (text, written) in [
            (
                "plain: text (as it is), 50% & more",
                "plain: text (as it is), 50% & more",
            ),
            ("two\r\nlines\u{2028}three", "two lines three"),
            ("# no heading", "\\# no heading"),
            ("- no item", "\\- no item"),
            ("1. no item", "1\\. no item"),
            ("1.5 seconds", "1\\.5 seconds"),
            ("](https://evil.example)", "\\](https://evil.example)"),
            ("</script>`x`", "&lt;/script&gt;\\`x\\`"),
            ("a\u{202e}b\u{e0041}c\u{200b}d", "abcd"),
            ("\\", "\\\\"),
            ("", ""),
        ] {
            assert_eq!(markdown(text), written);
        }
    }

    #[test]
    fn long_texts_end_with_an_ellipsis() {
        assert_eq!(clipped("abc", 3), "abc");
        assert_eq!(clipped("abcd", 3), "ab…");
        assert_eq!(clipped("äöüß", 3), "äö…");
    }

    #[test]
    fn what_is_not_seen_is_not_written() {
        assert_eq!(visible("a\u{202e}\nb\u{0}\u{e0041}"), "a\nb");
        // Selectors of variants can carry any text; the one that makes pictures stays.
        assert_eq!(
            visible("a\u{fe01}\u{e0100}\u{e01ef} \u{2764}\u{fe0f}"),
            "a \u{2764}\u{fe0f}"
        );
    }
}
