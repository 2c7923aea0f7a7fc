//! Collects mistakes, each with its place in the source, so that all of them are reported in one compilation.

use std::cell::Cell;

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

/// Mistakes found so far. Must be read with [`Diagnostics::into_compile_errors`].
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    found: Vec<Diagnostic>,
    read: Cell<bool>,
}

/// One mistake: where, what, and how to put it right.
#[derive(Debug)]
pub(crate) struct Diagnostic {
    /// First and last token of what is wrong; stable compilers cannot join the two before they are reported.
    start: Span,
    end: Span,
    message: String,
    help: Vec<String>,
}

impl Diagnostics {
    /// Reports a mistake at one token.
    pub(crate) fn error(&mut self, at: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.push(at, at, message.into())
    }

    /// Reports a mistake that spans all of `tokens`.
    pub(crate) fn error_over(
        &mut self,
        tokens: impl ToTokens,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let mut spans = tokens.into_token_stream().into_iter().map(|t| t.span());
        let start = spans.next().unwrap_or_else(Span::call_site);
        let end = spans.last().unwrap_or(start);
        self.push(start, end, message.into())
    }

    fn push(&mut self, start: Span, end: Span, message: String) -> &mut Diagnostic {
        let place = self.found.len();
        self.found.push(Diagnostic {
            start,
            end,
            message,
            help: Vec::new(),
        });
        #[expect(clippy::indexing_slicing, reason = "the element was just pushed")]
        &mut self.found[place]
    }

    /// How many mistakes were reported so far; a pass compares it to know whether it added any.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// One `compile_error!` per mistake, in the order they were reported.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.read.set(true);
        self.found
            .iter()
            .map(Diagnostic::to_compile_error)
            .collect()
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        debug_assert!(
            self.read.get() || self.found.is_empty() || std::thread::panicking(),
            "mistakes were found and not reported: {:?}",
            self.found
        );
    }
}

impl Diagnostic {
    /// Adds a line that says how to put it right.
    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help.push(help.into());
        self
    }

    /// Adds the line, if there is one.
    pub(crate) fn maybe_help(&mut self, help: Option<impl Into<String>>) -> &mut Self {
        self.help.extend(help.map(Into::into));
        self
    }

    fn to_compile_error(&self) -> TokenStream {
        let mut text = self.message.clone();
        for line in &self.help {
            text.push_str("\nhelp: ");
            text.push_str(line);
        }
        let mut braces = Group::new(Delimiter::Brace, quote!(#text));
        braces.set_span(self.end);
        let start = self.start;
        quote_spanned!(start=> ::core::compile_error! #braces)
    }
}

/// The candidate that `word` is most likely a slip of, if one is near enough to be worth naming.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_words_are_suggested() {
        let keys = ["price", "tags", "timeout"];
        assert_eq!(nearest("prise", keys), Some("price"));
        assert_eq!(nearest("TAG", keys), Some("tags"));
        assert_eq!(nearest("timeuot", keys), Some("timeout"));
        assert_eq!(nearest("colour", keys), None);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "not reported")]
    fn forgetting_to_report_is_a_bug() {
        let mut diagnostics = Diagnostics::default();
        diagnostics.error(Span::call_site(), "lost");
    }
}
