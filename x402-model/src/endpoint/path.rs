//! The syntax of route paths: that of axum 0.8, without the corners that proxies and routers read differently.

use core::ops::Range;

use super::rules::MAX_PATH_BYTES;
use crate::money::quote;

/// Which rule a path breaks. Stable: messages may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouteErrorCode {
    /// Nothing is written.
    Empty,
    /// Longer than [`MAX_PATH_BYTES`].
    TooLong,
    /// No `/` at the beginning.
    NoLeadingSlash,
    /// `//`.
    EmptySegment,
    /// `.` or `..`, or their percent-encoded forms.
    DotSegment,
    /// The `:name` of older versions.
    OldCapture,
    /// The `*name` of older versions.
    OldWildcard,
    /// A `?` and what follows.
    Query,
    /// A `#` and what follows.
    Fragment,
    /// A control character.
    Control,
    /// A character outside ASCII.
    NonAscii,
    /// A character that no path holds.
    Character,
    /// A `%` that is not followed by two hex digits, or that encodes a slash or backslash.
    PercentEncoding,
    /// A brace that opens or closes no capture.
    Brace,
    /// A capture without a name.
    EmptyCapture,
    /// A capture name that is no identifier.
    CaptureName,
    /// The same capture name twice.
    DuplicateCapture,
    /// Text next to a capture in its segment.
    PartialCapture,
    /// Something after `{*rest}`.
    WildcardNotLast,
}

/// A path that was refused, with the place in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
#[non_exhaustive]
pub struct RouteError {
    /// Which rule.
    pub code: RouteErrorCode,
    /// The bytes of the path that break it. Always on character boundaries.
    pub span: Range<usize>,
    /// What is wrong, naming the path.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The path written right, where there is one reading.
    pub suggestion: Option<String>,
}

type Broken = (RouteErrorCode, Range<usize>);

/// Checks a whole path.
pub(super) fn check(path: &str) -> Result<(), RouteError> {
    let Err((code, span)) = characters(path).and_then(|()| segments(path)) else {
        return Ok(());
    };
    let suggestion = suggestion(code, path);
    let message = format!("{} is not a path: {}", quote(path), rule(code));
    let help = suggestion.as_ref().map_or_else(
        || advice(code).to_owned(),
        |right| format!("write {}", quote(right)),
    );
    Err(RouteError {
        code,
        span,
        message,
        help: Some(help),
        suggestion,
    })
}

/// What a capture segment matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capture {
    /// `{name}`: one segment.
    One,
    /// `{*name}`: the rest.
    Rest,
}

/// The capture that makes up a whole segment.
pub(super) fn capture_of(segment: &str) -> Option<(Capture, &str)> {
    let inner = segment.strip_prefix('{')?.strip_suffix('}')?;
    Some(
        inner
            .strip_prefix('*')
            .map_or((Capture::One, inner), |name| (Capture::Rest, name)),
    )
}

/// Rules about single characters.
fn characters(path: &str) -> Result<(), Broken> {
    if path.is_empty() {
        return Err((RouteErrorCode::Empty, 0..0));
    }
    if path.len() > MAX_PATH_BYTES {
        return Err((RouteErrorCode::TooLong, 0..path.len()));
    }
    if !path.starts_with('/') {
        let first = path.chars().next().map_or(0, char::len_utf8);
        return Err((RouteErrorCode::NoLeadingSlash, 0..first));
    }
    for (at, c) in path.char_indices() {
        let code = match c {
            '?' => RouteErrorCode::Query,
            '#' => RouteErrorCode::Fragment,
            _ if c.is_control() => RouteErrorCode::Control,
            _ if !c.is_ascii() => RouteErrorCode::NonAscii,
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '|' | '[' | ']' => RouteErrorCode::Character,
            '%' if !plain_escape(path, at) => RouteErrorCode::PercentEncoding,
            _ => continue,
        };
        let end = match code {
            RouteErrorCode::Query | RouteErrorCode::Fragment => path.len(),
            _ => at.saturating_add(c.len_utf8()),
        };
        return Err((code, at..end));
    }
    Ok(())
}

/// Whether the `%` at `at` begins an escape that every proxy leaves alone: no slash, no backslash, no control, no `%`.
fn plain_escape(path: &str, at: usize) -> bool {
    let digits = path
        .get(at.saturating_add(1)..at.saturating_add(3))
        .unwrap_or_default();
    let hex = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = u8::from_str_radix(digits, 16).unwrap_or(0);
    hex && !byte.is_ascii_control() && !matches!(byte, b'/' | b'\\' | b'%')
}

/// Rules about segments and captures.
fn segments(path: &str) -> Result<(), Broken> {
    let mut names: Vec<&str> = Vec::new();
    let mut start = 1_usize;
    let mut rest = path
        .strip_prefix('/')
        .unwrap_or_default()
        .split('/')
        .peekable();
    while let Some(text) = rest.next() {
        let end = start.saturating_add(text.len());
        let last = rest.peek().is_none();
        if text.is_empty() && !last {
            return Err((
                RouteErrorCode::EmptySegment,
                start.saturating_sub(1)..start.saturating_add(1),
            ));
        }
        segment(text, last, &names).map_err(|code| (code, start..end))?;
        names.extend(capture_of(text).map(|(_, name)| name));
        start = end.saturating_add(1);
    }
    Ok(())
}

