//! Where in a request or answer a price looks.

use std::borrow::Cow;

use core::fmt;

use super::model::CaseValue;

/// The part of the exchange a value is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// A capture of the route path.
    Path,
    /// A query parameter.
    Query,
    /// The request body.
    Body,
    /// A request header.
    Header,
    /// The body of the answer.
    ResponseBody,
    /// A header of the answer.
    ResponseHeader,
}

impl Source {
    /// The name in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Body => "body",
            Self::Header => "header",
            Self::ResponseBody => "response-body",
            Self::ResponseHeader => "response-header",
        }
    }

    /// Whether the value exists only after the handler ran.
    #[must_use]
    pub const fn is_response(self) -> bool {
        matches!(self, Self::ResponseBody | Self::ResponseHeader)
    }
}

/// What is counted at the place a selector points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Measure {
    /// The value itself.
    #[default]
    Value,
    /// Its length in bytes.
    Bytes,
    /// Its length in Unicode characters.
    Chars,
    /// The number of items of an array.
    Items,
}

impl Measure {
    /// The name in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Bytes => "bytes",
            Self::Chars => "chars",
            Self::Items => "items",
        }
    }
}

/// One value of the request or answer.
///
/// A value that is missing, or `null` in a body, is replaced by the default, which has to be the one that the handler
/// itself takes. Without a default such a request has no price.
///
/// ```
/// use x402_model::price::{Selector, Source};
///
/// const QUALITY: Selector = Selector::at(Source::Body, "/quality");
/// assert_eq!(QUALITY.divide_by, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selector {
    /// Part of the exchange.
    pub source: Source,
    /// JSON pointer into a body (empty for the whole body), or the name of a capture, parameter or header.
    pub pointer: Cow<'static, str>,
    /// What is counted there.
    pub measure: Measure,
    /// The measure is divided by this, at least 1: three characters per token, for example. The quotient is exact.
    pub divide_by: u64,
    /// What counts where the value is missing: the value itself or, where something is counted, the count.
    pub default: Option<CaseValue>,
}

impl Selector {
    /// The value at a place, undivided.
    #[must_use]
    pub const fn at(source: Source, pointer: &'static str) -> Self {
        Self {
            source,
            pointer: Cow::Borrowed(pointer),
            measure: Measure::Value,
            divide_by: 1,
            default: None,
        }
    }

    /// The same place, counted in another way.
    #[must_use]
    pub const fn measured(mut self, measure: Measure) -> Self {
        self.measure = measure;
        self
    }

    /// The same place, with the count divided by `divisor`.
    #[must_use]
    pub const fn divided_by(mut self, divisor: u64) -> Self {
        self.divide_by = divisor;
        self
    }

    /// The same place, with a value for requests that leave it out.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use x402_model::price::{CaseValue, Selector, Source};
    ///
    /// let quality = Selector::at(Source::Body, "/quality").or(CaseValue::Text(Cow::Borrowed("fast")));
    /// assert_eq!(quality.to_string(), "`/quality` of the body");
    /// ```
    #[must_use]
    pub fn or(mut self, default: CaseValue) -> Self {
        self.default = Some(default);
        self
    }
}

/// The place and what is counted there, as it stands in messages.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.measure {
            Measure::Value => {}
            Measure::Bytes => f.write_str("the bytes of ")?,
            Measure::Chars => f.write_str("the characters of ")?,
            Measure::Items => f.write_str("the items of ")?,
        }
        let name = &self.pointer;
        match self.source {
            Source::Path => write!(f, "`{name}` of the path"),
            Source::Query => write!(f, "the query parameter `{name}`"),
            Source::Header => write!(f, "the header `{name}`"),
            Source::ResponseHeader => write!(f, "the header `{name}` of the answer"),
            Source::Body if name.is_empty() => f.write_str("the body"),
            Source::Body => write!(f, "`{name}` of the body"),
            Source::ResponseBody if name.is_empty() => f.write_str("the answer"),
            Source::ResponseBody => write!(f, "`{name}` of the answer"),
        }
    }
}
