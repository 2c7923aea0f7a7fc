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

impl<S> Handler<Gated, S> for GateHandler<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Refusals are ready at once; only a payment needs a future of its own.
    type Future = Either<Ready<Response>, BoxFuture<'static, Response>>;

    fn call(mut self, request: Request, state: S) -> Self::Future {
        if let Some(stages) = self.stages.take() {
            let (gate, before) = stages.now();
            self.gate = Arc::clone(gate);
            self.before = before.cloned();
        }
        if let Some(credit) = &self.gate.credit {
            let credit = Arc::clone(credit);
            return Either::Right(Box::pin(plan::answer(self, credit, request, state)));
        }
        if let Some(free) = &self.gate.free {
            let free = Arc::clone(free);
            return Either::Right(Box::pin(free::answer(self, free, request, state)));
        }
        self.pay(request, state)
    }
}

impl<S> GateHandler<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Answers a request for which nothing but a payment counts.
    pub(super) fn pay(
        mut self,
        request: Request,
        state: S,
    ) -> Either<Ready<Response>, BoxFuture<'static, Response>> {
        if let Some(before) = self.before.take()
            && !is_unpaid(request.headers())
        {
            return Either::Right(Box::pin(stages::answer(self, before, request, state)));
        }
        if let Some(pricing) = &self.gate.pricing {
            let pricing = Arc::clone(pricing);
            let answer = price::answer(self.gate, pricing, self.handler, request, state);
            return Either::Right(Box::pin(answer));
        }
        let path = original_uri(&request).path();
        match check(&self.gate, request.headers(), path) {
            (_, Presented::Refused(refusal)) => {
                Either::Left(ready(answers::refusal(&self.gate, path, &refusal)))
            }
            (version, presented) => {
                crate::failpoint("c0_header_parsed");
                let Self { gate, handler, .. } = self;
                let run = Box::new(move |request| handler.answer(request, state));
                Either::Right(Box::pin(serve(gate, request, version, presented, run)))
            }
        }
    }
}
