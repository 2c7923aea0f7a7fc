//! Named crash points: with the `failpoints` feature the process aborts at the one that `X402_FAILPOINT` names.

/// Aborts the process when this build has fail points and the environment names this one; otherwise does nothing.
///
/// The names are those of the crash matrix: `c0_header_parsed` to `c8_before_response`.
#[cfg(feature = "failpoints")]
pub(crate) fn failpoint(name: &str) {
    use std::sync::OnceLock;
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    if CHOSEN
        .get_or_init(|| std::env::var("X402_FAILPOINT").ok())
        .as_deref()
        == Some(name)
    {
        std::process::abort();
    }
}

/// Does nothing in builds without the `failpoints` feature.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn failpoint(_name: &str) {}
