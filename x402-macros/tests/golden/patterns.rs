/// Paid: 1 USDC for `GET /{a}/{b}`.
fn patterns(
    arg0: Method,
    arg1: Path<(u8, u8)>,
    arg2: Query<Q>,
    arg3: Q,
    arg4: X,
    r#type: T,
) -> ::x402_runtime::__private::MountWithPaywall<
    impl ::x402_runtime::__private::Endpoint,
    impl ::x402_runtime::__private::Future<Output = ()> + ::x402_runtime::__private::Send,
> {
    enum __PaidEndpoint {}
    impl ::x402_runtime::__private::Endpoint for __PaidEndpoint {
        const SPEC: ::x402_runtime::__private::EndpointSpec = ::x402_runtime::__private::EndpointSpec {
            id: "patterns",
            route: ::x402_runtime::__private::Option::Some(::x402_runtime::__private::RouteSpec {
                method: ::x402_runtime::__private::Method::Get,
                path: "/{a}/{b}",
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
            (&&&::x402_runtime::__private::described::Argument::<Method>::new())
                .describe(to);
            (&&&::x402_runtime::__private::described::Argument::<Path<(u8, u8)>>::new())
                .describe(to);
            (&&&::x402_runtime::__private::described::Argument::<Query<Q>>::new())
                .describe(to);
            (&&&::x402_runtime::__private::described::Argument::<Q>::new()).describe(to);
            (&&&::x402_runtime::__private::described::Argument::<X>::new()).describe(to);
            (&&&::x402_runtime::__private::described::Argument::<T>::new()).describe(to);
        }
    }
    async fn patterns(
        _: Method,
        Path((a, b)): Path<(u8, u8)>,
        Query(patterns): Query<Q>,
        Q { a: c }: Q,
        _x: X,
        r#type: T,
    ) {}
    ::x402_runtime::__private::MountWithPaywall::<
        __PaidEndpoint,
        _,
    >::new(patterns(arg0, arg1, arg2, arg3, arg4, r#type))
}
