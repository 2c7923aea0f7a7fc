//! The handler that axum's router sees in place of the paid one.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use futures_util::future::Either;

use super::checks::{Presented, check, is_unpaid};
use super::present::{original_uri, serve};
use super::stages::Stages;
use super::{Gate, Sold, answers, free, plan, price, stages};
use crate::facilitator::BoxFuture;
use crate::handler::{PaidHandler, QuoteRequest, QuoteResult};

/// A paid handler whose argument types are forgotten.
pub(crate) trait ErasedHandler<S>: Send + Sync {
    /// The future of the handler's answer. Nothing of the handler runs before it is polled.
    fn answer(&self, request: Request, state: S) -> BoxFuture<'static, Response>;

    /// The future of what the quote function of a `dynamic` price says.
    fn quote(&self, state: &S, request: QuoteRequest) -> BoxFuture<'static, QuoteResult>;
}

/// A paid handler together with its argument types.
pub(crate) struct Erased<H, T> {
    handler: H,
    arguments: PhantomData<fn() -> T>,
}

impl<H, T> Erased<H, T> {
    pub(crate) const fn new(handler: H) -> Self {
        Self {
            handler,
            arguments: PhantomData,
        }
    }
}

impl<H, T, S> ErasedHandler<S> for Erased<H, T>
where
    H: PaidHandler<T, S>,
    T: 'static,
    S: 'static,
{
    fn answer(&self, request: Request, state: S) -> BoxFuture<'static, Response> {
        self.handler.clone().call(request, state)
    }

    fn quote(&self, state: &S, request: QuoteRequest) -> BoxFuture<'static, QuoteResult> {
        H::quote(state, request)
    }
}

/// Stands in the router for a paid handler. No request gets past it without a payment.
pub(crate) struct GateHandler<S> {
    pub(crate) gate: Arc<Gate>,
    pub(crate) handler: Arc<dyn ErasedHandler<S>>,
    /// Where the price changes: the gates of each time.
    pub(crate) stages: Option<Arc<Stages>>,
    /// The gate of the price before, while payments of what it told are taken.
    pub(super) before: Option<Arc<Gate>>,
}

impl<S> GateHandler<S> {
    pub(crate) fn new(gate: Sold, handler: Arc<dyn ErasedHandler<S>>) -> Self {
        let Sold { gate, stages } = gate;
        Self {
            gate,
            handler,
            stages,
            before: None,
        }
    }
}

impl<S> Clone for GateHandler<S> {
    fn clone(&self) -> Self {
        Self {
            gate: Arc::clone(&self.gate),
            handler: Arc::clone(&self.handler),
            stages: self.stages.clone(),
            before: self.before.clone(),
        }
    }
}

/// Tells this implementation of axum's `Handler` from those for functions.
pub(crate) struct Gated;

/// A gate as axum's router has it. The router clones its handlers twice per request, and whatever is counted then moves between
/// the processor's cores: so this is one count, and the gate clones more only for who pays.
pub(crate) struct Door<S>(Arc<GateHandler<S>>);

impl<S> Door<S> {
    pub(crate) fn new(gate: Sold, handler: Arc<dyn ErasedHandler<S>>) -> Self {
        Self(Arc::new(GateHandler::new(gate, handler)))
    }
}

impl<S> Clone for Door<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Handler<Gated, S> for Door<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Refusals are ready at once; only a payment needs a future of its own.
    type Future = Answer;

    fn call(self, request: Request, state: S) -> Self::Future {
        self.0.answer(request, state)
    }
}

/// An answer that is ready, or one that takes a future.
type Answer = Either<Ready<Response>, BoxFuture<'static, Response>>;

impl<S> GateHandler<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Answers a request, at the price of this moment.
    pub(super) fn answer(&self, request: Request, state: S) -> Answer {
        let staged = self.stages.as_ref().map(|stages| {
            let (gate, before) = stages.now();
            Self {
                gate: Arc::clone(gate),
                handler: Arc::clone(&self.handler),
                stages: None,
                before: before.cloned(),
            }
        });
        let now = staged.as_ref().unwrap_or(self);
        if let Some(credit) = &now.gate.credit {
            let credit = Arc::clone(credit);
            return Either::Right(Box::pin(plan::answer(now.clone(), credit, request, state)));
        }
        if let Some(free) = &now.gate.free {
            let free = Arc::clone(free);
            return Either::Right(Box::pin(free::answer(now.clone(), free, request, state)));
        }
        now.pay(request, state)
    }

    /// Answers a request for which nothing but a payment counts.
    pub(super) fn pay(&self, request: Request, state: S) -> Answer {
        if let Some(before) = &self.before
            && !is_unpaid(request.headers())
        {
            let now = Self {
                before: None,
                ..self.clone()
            };
            let before = Arc::clone(before);
            return Either::Right(Box::pin(stages::answer(now, before, request, state)));
        }
        let (gate, handler) = (&self.gate, &self.handler);
        if let Some(pricing) = &gate.pricing {
            let (gate, pricing) = (Arc::clone(gate), Arc::clone(pricing));
            let answer = price::answer(gate, pricing, Arc::clone(handler), request, state);
            return Either::Right(Box::pin(answer));
        }
        let path = original_uri(&request).path();
        match check(gate, request.headers(), path) {
            (_, Presented::Refused(refusal)) => {
                Either::Left(ready(answers::refusal(gate, path, &refusal)))
            }
            (version, presented) => {
                crate::failpoint("c0_header_parsed");
                let (gate, handler) = (Arc::clone(gate), Arc::clone(handler));
                let run = Box::new(move |request| handler.answer(request, state));
                Either::Right(Box::pin(serve(gate, request, version, presented, run)))
            }
        }
    }
}
