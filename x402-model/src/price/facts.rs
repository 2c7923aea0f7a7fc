//! What a price may look at: the parts of one request and, after the call, of its answer.

use core::fmt;
use std::borrow::Cow;

use crate::money::Decimal;

/// The parts of a request that decide about its price. Parts that a price does not need may be left out.
///
/// ```
/// use x402_model::price::Facts;
///
/// let facts = Facts::new()
///     .capture("city", "Oslo")
///     .query("units=metric")
///     .header("x-size", b"3")
///     .body(br#"{"quality":"fast"}"#);
/// ```
#[derive(Clone, Default)]
pub struct Facts<'a> {
    pub(super) captures: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) query: Cow<'a, str>,
    pub(super) headers: Vec<(Cow<'a, str>, Cow<'a, [u8]>)>,
    pub(super) body: Option<Cow<'a, [u8]>>,
    pub(super) answer: Option<Answer<'a>>,
}

#[derive(Clone, Default)]
pub(super) struct Answer<'a> {
    pub(super) headers: Vec<(&'a str, &'a [u8])>,
    pub(super) body: &'a [u8],
}

impl<'a> Facts<'a> {
    /// A request of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One capture of the route, percent-decoded as the handler sees it.
    #[must_use]
    pub fn capture(
        mut self,
        name: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, str>>,
    ) -> Self {
        self.captures.push((name.into(), value.into()));
        self
    }

    /// The query as it stands in the request line, without the question mark.
    #[must_use]
    pub fn query(mut self, raw: impl Into<Cow<'a, str>>) -> Self {
        self.query = raw.into();
        self
    }

    /// One header line. A header of several lines is given once for each.
    #[must_use]
    pub fn header(
        mut self,
        name: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, [u8]>>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The whole body. It is read as JSON only if a selector looks into it.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        self.body = Some(bytes.into());
        self
    }

    /// The answer: its header lines and its whole body.
    #[must_use]
    pub fn answer(
        mut self,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        body: &'a [u8],
    ) -> Self {
        let headers = headers.into_iter().collect();
        self.answer = Some(Answer { headers, body });
        self
    }
}

/// Shows what is known, and nothing of it: headers hold payments.
impl fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("captures", &self.captures.len())
            .field("query_bytes", &self.query.len())
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.as_ref().map(|body| body.len()))
            .field("answer", &self.answer.is_some())
            .finish()
    }
}

/// What a payer bought from the endpoint within the window of one rebate, this call not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Number of calls.
    pub calls: u64,
    /// Money spent, in the unit of the price.
    pub spend: Decimal,
}

/// Nothing bought.
impl Default for Volume {
    fn default() -> Self {
        Self {
            calls: 0,
            spend: Decimal::ZERO,
        }
    }
}

/// The values of a query parameter, decoded like form fields: `+` is a blank, `%41` is `A`.
///
/// Bytes that are no UTF-8 become U+FFFD, as in every reader of forms.
pub(super) fn parameters<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .filter_map(move |pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key) == name).then(|| decoded(value))
        })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match (first, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, behind @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    rest = behind;
                    (high << 4) | low
                }
                _ => b'%',
            },
            (byte, _) => *byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_like_form_fields() {
        let all = |query: &str, name: &str| parameters(query, name).collect::<Vec<_>>();
        assert_eq!(all("a=1&b=2&a=3&&", "a"), ["1", "3"]);
        assert_eq!(all("%61=x+y%2Bz", "a"), ["x y+z"]);
        assert_eq!(all("a", "a"), [""]);
        assert_eq!(all("a=%&b=%4&c=%zz&d=%+1", "a"), ["%"]);
        assert_eq!(all("a=%&b=%4&c=%zz&d=%+1", "c"), ["%zz"]);
        assert_eq!(all("a=%&b=%4&c=%zz&d=%+1", "d"), ["% 1"]);
        assert_eq!(all("a=%ff=", "a"), ["\u{FFFD}="]);
        assert_eq!(all("", ""), [""; 0]);
    }

    #[test]
    fn debug_shows_no_content() {
        let facts = Facts::new()
            .header("payment-signature", b"c2VjcmV0".as_slice())
            .body(b"secret".as_slice());
        let shown = format!("{facts:?}");
        assert!(
            !shown.contains("secret") && !shown.contains("c2Vj"),
            "{shown}"
        );
    }
}
