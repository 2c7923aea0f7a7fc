//! Files of a generated package. Their names are ours: nothing of a document gets into a path.

use crate::error::CodegenError;

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

/// Names that Windows keeps for devices.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul"];

/// Checks the name of a package: a letter, then letters, digits, `-` and `_`, at most 64.
pub(crate) fn check_name(name: &str) -> Result<(), CodegenError> {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let device = DEVICES.contains(&name) || name.starts_with("com") && name.len() == 4;
    if starts && name.len() <= 64 && name.bytes().all(rest) && !device {
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
        for name in ["textkit", "text-kit_2"] {
            assert_eq!(check_name(name), Ok(()));
        }
        for name in [
            "", "../x", "/etc", "a/b", "a\\b", "con", "com1", "A", "-a", "a\0", "a b",
        ] {
            let refused = check_name(name).map_err(|error| error.code());
            assert_eq!(refused, Err("package_name_invalid"), "{name}");
        }
    }
}