fn segment(text: &str, last: bool, names: &[&str]) -> Result<(), RouteErrorCode> {
    let dots = text.replace("%2e", ".").replace("%2E", ".");
    if dots == "." || dots == ".." {
        return Err(RouteErrorCode::DotSegment);
    }
    if text.starts_with(':') {
        return Err(RouteErrorCode::OldCapture);
    }
    if text.starts_with('*') {
        return Err(RouteErrorCode::OldWildcard);
    }
    let Some((capture, name)) = capture_of(text) else {
        return match (text.find('{'), text.find('}')) {
            (None, None) => Ok(()),
            (Some(open), Some(close)) if open < close => Err(RouteErrorCode::PartialCapture),
            _ => Err(RouteErrorCode::Brace),
        };
    };
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    if name.is_empty() {
        Err(RouteErrorCode::EmptyCapture)
    } else if name
        .find('}')
        .zip(name.find('{'))
        .is_some_and(|(close, open)| close < open)
    {
        Err(RouteErrorCode::PartialCapture)
    } else if name.contains(['{', '}']) {
        Err(RouteErrorCode::Brace)
    } else if !name.starts_with(starts)
        || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    {
        Err(RouteErrorCode::CaptureName)
    } else if names.contains(&name) {
        Err(RouteErrorCode::DuplicateCapture)
    } else if capture == Capture::Rest && !last {
        Err(RouteErrorCode::WildcardNotLast)
    } else {
        Ok(())
    }
}

/// The path written right, if that mends the whole of it.
fn suggestion(code: RouteErrorCode, path: &str) -> Option<String> {
    if path.len() > MAX_PATH_BYTES {
        return None;
    }
    let right = match code {
        RouteErrorCode::Empty => "/".to_owned(),
        RouteErrorCode::NoLeadingSlash => format!("/{}", modern(path)),
        RouteErrorCode::OldCapture | RouteErrorCode::OldWildcard => modern(path),
        RouteErrorCode::EmptySegment => {
            let segments: Vec<&str> = path
                .split('/')
                .filter(|segment| !segment.is_empty())
                .collect();
            format!("/{}", segments.join("/"))
        }
        RouteErrorCode::Query | RouteErrorCode::Fragment => {
            path.split(['?', '#']).next()?.to_owned()
        }
        _ => return None,
    };
    (right != path && characters(&right).and_then(|()| segments(&right)).is_ok()).then_some(right)
}

/// Writes `:name` and `*name` segments in today's syntax.
fn modern(path: &str) -> String {
    let segment = |text: &str| {
        if let Some(name) = text.strip_prefix(':') {
            format!("{{{name}}}")
        } else if let Some(name) = text.strip_prefix('*') {
            format!("{{*{}}}", if name.is_empty() { "rest" } else { name })
        } else {
            text.to_owned()
        }
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

const fn rule(code: RouteErrorCode) -> &'static str {
    match code {
        RouteErrorCode::Empty => "nothing is written",
        RouteErrorCode::TooLong => "it is longer than 512 bytes",
        RouteErrorCode::NoLeadingSlash => "a path begins with `/`",
        RouteErrorCode::EmptySegment => "two slashes stand next to each other",
        RouteErrorCode::DotSegment => "clients remove `.` and `..` before they send a path",
        RouteErrorCode::OldCapture => "captures are written in braces since axum 0.8",
        RouteErrorCode::OldWildcard => "wildcards are written in braces since axum 0.8",
        RouteErrorCode::Query => "the query is no part of a path",
        RouteErrorCode::Fragment => "the fragment is no part of a path",
        RouteErrorCode::Control => "it holds a control character",
        RouteErrorCode::NonAscii => "it holds a character outside ASCII",
        RouteErrorCode::Character => "it holds a character that URLs do not",
        RouteErrorCode::PercentEncoding => {
            "it holds a `%` that proxies and routers read differently"
        }
        RouteErrorCode::Brace => "a brace opens or closes no capture",
        RouteErrorCode::EmptyCapture => "a capture has no name",
        RouteErrorCode::CaptureName => "a capture name is no identifier",
        RouteErrorCode::DuplicateCapture => "two captures have the same name",
        RouteErrorCode::PartialCapture => "a capture is not a whole segment",
        RouteErrorCode::WildcardNotLast => "a wildcard capture is not the last segment",
    }
}

const fn advice(code: RouteErrorCode) -> &'static str {
    match code {
        RouteErrorCode::TooLong => "shorten it",
        RouteErrorCode::Query => "read the query with an extractor",
        RouteErrorCode::DuplicateCapture => "give each capture a name of its own",
        RouteErrorCode::PartialCapture => {
            "put the text into a segment of its own, as in `/v1/{name}`"
        }
        RouteErrorCode::WildcardNotLast => "move it to the end, as in `/files/{*rest}`",
        RouteErrorCode::EmptyCapture | RouteErrorCode::CaptureName | RouteErrorCode::Brace => {
            "write captures as `{name}` or, at the end, `{*rest}`"
        }
        RouteErrorCode::NonAscii | RouteErrorCode::Character | RouteErrorCode::PercentEncoding => {
            "use letters, digits, `-`, `_`, `.` and `~`"
        }
        _ => "write a path such as `/weather/{city}`",
    }
}
