//! The mistakes of one start, told together.

use std::fmt;

use super::Mistake;

/// All mistakes of a paywall, found in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    mistakes: Vec<Mistake>,
}

impl BuildError {
    /// `None` when there are no mistakes.
    pub(crate) fn of(mistakes: Vec<Mistake>) -> Option<Self> {
        (!mistakes.is_empty()).then_some(Self { mistakes })
    }

    pub(crate) fn one(mistake: Mistake) -> Self {
        Self {
            mistakes: vec![mistake],
        }
    }

    /// The mistakes, in the order in which the paywall was put together.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// The codes of the mistakes, for tests and tools.
    #[must_use]
    pub fn codes(&self) -> Vec<&'static str> {
        self.mistakes.iter().map(Mistake::code).collect()
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.as_slice() {
            [] => f.write_str("the paywall cannot start"),
            [one] => write!(f, "the paywall cannot start: {one}"),
            many => {
                write!(f, "the paywall cannot start, for {} reasons:", many.len())?;
                many.iter()
                    .try_for_each(|mistake| write!(f, "\n  - {mistake}"))
            }
        }
    }
}

impl std::error::Error for BuildError {}
