//! Doc comments as buyers read them: a summary of one line and a short description.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};
use x402_model::endpoint::rules::{MAX_DESCRIPTION_CHARS, MAX_SUMMARY_CHARS};

/// Summary and description of a doc comment; both may be empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DocText {
    pub(crate) summary: String,
    pub(crate) description: String,
}

impl DocText {
    /// The first paragraph is the summary, the ones after it the description, up to the first heading or code block:
    /// those speak to readers of the source. What is too long for a directory is cut at a word.
    pub(crate) fn of(attrs: &[Attribute]) -> Self {
        let lines: Vec<String> = attrs.iter().flat_map(lines_of).collect();
        let mut paragraphs: Vec<String> = Vec::new();
        let mut open = false;
        for line in lines.iter().map(|line| line.trim()) {
            if line.starts_with('#') || line.starts_with("```") || line.starts_with("~~~") {
                break;
            }
            match paragraphs.last_mut() {
                _ if line.is_empty() => open = false,
                Some(last) if open => {
                    last.push(' ');
                    last.push_str(line);
                }
                _ => {
                    paragraphs.push(line.to_owned());
                    open = true;
                }
            }
        }
        let mut paragraphs = paragraphs.into_iter().map(|p| printable(&p));
        let summary = cut(&paragraphs.next().unwrap_or_default(), MAX_SUMMARY_CHARS);
        let rest: Vec<String> = paragraphs.collect();
        let description = cut(&rest.join("\n\n"), MAX_DESCRIPTION_CHARS);
        Self {
            summary,
            description,
        }
    }
}

/// The lines of a `#[doc = "…"]`. Texts that a macro makes (`include_str!`) have no value yet and are left out.
fn lines_of(attr: &Attribute) -> Vec<String> {
    match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => text.value().split('\n').map(undecorated).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether the attribute is a doc comment, not `#[doc(hidden)]` or the like.
pub(crate) fn is_doc(attr: &Attribute) -> bool {
    matches!(&attr.meta, Meta::NameValue(pair) if pair.path.is_ident("doc"))
}

/// Whether the attribute is a doc comment of one line with nothing in it.
pub(crate) fn is_blank_line(attr: &Attribute) -> bool {
    matches!(lines_of(attr).as_slice(), [line] if line.trim().is_empty())
}

/// Takes the leading star from a line of a `/** … */` comment.
fn undecorated(line: &str) -> String {
    let trimmed = line.trim_start();
    match trimmed.strip_prefix("* ") {
        Some(text) if line.starts_with(' ') => text.to_owned(),
        _ if trimmed == "*" => String::new(),
        _ => line.to_owned(),
    }
}

/// Leaves out characters that no published text may hold.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| x402_model::endpoint::rules::check_summary(c.encode_utf8(&mut [0; 4])).is_ok())
        .collect()
}

/// At most `limit` characters, cut between words.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let head: String = text.chars().take(limit.saturating_sub(1)).collect();
    let end = head.rfind(char::is_whitespace).unwrap_or(head.len());
    let kept = head.get(..end).unwrap_or_default();
    format!("{}…", kept.trim_end_matches([' ', ',', ';', ':', '\n']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn of(item: &syn::ItemFn) -> (String, String) {
        let DocText {
            summary,
            description,
        } = DocText::of(&item.attrs);
        (summary, description)
    }

    #[test]
    fn first_paragraph_and_the_rest() {
        let (summary, description) = of(&parse_quote! {
            /// Current weather
            /// for a city.
            ///
            /// Measured every
            /// ten minutes.
            ///
            /// Never older than an hour.
            ///
            /// # Errors
            /// For programmers.
            fn f() {}
        });
        assert_eq!(summary, "Current weather for a city.");
        assert_eq!(
            description,
            "Measured every ten minutes.\n\nNever older than an hour."
        );
    }

    #[test]
    fn block_comments_and_code() {
        let (summary, description) = of(&parse_quote! {
            /** One.
             * Two.
             *
             * Three. */
            /// ```
            /// code
            /// ```
            fn f() {}
        });
        assert_eq!(
            (summary.as_str(), description.as_str()),
            ("One. Two.", "Three.")
        );
    }

    #[test]
    fn long_texts_end_at_a_word() {
        let long = "word ".repeat(40);
        let (summary, description) = of(&parse_quote! {
            #[doc = #long]
            #[doc = include_str!("x")]
            fn f() {}
        });
        assert!(summary.ends_with("word…") && summary.chars().count() <= MAX_SUMMARY_CHARS);
        assert_eq!(description, "");
    }
}
