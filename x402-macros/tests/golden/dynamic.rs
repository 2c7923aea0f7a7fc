/// Paid: 0.01 to 0.10 USDC for `GET /`.
fn weather(
    app: State<App>,
) -> ::x402_runtime::__private::MountWithPaywall<
    impl ::x402_runtime::__private::Quotes<::x402_runtime::__private::WithState<App>>,
    impl ::x402_runtime::__private::Future<
        Output = (),
    > + ::x402_runtime::__private::Send,
    ::x402_runtime::__private::WithState<App>,
> {
    enum __PaidEndpoint {}
    impl ::x402_runtime::__private::Endpoint for __PaidEndpoint {
        const SPEC: ::x402_runtime::__private::EndpointSpec = ::x402_runtime::__private::EndpointSpec {
            id: "weather",
            route: ::x402_runtime::__private::Option::Some(::x402_runtime::__private::RouteSpec {
                method: ::x402_runtime::__private::Method::Get,
                path: "/",
            }),
            price: ::x402_runtime::__private::PriceModel::Dynamic {
                min: ::x402_runtime::__private::Option::Some(::x402_runtime::__private::Price {
                    amount: ::x402_runtime::__private::Decimal::new(1, 2),
                    unit: ::x402_runtime::__private::PriceUnit::Symbol(
                        ::x402_runtime::__private::Cow::Borrowed("USDC"),
                    ),
                }),
                max: ::x402_runtime::__private::Price {
                    amount: ::x402_runtime::__private::Decimal::new(10, 2),
                    unit: ::x402_runtime::__private::PriceUnit::Symbol(
                        ::x402_runtime::__private::Cow::Borrowed("USDC"),
                    ),
                },
                quote: ::x402_runtime::__private::Quote::Required402 {
                    ttl_seconds: 300u64,
                },
                factors: ::x402_runtime::__private::Cow::Borrowed(
                    &[::x402_runtime::__private::Cow::Borrowed("size")],
                ),
            },
            probe: ::x402_runtime::__private::Option::None,
            allowances: &[],
            plans: &[],
            summary: "",
            description: "",
            tags: &[],
            mime_type: "application/json",
            timeout_seconds: 300u64,
            pay_to: ::x402_runtime::__private::Option::None,
            rails: &[],
            payment_ids: ::x402_runtime::__private::Option::None,
            lifecycle: ::x402_runtime::__private::Lifecycle::NONE,
        };
        fn describe(to: &mut ::x402_runtime::__private::described::Description<'_>) {
            #[allow(unused_imports)]
            use ::x402_runtime::__private::described::{
                HalfKnown as _, Known as _, Unknown as _,
            };
            (&&&::x402_runtime::__private::described::Argument::<State<App>>::new())
                .describe(to);
        }
    }
    impl ::x402_runtime::__private::Quotes<::x402_runtime::__private::WithState<App>>
    for __PaidEndpoint {
        fn quote(
            state: ::x402_runtime::__private::WithState<App>,
            request: ::x402_runtime::__private::QuoteRequest,
        ) -> ::x402_runtime::__private::BoxFuture<
            'static,
            ::x402_runtime::__private::QuoteResult,
        > {
            ::x402_runtime::__private::Box::pin(self::quote(state.0, request))
        }
    }
    async fn weather(State(app): State<App>) {}
    ::x402_runtime::__private::MountWithPaywall::<
        __PaidEndpoint,
        _,
        ::x402_runtime::__private::WithState<App>,
    >::new(weather(app))
}
