//! JSON pointers (RFC 6901): the one place that escapes, unescapes and normalises them.

/// A name as one token of a pointer.
///
/// ```
/// use x402_model::pointer;
/// assert_eq!(pointer::escaped("a/b~c"), "a~1b~0c");
/// ```
#[must_use]
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The name that a token stands for.
///
/// ```
/// use x402_model::pointer;
/// assert_eq!(pointer::unescaped("a~1b~0c~01"), "a/b~c~1");
/// ```
#[must_use]
pub fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// The names on the way of a pointer. What stands before the first slash is none of them.
///
/// ```
/// use x402_model::pointer;
/// let names: Vec<String> = pointer::tokens("/a~1b//0").collect();
/// assert_eq!(names, ["a/b", "", "0"]);
/// ```
pub fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(unescaped)
}

/// The pointer of a URL fragment, without its `#`, in the one spelling that all spellings of it have. `None` if it is no pointer, as
/// where its bytes are no text.
///
/// ```
/// use x402_model::pointer;
/// assert_eq!(pointer::of_fragment("/%24defs/a%20b").as_deref(), Some("/$defs/a b"));
/// assert_eq!(pointer::of_fragment("/%+1/%-1/%f").as_deref(), Some("/%+1/%-1/%f"));
/// assert_eq!(pointer::of_fragment("/a~").as_deref(), Some("/a~0"));
/// assert_eq!(pointer::of_fragment("name"), None);
/// assert_eq!(pointer::of_fragment("/%ff"), None);
/// ```
#[must_use]
pub fn of_fragment(fragment: &str) -> Option<String> {
    let pointer = String::from_utf8(unescaped_percent(fragment)).ok()?;
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return None;
    }
    let names = tokens(&pointer);
    Some(names.map(|name| format!("/{}", escaped(&name))).collect())
}

/// Two hex digits after a `%` are a byte. A `%` before anything else, such as a sign, stands for itself.
fn unescaped_percent(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.split_at_checked(2).filter(|_| *first == b'%');
        let decoded = escape.and_then(|(digits, after)| {
            let hex = digits.iter().all(u8::is_ascii_hexdigit);
            let digits = core::str::from_utf8(digits).ok().filter(|_| hex)?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        let (byte, after) = decoded.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    bytes
}
