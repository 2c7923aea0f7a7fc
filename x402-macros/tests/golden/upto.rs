/// Paid: 0.0002 to 0.02 USDC for `POST /`.
fn weather(
    question: Query<Question>,
) -> ::x402_runtime::__private::MountWithPaywall<
    impl ::x402_runtime::__private::Endpoint,
    impl ::x402_runtime::__private::Future<Output = ()> + ::x402_runtime::__private::Send,
> {
    enum __PaidEndpoint {}
    impl ::x402_runtime::__private::Endpoint for __PaidEndpoint {
        const SPEC: ::x402_runtime::__private::EndpointSpec = ::x402_runtime::__private::EndpointSpec {
            id: "weather",
            route: ::x402_runtime::__private::Option::Some(::x402_runtime::__private::RouteSpec {
                method: ::x402_runtime::__private::Method::Post,
                path: "/",
            }),
            price: ::x402_runtime::__private::PriceModel::Usage {
                base: ::x402_runtime::__private::Option::Some(::x402_runtime::__private::Price {
                    amount: ::x402_runtime::__private::Decimal::new(2, 4),
                    unit: ::x402_runtime::__private::PriceUnit::Symbol(
                        ::x402_runtime::__private::Cow::Borrowed("USDC"),
                    ),
                }),
                units: ::x402_runtime::__private::Cow::Borrowed(
                    &[
                        ::x402_runtime::__private::UsageUnit {
                            id: ::x402_runtime::__private::Cow::Borrowed("pages"),
                            per: 1u64,
                            amount: ::x402_runtime::__private::Price {
                                amount: ::x402_runtime::__private::Decimal::new(1, 3),
                                unit: ::x402_runtime::__private::PriceUnit::Symbol(
                                    ::x402_runtime::__private::Cow::Borrowed("USDC"),
                                ),
                            },
                            meter: ::x402_runtime::__private::Selector {
                                source: ::x402_runtime::__private::Source::ResponseBody,
                                pointer: ::x402_runtime::__private::Cow::Borrowed(
                                    "/usage/pages",
                                ),
                                measure: ::x402_runtime::__private::Measure::Value,
                                divide_by: 1u64,
                                default: ::x402_runtime::__private::Option::None,
                            },
                            estimate: ::x402_runtime::__private::Option::None,
                        },
                        ::x402_runtime::__private::UsageUnit {
                            id: ::x402_runtime::__private::Cow::Borrowed("tokens"),
                            per: 1000u64,
                            amount: ::x402_runtime::__private::Price {
                                amount: ::x402_runtime::__private::Decimal::new(2, 3),
                                unit: ::x402_runtime::__private::PriceUnit::Symbol(
                                    ::x402_runtime::__private::Cow::Borrowed("USDC"),
                                ),
                            },
                            meter: ::x402_runtime::__private::Selector {
                                source: ::x402_runtime::__private::Source::ResponseHeader,
                                pointer: ::x402_runtime::__private::Cow::Borrowed(
                                    "x-tokens",
                                ),
                                measure: ::x402_runtime::__private::Measure::Value,
                                divide_by: 1u64,
                                default: ::x402_runtime::__private::Option::None,
                            },
                            estimate: ::x402_runtime::__private::Option::Some(::x402_runtime::__private::Selector {
                                source: ::x402_runtime::__private::Source::Query,
                                pointer: ::x402_runtime::__private::Cow::Borrowed("tokens"),
                                measure: ::x402_runtime::__private::Measure::Value,
                                divide_by: 1u64,
                                default: ::x402_runtime::__private::Option::Some(
                                    ::x402_runtime::__private::CaseValue::Integer(512i64),
                                ),
                            }),
                        },
                    ],
                ),
                rounding: ::x402_runtime::__private::Rounding::DownToAtomic,
                headroom: ::x402_runtime::__private::Decimal::new(12, 1),
                ceiling: ::x402_runtime::__private::Price {
                    amount: ::x402_runtime::__private::Decimal::new(2, 2),
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
            (&&&::x402_runtime::__private::described::Argument::<Query<Question>>::new())
                .describe(to);
        }
    }
    const _: fn(&Question) = |__value| {
        ::x402_runtime::__private::compared::number(&__value.tokens);
    };
    async fn weather(Query(question): Query<Question>) {}
    ::x402_runtime::__private::MountWithPaywall::<
        __PaidEndpoint,
        _,
    >::new(weather(question))
}
