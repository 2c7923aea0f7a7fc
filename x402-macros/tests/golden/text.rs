/// Paid: 1 USDC for `GET /`.
fn weather() -> ::x402_runtime::__private::MountWithPaywall<
    impl ::x402_runtime::__private::Endpoint,
    impl ::x402_runtime::__private::Future<
        Output = &'static str,
    > + ::x402_runtime::__private::Send,
> {
    enum __PaidEndpoint {}
    impl ::x402_runtime::__private::Endpoint for __PaidEndpoint {
        const SPEC: ::x402_runtime::__private::EndpointSpec = ::x402_runtime::__private::EndpointSpec {
            id: "weather",
            route: ::x402_runtime::__private::Option::Some(::x402_runtime::__private::RouteSpec {
                method: ::x402_runtime::__private::Method::Get,
                path: "/",
            }),
            price: ::x402_runtime::__private::PriceModel::Flat {
                amount: ::x402_runtime::__private::Price {
                    amount: ::x402_runtime::__private::Decimal::new(1, 0),
                    unit: ::x402_runtime::__private::PriceUnit::Symbol(
                        ::x402_runtime::__private::Cow::Borrowed("USDC"),
                    ),
                },
            },
            probe: ::x402_runtime::__private::Option::None,
            allowances: &[],
            plans: &[],
            summary: "",
            description: "",
            tags: &[],
            mime_type: "text/plain; charset=utf-8",
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
            (&&&::x402_runtime::__private::described::Answer::<&'static str>::new())
                .describe(to);
        }
    }
    async fn weather() -> &'static str {
        "rain"
    }
    ::x402_runtime::__private::MountWithPaywall::<__PaidEndpoint, _>::new(weather())
}
