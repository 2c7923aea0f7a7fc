//! Reads vector files: recorded answers of the reference packages, one case after another.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    dead_code,
    reason = "shared by test files that each use a part, and may stop at what is not as expected"
)]

use serde_json::Value;

/// One vector file.
pub(crate) struct Vectors {
    file: Value,
}

/// One case of a file.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) input: &'a Value,
    pub(crate) expected: &'a Value,
    whole: &'a Value,
}

impl Vectors {
    pub(crate) fn parse(text: &str) -> Self {
        Self {
            file: serde_json::from_str(text).expect("a vector file is JSON"),
        }
    }

    /// The clock under which the file was recorded, in Unix seconds.
    pub(crate) fn clock(&self) -> u64 {
        self.file["clockUnixSeconds"]
            .as_u64()
            .expect("a vector file names its clock")
    }

    /// Runs a check over every case and reports all failures at once.
    pub(crate) fn check(&self, check: impl Fn(Case<'_>) -> Result<(), String>) {
        let cases = self.file["cases"]
            .as_array()
            .expect("a vector file has cases");
        assert!(!cases.is_empty(), "no cases");
        let failures: Vec<String> = cases
            .iter()
            .filter_map(|whole| {
                let name = whole["name"].as_str().unwrap_or("<unnamed>");
                let case = Case {
                    name,
                    input: &whole["input"],
                    expected: &whole["expected"],
                    whole,
                };
                check(case).err().map(|why| format!("{name}: {why}"))
            })
            .collect();
        assert!(
            failures.is_empty(),
            "{} of {} cases:\n{}",
            failures.len(),
            cases.len(),
            failures.join("\n")
        );
    }
}

impl<'a> Case<'a> {
    /// A member of the case besides `input` and `expected`.
    pub(crate) fn member(&self, key: &str) -> Option<&'a Value> {
        self.whole.get(key)
    }

    /// Whether the reference took the input.
    pub(crate) fn accepted(&self) -> bool {
        self.expected["ok"] == Value::Bool(true)
    }
}

/// Fails a case unless two things are equal.
pub(crate) fn same<T: PartialEq + core::fmt::Debug>(
    what: &str,
    ours: T,
    theirs: T,
) -> Result<(), String> {
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("{what}: ours {ours:?}, reference {theirs:?}"))
    }
}
