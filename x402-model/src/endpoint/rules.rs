//! The rules that ids, tags, texts, paths and rails keep, shared by the macro and the start-up checks.

use core::ops::Range;

use crate::asset::{TransferMethod, parse_address};
use crate::money::quote;
use crate::network::Network;
use crate::price::is_symbol;
use crate::text::is_hiding;

use super::path;
pub use super::path::{RouteError, RouteErrorCode};

/// Most characters of an id.
pub const MAX_ID_CHARS: usize = 64;
/// Most characters of a summary.
pub const MAX_SUMMARY_CHARS: usize = 120;
/// Most characters of a description: longer ones are cut or refused by directories.
pub const MAX_DESCRIPTION_CHARS: usize = 480;
/// Most tags of an endpoint.
pub const MAX_TAGS: usize = 5;
/// Most characters of a tag.
pub const MAX_TAG_CHARS: usize = 32;
/// Most characters of a media type.
pub const MAX_MIME_TYPE_CHARS: usize = 127;
/// Most bytes of a path.
pub const MAX_PATH_BYTES: usize = 512;
/// Shortest payment window in seconds: facilitators keep a margin of 6.
pub const MIN_TIMEOUT_SECONDS: u64 = 10;
/// Longest payment window in seconds.
pub const MAX_TIMEOUT_SECONDS: u64 = 3600;
/// The payment window of version 2 of the protocol, in seconds.
pub const DEFAULT_TIMEOUT_SECONDS: u64 = 300;
/// The media type of answers unless the author says another.
pub const DEFAULT_MIME_TYPE: &str = "application/json";

/// Which rule a text breaks. Stable: messages may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Nothing is written.
    Empty,
    /// Too long, too many or too large.
    TooLong,
    /// Too small.
    TooSmall,
    /// A character that may not stand there.
    Character,
    /// Said twice.
    Duplicate,
    /// Not a media type.
    MimeType,
    /// Not an address.
    Address,
    /// Not `network:SYMBOL`.
    Rail,
    /// An unknown network.
    Network,
    /// Not a day or a time.
    Time,
}

/// A text that breaks a rule, with the place in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
#[non_exhaustive]
pub struct RuleError {
    /// Which rule.
    pub rule: Rule,
    /// The bytes of the text that break it; for lists, of the entry that breaks it.
    pub span: Range<usize>,
    /// What is wrong, naming the text.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl RuleError {
    fn new(
        rule: Rule,
        span: Range<usize>,
        message: String,
        help: impl Into<Option<String>>,
    ) -> Self {
        Self {
            rule,
            span,
            message,
            help: help.into(),
        }
    }
}

/// Checks a path in axum 0.8 syntax.
///
/// # Errors
/// [`RouteError`] with the place and, for the syntax of older versions, the path written right.
///
/// ```
/// use x402_model::endpoint::rules::check_path;
///
/// assert!(check_path("/weather/{city}").is_ok());
/// let old = check_path("/weather/:city").unwrap_err();
/// assert_eq!(old.suggestion.as_deref(), Some("/weather/{city}"));
/// ```
pub fn check_path(path: &str) -> Result<(), RouteError> {
    path::check(path)
}

/// The names of the captures of a valid path, in order: `city` for `/weather/{city}`, `rest` for `/files/{*rest}`.
pub fn captures(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| path::capture_of(segment).map(|(_, name)| name))
}

/// Checks an endpoint id: a letter or `_`, then letters, digits, `_`, `.` or `-`, at most [`MAX_ID_CHARS`].
///
/// # Errors
/// [`RuleError`].
pub fn check_id(id: &str) -> Result<(), RuleError> {
    let help = || "write a letter or `_`, then letters, digits, `_`, `.` or `-`".to_owned();
    if id.is_empty() {
        return Err(RuleError::new(
            Rule::Empty,
            0..0,
            "the id is empty".to_owned(),
            help(),
        ));
    }
    at_most(id, MAX_ID_CHARS, "an id")?;
    let fits = |at: usize, c: char| {
        c == '_'
            || c.is_ascii_alphabetic()
            || (at > 0 && (c.is_ascii_digit() || matches!(c, '.' | '-')))
    };
    match id.char_indices().find(|(at, c)| !fits(*at, *c)) {
        None => Ok(()),
        Some(odd) => Err(odd_character(id, odd, "an id", help())),
    }
}

