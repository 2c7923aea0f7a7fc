//! How the program ends: one table of exit codes, and one form for what is said on standard error.

use std::fmt::{self, Write as _};
use std::process::ExitCode;

use crate::output;

/// The exit codes of the program.
///
/// Scripts ask two things: did I get my answer, and may money have moved? 0 answers both. 1, 2, 3 and 5 say that nothing
/// was paid; 6 says that something was or may have been, and that a file holds what it takes to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// Done.
    Success,
    /// It did not work; nothing was paid.
    Failed,
    /// The command line or a file it names is wrong. Nothing was sent.
    Usage,
    /// The call costs money that it was not allowed to cost. Nothing was signed.
    NotPaid,
    /// The seller's own answer is an error.
    Status,
    /// The seller refused the payment and says that it did not charge.
    Refused,
    /// Money moved or may have moved, and there is no answer: the payment is in a file, to be presented again.
    Pending,
}

impl Exit {
    /// Every exit code, in order.
    pub const ALL: [Self; 7] = [
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::NotPaid,
        Self::Status,
        Self::Refused,
        Self::Pending,
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotPaid => 3,
            Self::Status => 4,
            Self::Refused => 5,
            Self::Pending => 6,
        }
    }

    /// What it means: the text of the help, the man page and `docs/cli.md`.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "done; a call was answered with a 2xx status",
            Self::Failed => "it did not work; nothing was paid",
            Self::Usage => "the command line or a file it names is wrong; nothing was sent",
            Self::NotPaid => {
                "the call costs money and --max or another limit does not allow it; nothing was signed"
            }
            Self::Status => {
                "the seller answered with a status outside 2xx; the receipt tells what was paid"
            }
            Self::Refused => "the seller refused the payment and says that it did not charge",
            Self::Pending => {
                "paid or maybe paid, but no whole answer; the payment is kept in a file for --resume"
            }
        }
    }

    /// The default of a failure's code.
    const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotPaid => "not_paid",
            Self::Status => "status",
            Self::Refused => "refused",
            Self::Pending => "pending",
        }
    }

    /// The table for help texts.
    pub(crate) fn table() -> String {
        let mut text = "Exit codes:".to_owned();
        for exit in Self::ALL {
            let _ = write!(text, "\n  {}  {}", exit.code(), exit.meaning());
        }
        text
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command failed: one line, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// Stable word for programs.
    pub code: &'static str,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Failure {
    /// A failure that says what is wrong.
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self {
            exit,
            code: exit.word(),
            message: message.to_string(),
            help: None,
        }
    }

    /// The command line, or a file it names, is wrong.
    pub(crate) fn usage(code: &'static str, message: impl fmt::Display) -> Self {
        Self {
            code,
            ..Self::new(Exit::Usage, message)
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names it for programs.
    #[must_use]
    pub const fn code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// The failure as the one JSON object of a command that was asked for JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "error": self.details() })
    }

    /// Code, message and help as an object.
    pub(crate) fn details(&self) -> serde_json::Value {
        let (code, message, help) = (self.code, &self.message, &self.help);
        serde_json::json!({ "code": code, "message": message, "help": help })
    }

    /// Prints the failure and gives its exit code.
    pub(crate) fn report(&self) -> ExitCode {
        self.say();
        self.exit.into()
    }

    /// Prints the failure.
    pub(crate) fn say(&self) {
        output::say(&format!("error: {}", self.message));
        if let Some(help) = &self.help {
            output::say(&format!("  help: {help}"));
        }
    }
}
