//! Files of a generated package. Their names are ours: nothing of a document gets into a path.

use crate::VERSION;
use crate::error::CodegenError;

/// What stands in one of the first lines of every file that is generated, before the version.
const MARK: &str = "enerated by x402-codegen ";

/// Lines in which the mark is looked for.
const MARKED_LINES: usize = 3;

/// Whether a file says of itself that it was generated, so that it may be written again. Files without content are not told.
///
/// ```
/// # fn main() -> Result<(), x402_codegen::CodegenError> {
/// # let model = x402_codegen::read(include_bytes!("../tests/golden/example/manifest.json"))?;
/// for file in x402_codegen::python::package(&model, "textkit")? {
///     assert!(x402_codegen::is_generated(&file.text) || file.path.ends_with("py.typed"));
/// }
/// assert!(!x402_codegen::is_generated("fn main() {}"));
/// # Ok(()) }
/// ```
#[must_use]
pub fn is_generated(text: &str) -> bool {
    let mut lines = text.lines().take(MARKED_LINES);
    lines.any(|line| line.contains(MARK))
}

/// The mark of files that hold no source text.
pub(crate) fn mark() -> String {
    format!("@g{MARK}{VERSION}. Do not edit: generate it again.")
}

/// A file of a generated package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path below the package, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl SourceFile {
    pub(crate) fn new(path: impl Into<String>, text: String) -> Self {
        Self {
            path: path.into(),
            text,
        }
    }
}

/// Whether Windows keeps a name for a device: four of them, and ten ports of each of two kinds.
fn is_device(name: &str) -> bool {
    let port = name
        .strip_prefix("com")
        .or_else(|| name.strip_prefix("lpt"));
    ["con", "prn", "aux", "nul"].contains(&name)
        || port.is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'9']))
}

/// Checks the name of a package: a letter, then letters, digits, `-` and `_`, at most 64.
pub(crate) fn check_name(name: &str) -> Result<(), CodegenError> {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if starts && name.len() <= 64 && name.bytes().all(rest) && !is_device(name) {
        return Ok(());
    }
    Err(CodegenError::PackageName {
        name: name.chars().take(64).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m06_a_package_name_is_no_path() {
        for name in [
            "textkit",
            "text-kit_2",
            "come",
            "com",
            "com10",
            "lpta",
            "lpt1x",
            "cons",
        ] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in [
            "", "../x", "/etc", "a/b", "a\\b", "con", "com0", "com1", "lpt0", "lpt9", "A", "-a",
            "a\0", "a b",
        ] {
            let refused = check_name(name).map_err(|error| error.code());
            assert_eq!(refused, Err("package_name_invalid"), "{name}");
        }
    }
}