/// Checks one tag: 1 to [`MAX_TAG_CHARS`] printable ASCII characters, no blanks at the ends.
///
/// # Errors
/// [`RuleError`].
pub fn check_tag(tag: &str) -> Result<(), RuleError> {
    if tag.trim().is_empty() {
        return Err(RuleError::new(
            Rule::Empty,
            0..tag.len(),
            "the tag is empty".to_owned(),
            None,
        ));
    }
    at_most(tag, MAX_TAG_CHARS, "a tag")?;
    let blank_end = tag.len() != tag.trim().len();
    match tag.char_indices().find(|(_, c)| !matches!(c, ' '..='~')) {
        Some(odd) => Err(odd_character(
            tag,
            odd,
            "a tag",
            "write printable ASCII characters".to_owned(),
        )),
        None if blank_end => {
            let help = format!("write {}", quote(tag.trim()));
            Err(RuleError::new(
                Rule::Character,
                0..tag.len(),
                format!("{} has blanks at its ends", quote(tag)),
                help,
            ))
        }
        None => Ok(()),
    }
}

/// Checks all tags of an endpoint: at most [`MAX_TAGS`], each valid, none twice. The span is that of the wrong tag.
///
/// # Errors
/// [`RuleError`].
pub fn check_tags(tags: &[&str]) -> Result<(), RuleError> {
    if tags.len() > MAX_TAGS {
        let message = format!(
            "{} tags are too many: at most {MAX_TAGS} are shown",
            tags.len()
        );
        return Err(RuleError::new(
            Rule::TooLong,
            0..0,
            message,
            "keep the most telling ones".to_owned(),
        ));
    }
    for (at, tag) in tags.iter().enumerate() {
        check_tag(tag)?;
        if tags
            .iter()
            .take(at)
            .any(|other| other.eq_ignore_ascii_case(tag))
        {
            let message = format!("the tag {} stands twice", quote(tag));
            return Err(RuleError::new(Rule::Duplicate, 0..tag.len(), message, None));
        }
    }
    Ok(())
}

/// Checks a summary: one line of at most [`MAX_SUMMARY_CHARS`] characters.
///
/// # Errors
/// [`RuleError`].
pub fn check_summary(summary: &str) -> Result<(), RuleError> {
    at_most(summary, MAX_SUMMARY_CHARS, "a summary")?;
    no_control(summary, "a summary", false)
}

/// Checks a description: at most [`MAX_DESCRIPTION_CHARS`] characters, with line breaks but no other control characters.
///
/// # Errors
/// [`RuleError`].
pub fn check_description(description: &str) -> Result<(), RuleError> {
    at_most(description, MAX_DESCRIPTION_CHARS, "a description")?;
    no_control(description, "a description", true)
}

/// Checks a media type such as `application/json` or `text/plain; charset=utf-8`.
///
/// # Errors
/// [`RuleError`].
pub fn check_mime_type(mime_type: &str) -> Result<(), RuleError> {
    at_most(mime_type, MAX_MIME_TYPE_CHARS, "a media type")?;
    let (essence, parameters) = mime_type.split_once(';').unwrap_or((mime_type, ""));
    let token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let typed = essence
        .trim_end()
        .split_once('/')
        .is_some_and(|(kind, sub)| token(kind) && token(sub));
    if typed && parameters.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    let message = format!("{} is not a media type", quote(mime_type));
    let help = "write type and subtype, as in `application/json`".to_owned();
    Err(RuleError::new(
        Rule::MimeType,
        0..mime_type.len(),
        message,
        help,
    ))
}

/// Checks a payment window: [`MIN_TIMEOUT_SECONDS`] to [`MAX_TIMEOUT_SECONDS`]. The span is empty.
///
/// # Errors
/// [`RuleError`].
pub fn check_timeout(seconds: u64) -> Result<(), RuleError> {
    let rule = match seconds {
        MIN_TIMEOUT_SECONDS..=MAX_TIMEOUT_SECONDS => return Ok(()),
        0..MIN_TIMEOUT_SECONDS => Rule::TooSmall,
        _ => Rule::TooLong,
    };
    let message = format!("a payment window of {seconds} seconds is out of range");
    let help = format!(
        "write {MIN_TIMEOUT_SECONDS} to {MAX_TIMEOUT_SECONDS} seconds; {DEFAULT_TIMEOUT_SECONDS} is usual"
    );
    Err(RuleError::new(rule, 0..0, message, help))
}

