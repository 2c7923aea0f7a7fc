//! Foreign text in source: one function for each language and place. Nothing else may write foreign text.
//!
//! Literals come out as printable ASCII, so that neither an encoding nor an invisible character can change what a reader or
//! a compiler sees. Texts for people lose what is invisible and are kept inside of their comment line by line.

use core::fmt::Write as _;

use x402_model::text::is_invisible;

/// Most characters of a description that are kept.
const MAX_DOC_CHARS: usize = 4000;

/// Text for people, as lines without control, direction, tag and zero-width characters.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().take(MAX_DOC_CHARS).peekable();
    while let Some(character) = rest.next() {
        match character {
            '\r' => {
                if rest.peek() != Some(&'\n') {
                    clean.push('\n');
                }
            }
            '\n' | '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{b}' | '\u{c}' => clean.push('\n'),
            '\t' => clean.push(' '),
            c if c.is_control() || is_invisible(c) => {}
            c => clean.push(c),
        }
    }
    let mut lines: Vec<String> = clean.lines().map(|line| line.trim().to_owned()).collect();
    lines.dedup_by(|next, line| next.is_empty() && line.is_empty());
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    if lines.first().is_some_and(String::is_empty) {
        lines.remove(0);
    }
    lines
}

/// Text for people on one line.
pub(crate) fn one_line(text: &str) -> String {
    lines(text).join(" ")
}

/// A Rust string literal.
pub(crate) fn rust_string(text: &str) -> String {
    quoted(text, |c, out| {
        let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
    })
}

/// A TypeScript string literal. No template literals, ever.
pub(crate) fn ts_string(text: &str) -> String {
    quoted(text, |c, out| {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

/// A Python string literal. No f-strings, ever.
pub(crate) fn py_string(text: &str) -> String {
    quoted(text, |c, out| {
        let code = u32::from(c);
        let _ = if code > 0xffff {
            write!(out, "\\U{code:08x}")
        } else {
            write!(out, "\\u{code:04x}")
        };
    })
}

/// A literal in double quotes of printable ASCII; all else by `escape`. `</` cannot close a script element around it.
fn quoted(text: &str, escape: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            c => escape(c, &mut out),
        }
    }
    out.push('"');
    out
}

/// Text of a Rust doc comment, line by line, to stand behind `///`. Nothing in it is code, a link or HTML: a code block would
/// be run by `cargo test`.
pub(crate) fn rust_doc(text: &str) -> Vec<String> {
    lines(text)
        .into_iter()
        .map(|line| {
            let mut out = String::with_capacity(line.len());
            for c in line.chars() {
                match c {
                    '<' => out.push_str("&lt;"),
                    '`' | '~' | '[' | ']' | '\\' | '*' | '_' | '#' => {
                        out.push('\\');
                        out.push(c);
                    }
                    c => out.push(c),
                }
            }
            out
        })
        .collect()
}

/// Text of a JSDoc comment, line by line, to stand behind ` * `. It cannot end the comment or begin a tag.
pub(crate) fn ts_doc(text: &str) -> Vec<String> {
    lines(text)
        .into_iter()
        .map(|line| line.replace("*/", "*\\/").replace('@', "\\@"))
        .collect()
}

/// Text of a Python docstring in `"""`, line by line. It cannot end the string or begin an escape.
pub(crate) fn py_doc(text: &str) -> Vec<String> {
    lines(text)
        .into_iter()
        .map(|line| line.replace('\\', "\\\\").replace('"', "\\\""))
        .collect()
}

/// Percent-encodes what may not stand in a segment, for the fixed parts of a path. What may stand there stays, because servers
/// tell `a:b` and `a%3Ab` apart.
pub(crate) fn path_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            byte if b"-._~!$&'()*+,;=:@".contains(&byte) => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m01_literals_are_printable_ascii() {
        let hostile = "\"#; \\ \u{2028}\r\n\u{e0041}ü\0${x}`*/</script>";
        for literal in [rust_string(hostile), ts_string(hostile), py_string(hostile)] {
            assert!(
                literal.bytes().all(|b| (b' '..=b'~').contains(&b)),
                "{literal}"
            );
        }
        assert_eq!(ts_string("\u{1f600}"), r#""\ud83d\ude00""#);
        assert_eq!(py_string("\u{1f600}é"), r#""\U0001f600\u00e9""#);
        assert_eq!(rust_string("\u{1f600}"), r#""\u{1f600}""#);
    }

    #[test]
    fn m02_a_doc_comment_holds_no_code_block() {
        let docs = rust_doc("text\n\n    std::fs::write(1)\n```\ncode\n```\n~~~\n<img>");
        assert!(
            docs.iter()
                .all(|line| !line.starts_with(' ') && !line.starts_with('`'))
        );
        assert!(!docs.join("").contains("<img") && !docs.join("").contains("```"));
        assert!(docs.contains(&"\\~\\~\\~".to_owned()));
    }

    #[test]
    fn m03_lines_end_only_where_they_end() {
        assert_eq!(
            lines("a\rb\r\nc\u{2028}d\u{202e}e\u{e0041}"),
            ["a", "b", "c", "de"]
        );
        assert_eq!(lines("\u{feff}\0\u{7}"), [""; 0]);
        assert_eq!(ts_doc("x */ y @z"), ["x *\\/ y \\@z"]);
        assert_eq!(py_doc("x \"\"\" \\"), ["x \\\"\\\"\\\" \\\\"]);
    }
}
