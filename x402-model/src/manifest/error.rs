//! Why a document is no manifest that can be used.

/// A document that cannot be read as a price manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// More bytes than are read.
    #[error("the document has {bytes} bytes, more than the {most} that are read")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// How many are read.
        most: usize,
    },
    /// Not UTF-8.
    #[error("the document is not UTF-8 text")]
    NotText,
    /// Not JSON.
    #[error("the document is not JSON (line {line}, column {column})")]
    NotJson {
        /// Line of the mistake, from 1.
        line: usize,
        /// Column of the mistake.
        column: usize,
    },
    /// Arrays and objects nested too deeply.
    #[error("the document nests deeper than 64 levels")]
    TooDeep,
    /// Too many values.
    #[error("the document has more than a million values")]
    TooManyValues,
    /// Two members of one object with the same name, of which readers see one or the other.
    #[error("the member {name:?} stands twice in one object")]
    MemberTwice {
        /// Its name, cut to 64 characters.
        name: String,
    },
    /// A number beyond what a double can hold.
    #[error("the number {text} is too large")]
    NumberTooLarge {
        /// The number as written, cut to 40 characters.
        text: String,
    },
    /// A member is missing or has another type than the format gives it.
    #[error("not a price manifest: {reason}")]
    Shape {
        /// What is wrong with which member.
        reason: String,
    },
    /// Another major version of the format.
    #[error("the format is version {version:?}; this reader knows 1.x")]
    Version {
        /// The version as written, cut to 64 characters.
        version: String,
    },
    /// Two endpoints or plans with the same id.
    #[error("the id {id:?} stands twice")]
    IdTwice {
        /// The id, cut to 64 characters.
        id: String,
    },
    /// Something is named that the document does not have.
    #[error("{what} {name:?} is not in the document")]
    Dangling {
        /// What kind of thing.
        what: &'static str,
        /// Its name, cut to 64 characters.
        name: String,
    },
    /// A rule of the format is broken.
    #[error("{place}: {reason}")]
    Rule {
        /// Where, as a JSON pointer.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

impl ManifestError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "manifest_too_large",
            Self::NotText => "manifest_not_text",
            Self::NotJson { .. } => "manifest_not_json",
            Self::TooDeep => "manifest_too_deep",
            Self::TooManyValues => "manifest_too_many_values",
            Self::MemberTwice { .. } => "manifest_member_twice",
            Self::NumberTooLarge { .. } => "manifest_number_too_large",
            Self::Shape { .. } => "manifest_shape",
            Self::Version { .. } => "manifest_version",
            Self::IdTwice { .. } => "manifest_id_twice",
            Self::Dangling { .. } => "manifest_dangling",
            Self::Rule { .. } => "manifest_rule",
        }
    }
}
