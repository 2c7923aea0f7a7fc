//! How a call ended, in one form for people and programs.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use x402_client::select::Choice;
use x402_client::{Action, Charged, Error, OfferedOption, Receipt, Response, Settlement};

use super::contract::Contract;
use super::{advice, request};
use crate::{Exit, Failure};

/// The code of a payment that can be charged once Permit2 is approved.
pub(super) const APPROVAL_REQUIRED: &str = "approval_required";

/// How a call ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) exit: Exit,
    pub(super) answer: Option<Answer>,
    /// Whether money was taken.
    pub(super) paid: Charged,
    pub(super) receipt: Option<Receipt>,
    /// What the seller asked for, where that was not paid.
    pub(super) terms: Option<Asking>,
    pub(super) trouble: Option<Trouble>,
    /// The file of the payment.
    pub(super) file: Option<PathBuf>,
    /// What the manifest promises about a call by id.
    pub(super) contract: Option<Arc<Contract>>,
}

/// What the seller answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What a call would cost.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) options: Vec<OfferedOption>,
    pub(super) choice: Option<Choice>,
    /// Who would pay, if that is known.
    pub(super) payer: Option<String>,
    pub(super) max: Option<String>,
    pub(super) dry_run: bool,
    /// What the manifest promises about a call by id.
    pub(super) contract: Option<Arc<Contract>>,
}

impl Asking {
    /// Why an option is not paid, with its code.
    pub(super) fn refusal(&self, option: &OfferedOption) -> Option<(&'static str, String)> {
        let contract = self.contract.as_ref();
        if let Some(breach) = contract.and_then(|contract| contract.breach(option)) {
            return Some((breach.code(), breach.text()));
        }
        option
            .refusal
            .map(|refusal| (refusal.code(), advice::reason(refusal)))
    }
}

/// Why there is no answer, or none that was wanted.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) action: Action,
}

impl Trouble {
    pub(super) fn new(code: &str, message: impl Into<String>, action: Action) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            help: None,
            action,
        }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

impl Outcome {
    fn ended(exit: Exit) -> Self {
        Self {
            exit,
            answer: None,
            paid: Charged::No,
            receipt: None,
            terms: None,
            trouble: None,
            file: None,
            contract: None,
        }
    }

    /// Nothing was sent, or nothing came of it.
    pub(super) fn failed(failure: Failure) -> Self {
        let action = match failure.exit {
            Exit::Usage => Action::FixRequest,
            _ => Action::AskHuman,
        };
        Self {
            trouble: Some(Trouble {
                help: failure.help,
                ..Trouble::new(failure.code, failure.message, action)
            }),
            ..Self::ended(failure.exit)
        }
    }

    /// The seller wants money that it does not get.
    pub(super) fn asked(terms: Asking, trouble: Option<Trouble>) -> Self {
        let exit = match trouble {
            Some(_) => Exit::NotPaid,
            None => Exit::Success,
        };
        Self {
            terms: Some(terms),
            trouble,
            ..Self::ended(exit)
        }
    }

    /// The seller answered.
    pub(super) fn answered(response: Response, file: Option<PathBuf>) -> Self {
        let (status, headers, body, receipt) = response.into_parts();
        let paid = match receipt.as_ref().map(|receipt| &receipt.settlement) {
            None => Charged::No,
            Some(Settlement::Settled) => Charged::Yes,
            Some(_) => Charged::Maybe,
        };
        let trouble = (!status.is_success()).then(|| advice::status(status, &headers));
        let exit = match trouble {
            Some(_) => Exit::Status,
            None => Exit::Success,
        };
        Self {
            answer: Some(Answer {
                status,
                headers,
                body,
            }),
            paid,
            receipt,
            trouble,
            file,
            ..Self::ended(exit)
        }
    }

    /// The process was told to stop.
    pub(super) fn interrupted(receipt: Option<Receipt>, file: Option<PathBuf>) -> Self {
        let (exit, paid, message, action) = match &receipt {
            None => (
                Exit::Failed,
                Charged::No,
                "interrupted; nothing was paid",
                Action::Wait,
            ),
            Some(_) => {
                let message = "interrupted after the payment was signed; it may have been taken";
                (
                    Exit::Pending,
                    Charged::Maybe,
                    message,
                    Action::RetrySamePayment,
                )
            }
        };
        Self {
            paid,
            receipt,
            file,
            trouble: Some(Trouble::new("interrupted", message, action)),
            ..Self::ended(exit)
        }
    }

    /// The call ended without the seller's answer.
    pub(super) fn error(error: &Error, file: Option<PathBuf>) -> Self {
        if let Error::InvalidRequest(fault) = error {
            return Self::failed(request::fault(fault));
        }
        let paid = error.charged();
        let exit = match (error, paid) {
            (Error::NothingAcceptable(_) | Error::OverBudget(_) | Error::Declined(_), _) => {
                Exit::NotPaid
            }
            (Error::Refused(_) | Error::ApprovalRequired(_), Charged::No) => Exit::Refused,
            (_, Charged::No) => Exit::Failed,
            _ => Exit::Pending,
        };
        let answer = match error {
            Error::BodyCut(cut) => Some(Answer {
                status: cut.status,
                headers: HeaderMap::new(),
                body: cut.partial.0.clone(),
            }),
            _ => None,
        };
        Self {
            answer,
            paid,
            receipt: error.receipt().cloned(),
            trouble: Some(advice::error(error)),
            file,
            ..Self::ended(exit)
        }
    }

    /// Whether the payment's file is of no use any more.
    pub(super) fn is_over(&self) -> bool {
        match self.exit {
            // What said that nothing was charged, but to send the same payment again, is worth keeping; so is one that only
            // lacks an approval.
            Exit::Refused => !self.trouble.as_ref().is_some_and(|trouble| {
                trouble.action == Action::RetrySamePayment || trouble.code == APPROVAL_REQUIRED
            }),
            Exit::Status => self.paid == Charged::Yes,
            Exit::Pending => false,
            _ => true,
        }
    }
}
