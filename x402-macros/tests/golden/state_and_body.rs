/// Paid: 1 USDC for `PUT /weather/{city}`.
fn put(
    arg0: State<App>,
    city: Path<String>,
    body: Bytes,
) -> ::x402_runtime::__private::MountWithPaywall<
    impl ::x402_runtime::__private::Endpoint,
    impl ::x402_runtime::__private::Future<
        Output = StatusCode,
    > + ::x402_runtime::__private::Send,
> {
    enum __PaidEndpoint {}
    impl ::x402_runtime::__private::Endpoint for __PaidEndpoint {
        const SPEC: ::x402_runtime::__private::EndpointSpec = ::x402_runtime::__private::EndpointSpec {
            id: "put",
            route: ::x402_runtime::__private::Option::Some(::x402_runtime::__private::RouteSpec {
                method: ::x402_runtime::__private::Method::Put,
                path: "/weather/{city}",
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
            (&&&::x402_runtime::__private::described::Argument::<Path<String>>::new())
                .describe(to);
            (&&&::x402_runtime::__private::described::Argument::<Bytes>::new())
                .describe(to);
            (&&&::x402_runtime::__private::described::Answer::<StatusCode>::new())
                .describe(to);
        }
    }
    async fn put(
        State(App { db, .. }): State<App>,
        Path(city): Path<String>,
        mut body: Bytes,
    ) -> StatusCode {
        db.put(city, body).await
    }
    ::x402_runtime::__private::MountWithPaywall::<
        __PaidEndpoint,
        _,
    >::new(put(arg0, city, body))
}
