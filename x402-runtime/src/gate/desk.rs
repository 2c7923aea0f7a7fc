//! Where credit is sold and shown: one path with a gate for every plan, and the balance of whoever signs in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use http_body::Body as _;
use serde::Deserialize;
use serde_json::json;
use x402_model::problem::{Problem, ProblemCode};

use super::entry::GateHandler;
use super::present::original_uri;
use super::{Gate, answers, body};
use crate::allowance::Allowances;
use crate::credit::{Purse, Told, Whose};
use crate::ledger::LedgerError;
use crate::project;
use crate::siwx::{self, SignedIn};

/// Sells the plans of one path.
pub(crate) struct Desk<S> {
    /// By the name of the plan; the first one is what a request gets that names none.
    pub(crate) plans: Arc<[(&'static str, GateHandler<S>)]>,
}

impl<S> Clone for Desk<S> {
    fn clone(&self) -> Self {
        Self {
            plans: Arc::clone(&self.plans),
        }
    }
}

/// What a request may say in its body.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    plan: Option<String>,
}

/// Tells these implementations of axum's `Handler` from those for functions.
pub(crate) struct AtDesk;

impl<S> Handler<AtDesk, S> for Desk<S>
where
    S: Clone + Send + Sync + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        Box::pin(async move {
            match self.choose(request).await {
                Ok((plan, request)) => plan.answer(request, state).await,
                Err(refused) => answers::bare_problem(&refused),
            }
        })
    }
}

impl<S: Clone + Send + Sync + 'static> Desk<S> {
    /// The plan that a request wants: by its query, else by its body, else the first.
    async fn choose(&self, request: Request) -> Result<(GateHandler<S>, Request), Problem> {
        let query = original_uri(&request).query().unwrap_or_default();
        let named = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("plan="))
            .map(str::to_owned);
        let Some((_, first)) = self.plans.first() else {
            return Err(Problem::new(ProblemCode::Internal));
        };
        let (named, request) = match named {
            Some(named) => (Some(named), request),
            None if request.body().is_end_stream() => (None, request),
            None => {
                let core = &first.gate.core;
                let (parts, unread) = request.into_parts();
                let read = {
                    // It bounds how many bodies are in memory.
                    let _place = core.admit().map_err(Problem::new)?;
                    body::read(core, unread).await?
                };
                let wanted = serde_json::from_slice::<Wanted>(&read).map_err(|_| {
                    Problem::new(ProblemCode::PriceUndetermined)
                        .explanation(r#"the body is not JSON such as {"plan": "<id>"}"#)
                })?;
                (wanted.plan, Request::from_parts(parts, Body::from(read)))
            }
        };
        let plan = match named {
            None => Some(first),
            Some(named) => {
                let mut plans = self.plans.iter();
                plans.find(|(id, _)| *id == named).map(|(_, gate)| gate)
            }
        };
        match plan {
            Some(plan) => Ok((plan.clone(), request)),
            None => {
                let ids: Vec<&str> = self.plans.iter().map(|(id, _)| *id).collect();
                let text = format!("no such plan is sold here; there is {}", ids.join(", "));
                Err(Problem::new(ProblemCode::PriceUndetermined).explanation(&text))
            }
        }
    }
}

/// Shows whoever signs in what is left of his credit.
#[derive(Clone)]
pub(crate) struct Statement {
    /// The gate of a plan that is sold there.
    pub(crate) gate: Arc<Gate>,
    pub(crate) allowances: Arc<Allowances>,
    pub(crate) purses: Arc<[Purse]>,
}

impl<S> Handler<AtDesk, S> for Statement
where
    S: Clone + Send + Sync + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, _state: S) -> Self::Future {
        Box::pin(async move {
            let path = project::url("", original_uri(&request).path());
            let (parts, _) = request.into_parts();
            let header = siwx::only(&parts.headers).ok().flatten();
            answers::guarded(self.answer(header, &path).await)
        })
    }
}

impl Statement {
    async fn answer(&self, header: Option<&[u8]>, path: &str) -> Response {
        let Some(siwx) = self.allowances.sign_in() else {
            return answers::bare_problem(&Problem::new(ProblemCode::Internal));
        };
        let known = match header {
            Some(header) => siwx.recognise(header, path).await.ok(),
            None => None,
        };
        let counts = match &known {
            Some(known) if known.about_path => siwx.claim(known).await,
            _ => Ok(false),
        };
        let counts = match counts {
            Ok(counts) => counts,
            Err(error) => return self.ledger_down(&error),
        };
        let Some(known) = known.filter(|_| counts) else {
            let challenge = siwx.challenge(path);
            return answers::sign_in(&self.gate.endpoint, path, &challenge);
        };
        let (core, mut told) = (&self.gate.core, Vec::new());
        // Only accounts that can pay here can have credit.
        if let SignedIn::Evm(payer) = known.account {
            let whose = Whose::on(payer, known.contract_on.clone());
            for purse in &*self.purses {
                let now_ms = core.clock.now_ms();
                match purse.balance(&*core.ledger, &whose, now_ms).await {
                    Ok(balance) => told.push(Told::from(balance)),
                    Err(error) => return self.ledger_down(&error),
                }
            }
        }
        Json(json!({ "payer": known.account.to_string(), "balances": told })).into_response()
    }

    fn ledger_down(&self, error: &LedgerError) -> Response {
        self.gate.core.ledger_failed(error);
        answers::bare_problem(&Problem::new(ProblemCode::LedgerUnavailable))
    }
}
