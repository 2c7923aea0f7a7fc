//! What can be wrong with what endpoints say will change.

/// An announcement that agents could do nothing with. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LifecycleMistake {
    /// A replacement that is not sold here.
    #[error(
        "`{endpoint}` is to be replaced by `{replacement}`, and no other endpoint has that id: {help}"
    )]
    Replacement {
        /// The endpoint.
        endpoint: String,
        /// As given.
        replacement: String,
        /// What to do.
        help: String,
    },
}

impl LifecycleMistake {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Replacement { .. } => "replacement_unknown",
        }
    }
}
