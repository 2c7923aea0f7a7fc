//! Why no client can be made of a document.

use x402_model::manifest::ManifestError;

/// A document of which no client is made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodegenError {
    /// Not a manifest, or one that breaks a rule of the format.
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    /// Neither a price manifest nor an `OpenAPI` description.
    #[error(
        "neither a price manifest (`manifestVersion`) nor an OpenAPI 3 description (`openapi`)"
    )]
    Unknown,
    /// An `OpenAPI` description that cannot be used.
    #[error("{place}: {reason}")]
    OpenApi {
        /// Where, as a JSON pointer.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A schema refers to another document, which is never fetched.
    #[error("{place}: refers to {target:?}; only references inside of the document are followed")]
    RemoteRef {
        /// Where, as a JSON pointer.
        place: String,
        /// The reference, cut to 100 characters.
        target: String,
    },
    /// A schema refers to nothing.
    #[error("{place}: {target:?} is not in the document")]
    DanglingRef {
        /// Where, as a JSON pointer.
        place: String,
        /// The reference, cut to 100 characters.
        target: String,
    },
    /// A schema refers to itself and to nothing else.
    #[error("{place}: refers only to itself")]
    EmptyCycle {
        /// Where, as a JSON pointer.
        place: String,
    },
    /// Schemas nested deeper than 64 levels.
    #[error("{place}: nests deeper than 64 levels")]
    TooDeep {
        /// Where, as a JSON pointer.
        place: String,
    },
    /// More schemas than are read once all references are followed.
    #[error("the schemas have more than {most} parts")]
    TooLarge {
        /// How many are read.
        most: usize,
    },
    /// A union of more alternatives than are read.
    #[error("{place}: a union of more than {most} alternatives")]
    TooManyVariants {
        /// Where, as a JSON pointer.
        place: String,
        /// How many are read.
        most: usize,
    },
    /// A schema that is neither an object nor a truth value.
    #[error("{place}: not a schema")]
    NotASchema {
        /// Where, as a JSON pointer.
        place: String,
    },
    /// A parameter that cannot be sent.
    #[error("{place}: {reason}")]
    Parameter {
        /// Where, as a JSON pointer.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A name of a package that is none.
    #[error(
        "{name:?} is not the name of a package: write a letter, then letters, digits, `-` and `_`"
    )]
    PackageName {
        /// The name, cut to 64 characters.
        name: String,
    },
}

impl CodegenError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Manifest(error) => error.code(),
            Self::Unknown => "input_unknown",
            Self::OpenApi { .. } => "openapi_invalid",
            Self::RemoteRef { .. } => "schema_remote_ref",
            Self::DanglingRef { .. } => "schema_dangling_ref",
            Self::EmptyCycle { .. } => "schema_empty_cycle",
            Self::TooDeep { .. } => "schema_too_deep",
            Self::TooLarge { .. } | Self::TooManyVariants { .. } => "schema_too_large",
            Self::NotASchema { .. } => "schema_invalid",
            Self::Parameter { .. } => "parameter_invalid",
            Self::PackageName { .. } => "package_name_invalid",
        }
    }
}
