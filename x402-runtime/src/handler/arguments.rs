//! [`PaidHandler`] for functions of 0 to 16 extractors.

use super::{MountWithPaywall, PaidHandler, QuoteRequest, QuoteResult, QuoteState, Quotes};
use crate::facilitator::BoxFuture;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};

#[diagnostic::do_not_recommend]
impl<F, E, Fut, Q, S> PaidHandler<((),), S> for F
where
    F: FnOnce() -> MountWithPaywall<E, Fut, Q> + Clone + Send + Sync + 'static,
    E: Quotes<Q>,
    Q: QuoteState<S>,
    Fut: Future<Output: IntoResponse> + Send + 'static,
{
    type Endpoint = E;

    fn call(self, _request: Request, _state: S) -> BoxFuture<'static, Response> {
        Box::pin(async move { self().future.await.into_response() })
    }

    fn quote(state: &S, request: QuoteRequest) -> BoxFuture<'static, QuoteResult> {
        E::quote(Q::of(state), request)
    }
}

/// One implementation: the extractors of the request's head in brackets, then the one that may take the body.
///
/// The marker `M` is axum's: it lets one type be extracted from the head or from the whole request without
/// the two conflicting.
macro_rules! paid_handler {
    ([$($head:ident),*], $last:ident) => {
        #[diagnostic::do_not_recommend]
        #[expect(non_snake_case, reason = "each type parameter's name is reused for its value")]
        impl<F, E, Fut, Q, S, M, $($head,)* $last> PaidHandler<(M, $($head,)* $last,), S> for F
        where
            F: FnOnce($($head,)* $last,) -> MountWithPaywall<E, Fut, Q> + Clone + Send + Sync + 'static,
            E: Quotes<Q>,
            Q: QuoteState<S>,
            Fut: Future<Output: IntoResponse> + Send + 'static,
            S: Send + Sync + 'static,
            $( $head: FromRequestParts<S> + Send, )*
            $last: FromRequest<S, M> + Send,
        {
            type Endpoint = E;

            fn call(self, request: Request, state: S) -> BoxFuture<'static, Response> {
                Box::pin(async move {
                    #[allow(unused_mut, reason = "a single argument is not taken from the head")]
                    let (mut parts, body) = request.into_parts();
                    $(
                        let $head = match $head::from_request_parts(&mut parts, &state).await {
                            Ok(value) => value,
                            Err(rejection) => return rejection.into_response(),
                        };
                    )*
                    let request = Request::from_parts(parts, body);
                    let $last = match $last::from_request(request, &state).await {
                        Ok(value) => value,
                        Err(rejection) => return rejection.into_response(),
                    };
                    self($($head,)* $last,).future.await.into_response()
                })
            }

            fn quote(state: &S, request: QuoteRequest) -> BoxFuture<'static, QuoteResult> {
                E::quote(Q::of(state), request)
            }
        }
    };
}

paid_handler!([], T1);
paid_handler!([T1], T2);
paid_handler!([T1, T2], T3);
paid_handler!([T1, T2, T3], T4);
paid_handler!([T1, T2, T3, T4], T5);
paid_handler!([T1, T2, T3, T4, T5], T6);
paid_handler!([T1, T2, T3, T4, T5, T6], T7);
paid_handler!([T1, T2, T3, T4, T5, T6, T7], T8);
paid_handler!([T1, T2, T3, T4, T5, T6, T7, T8], T9);
paid_handler!([T1, T2, T3, T4, T5, T6, T7, T8, T9], T10);
paid_handler!([T1, T2, T3, T4, T5, T6, T7, T8, T9, T10], T11);
paid_handler!([T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11], T12);
paid_handler!([T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12], T13);
paid_handler!(
    [T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13],
    T14
);
paid_handler!(
    [T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14],
    T15
);
paid_handler!(
    [
        T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15
    ],
    T16
);
