//! Asks the buyer's hook, which fails closed: an error, a wrong answer and silence are all a no.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select as race};

use super::Drive;
use crate::client::request::Call;
use crate::hook::{Declined, Proposal};
use crate::select::Choice;

impl Drive<'_> {
    /// The option that the hook chooses; without a hook the first, which is the policy's.
    pub(super) async fn ask_which(
        &self,
        call: &Call,
        mut choices: Vec<Choice>,
    ) -> Result<Choice, Declined> {
        let at = match &self.shared.settings.hook {
            None => 0,
            Some(hook) => self.in_time(hook.choose(proposal(call), &choices)).await?,
        };
        if at < choices.len() {
            Ok(choices.swap_remove(at))
        } else {
            Err(Declined::new("hook_choice"))
        }
    }

    /// Whether the hook lets the choice be signed.
    pub(super) async fn ask_whether(&self, call: &Call, choice: &Choice) -> Result<(), Declined> {
        match &self.shared.settings.hook {
            None => Ok(()),
            Some(hook) => self.in_time(hook.before_sign(proposal(call), choice)).await,
        }
    }

    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, Declined>>,
    ) -> Result<T, Declined> {
        let deadline = self
            .shared
            .io
            .timer
            .sleep(self.shared.settings.hook_timeout);
        match race(pin!(answer), deadline).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(Declined::new("hook_timeout")),
        }
    }
}

const fn proposal(call: &Call) -> Proposal<'_> {
    Proposal {
        method: &call.request.method,
        url: &call.request.url,
    }
}