/// Checks a receiving address: a valid EVM address other than zero.
///
/// # Errors
/// [`RuleError`].
pub fn check_pay_to(address: &str) -> Result<(), RuleError> {
    let problem = match parse_address(address) {
        Ok(parsed) if parsed.is_zero() => "money sent to the zero address is lost".to_owned(),
        Ok(_) => return Ok(()),
        Err(error) => error.to_string(),
    };
    let message = format!("{} is no receiving address: {problem}", quote(address));
    Err(RuleError::new(
        Rule::Address,
        0..address.len(),
        message,
        None,
    ))
}

/// Checks a rail `network:SYMBOL`; whether the token exists is known at start-up only.
///
/// # Errors
/// [`RuleError`].
pub fn check_rail(rail: &str) -> Result<(), RuleError> {
    parse_rail(rail).map(|_| ())
}

/// Reads a rail `network:SYMBOL`, in which the network is a short or a CAIP-2 name. `/eip3009` or `/permit2` may follow, for one of the
/// ways in which the token moves.
///
/// # Errors
/// [`RuleError`], with a suggestion for mistyped networks.
///
/// ```
/// use x402_model::endpoint::rules::parse_rail;
/// use x402_model::network::Network;
///
/// assert_eq!(parse_rail("base:USDC")?, (Network::BASE, "USDC"));
/// assert_eq!(parse_rail("eip155:8453:USDC")?, (Network::BASE, "USDC"));
/// assert_eq!(parse_rail("base:USDC/permit2")?, (Network::BASE, "USDC"));
/// assert!(parse_rail("bse:USDC").unwrap_err().to_string().contains("base"));
/// # Ok::<(), x402_model::endpoint::RuleError>(())
/// ```
pub fn parse_rail(rail: &str) -> Result<(Network, &str), RuleError> {
    let wrong = |span, why: &str| {
        let help =
            "write a network and a symbol, as in `base:USDC` or `eip155:8453:USDC`".to_owned();
        RuleError::new(
            Rule::Rail,
            span,
            format!("{} is no rail: {why}", quote(rail)),
            help,
        )
    };
    let (token, method) = match rail.split_once('/') {
        None => (rail, None),
        Some((token, method)) => (token, Some(method)),
    };
    if method.is_some_and(|method| TransferMethod::from_name(method).is_none()) {
        let start = token.len().saturating_add(1);
        let why = "the part after `/` is neither `eip3009` nor `permit2`";
        return Err(wrong(start..rail.len(), why));
    }
    let Some((network, symbol)) = token.rsplit_once(':') else {
        return Err(wrong(0..token.len(), "the symbol is missing"));
    };
    if !is_symbol(symbol) || symbol.eq_ignore_ascii_case("USD") {
        let start = network.len().saturating_add(1);
        return Err(wrong(
            start..token.len(),
            "the last part is no asset symbol",
        ));
    }
    let parsed = Network::parse_any(network).map_err(|error| {
        let message = format!("{} is no rail: {error}", quote(rail));
        RuleError::new(Rule::Network, 0..network.len(), message, None)
    })?;
    Ok((parsed, symbol))
}

/// Refuses texts of more than `limit` characters; the span is the part that is too much.
fn at_most(text: &str, limit: usize, what: &str) -> Result<(), RuleError> {
    let Some((cut, _)) = text.char_indices().nth(limit) else {
        return Ok(());
    };
    let message = format!(
        "{what} has at most {limit} characters, and this one has {}",
        text.chars().count()
    );
    Err(RuleError::new(
        Rule::TooLong,
        cut..text.len(),
        message,
        format!("shorten it to {limit} characters"),
    ))
}

/// Refuses characters that hide what is written.
fn no_control(text: &str, what: &str, breaks: bool) -> Result<(), RuleError> {
    let odd = text
        .char_indices()
        .find(|(_, c)| is_hiding(*c) && !(breaks && *c == '\n'));
    match odd {
        None => Ok(()),
        Some(odd) => Err(odd_character(text, odd, what, "remove it".to_owned())),
    }
}

fn odd_character(text: &str, (at, c): (usize, char), what: &str, help: String) -> RuleError {
    let message = format!("{what} cannot hold {c:?}, but {} does", quote(text));
    RuleError::new(
        Rule::Character,
        at..at.saturating_add(c.len_utf8()),
        message,
        help,
    )
}

#[cfg(test)]
mod tests;
