/// Paid: 0.005 to 1.25 USDC for `POST /{city}`.
fn weather(
    question: Json<Question>,
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
                path: "/{city}",
            }),
            price: ::x402_runtime::__private::PriceModel::Tiered {
                dimensions: ::x402_runtime::__private::Cow::Borrowed(
                    &[
                        ::x402_runtime::__private::Dimension {
                            by: ::x402_runtime::__private::Selector {
                                source: ::x402_runtime::__private::Source::Body,
                                pointer: ::x402_runtime::__private::Cow::Borrowed(
                                    "/quality",
                                ),
                                measure: ::x402_runtime::__private::Measure::Value,
                                divide_by: 1u64,
                                default: ::x402_runtime::__private::Option::Some(
                                    ::x402_runtime::__private::CaseValue::Text(
                                        ::x402_runtime::__private::Cow::Borrowed("fast"),
                                    ),
                                ),
                            },
                            table: ::x402_runtime::__private::DimensionTable::Cases(
                                ::x402_runtime::__private::Cow::Borrowed(
                                    &[
                                        ::x402_runtime::__private::Case {
                                            equals: ::x402_runtime::__private::CaseValue::Text(
                                                ::x402_runtime::__private::Cow::Borrowed("fast"),
                                            ),
                                            charge: ::x402_runtime::__private::Charge::Amount(::x402_runtime::__private::Price {
                                                amount: ::x402_runtime::__private::Decimal::new(1, 2),
                                                unit: ::x402_runtime::__private::PriceUnit::Symbol(
                                                    ::x402_runtime::__private::Cow::Borrowed("USDC"),
                                                ),
                                            }),
                                        },
                                        ::x402_runtime::__private::Case {
                                            equals: ::x402_runtime::__private::CaseValue::Text(
                                                ::x402_runtime::__private::Cow::Borrowed("best"),
                                            ),
                                            charge: ::x402_runtime::__private::Charge::Amount(::x402_runtime::__private::Price {
                                                amount: ::x402_runtime::__private::Decimal::new(5, 1),
                                                unit: ::x402_runtime::__private::PriceUnit::Symbol(
                                                    ::x402_runtime::__private::Cow::Borrowed("USDC"),
                                                ),
                                            }),
                                        },
                                    ],
                                ),
                            ),
                        },
                        ::x402_runtime::__private::Dimension {
                            by: ::x402_runtime::__private::Selector {
                                source: ::x402_runtime::__private::Source::Body,
                                pointer: ::x402_runtime::__private::Cow::Borrowed("/text"),
                                measure: ::x402_runtime::__private::Measure::Chars,
                                divide_by: 3u64,
                                default: ::x402_runtime::__private::Option::None,
                            },
                            table: ::x402_runtime::__private::DimensionTable::Bands(
                                ::x402_runtime::__private::Cow::Borrowed(
                                    &[
                                        ::x402_runtime::__private::Band {
                                            up_to: ::x402_runtime::__private::Option::Some(
                                                ::x402_runtime::__private::Decimal::new(1000, 0),
                                            ),
                                            charge: ::x402_runtime::__private::Charge::Factor(
                                                ::x402_runtime::__private::Decimal::new(1, 0),
                                            ),
                                        },
                                        ::x402_runtime::__private::Band {
                                            up_to: ::x402_runtime::__private::Option::None,
                                            charge: ::x402_runtime::__private::Charge::Factor(
                                                ::x402_runtime::__private::Decimal::new(25, 1),
                                            ),
                                        },
                                    ],
                                ),
                            ),
                        },
                        ::x402_runtime::__private::Dimension {
                            by: ::x402_runtime::__private::Selector {
                                source: ::x402_runtime::__private::Source::Path,
                                pointer: ::x402_runtime::__private::Cow::Borrowed("city"),
                                measure: ::x402_runtime::__private::Measure::Value,
                                divide_by: 1u64,
                                default: ::x402_runtime::__private::Option::None,
                            },
                            table: ::x402_runtime::__private::DimensionTable::Cases(
                                ::x402_runtime::__private::Cow::Borrowed(
                                    &[
                                        ::x402_runtime::__private::Case {
                                            equals: ::x402_runtime::__private::CaseValue::Text(
                                                ::x402_runtime::__private::Cow::Borrowed("Oslo"),
                                            ),
                                            charge: ::x402_runtime::__private::Charge::Factor(
                                                ::x402_runtime::__private::Decimal::new(1, 0),
                                            ),
                                        },
                                    ],
                                ),
                            ),
                        },
                    ],
                ),
                combine: ::x402_runtime::__private::Combine::Multiply,
                rebates: ::x402_runtime::__private::Cow::Borrowed(
                    &[
                        ::x402_runtime::__private::Rebate {
                            by: ::x402_runtime::__private::RebateBy::Calls,
                            window_seconds: 2592000u64,
                            bands: ::x402_runtime::__private::Cow::Borrowed(
                                &[
                                    ::x402_runtime::__private::RebateBand {
                                        up_to: ::x402_runtime::__private::Option::Some(
                                            ::x402_runtime::__private::Decimal::new(1000, 0),
                                        ),
                                        factor: ::x402_runtime::__private::Decimal::new(1, 0),
                                    },
                                    ::x402_runtime::__private::RebateBand {
                                        up_to: ::x402_runtime::__private::Option::None,
                                        factor: ::x402_runtime::__private::Decimal::new(5, 1),
                                    },
                                ],
                            ),
                        },
                    ],
                ),
                bounds: ::x402_runtime::__private::Bounds {
                    min: ::x402_runtime::__private::Price {
                        amount: ::x402_runtime::__private::Decimal::new(5, 3),
                        unit: ::x402_runtime::__private::PriceUnit::Symbol(
                            ::x402_runtime::__private::Cow::Borrowed("USDC"),
                        ),
                    },
                    max: ::x402_runtime::__private::Price {
                        amount: ::x402_runtime::__private::Decimal::new(125, 2),
                        unit: ::x402_runtime::__private::PriceUnit::Symbol(
                            ::x402_runtime::__private::Cow::Borrowed("USDC"),
                        ),
                    },
                },
            },
            probe: ::x402_runtime::__private::Option::Some(
                "{\"path\": {\"city\": \"Oslo\"}, \"body\": {\"text\": \"\"}}",
            ),
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
            (&&&::x402_runtime::__private::described::Argument::<Json<Question>>::new())
                .describe(to);
        }
    }
    const _: fn(&Question) = |__value| {
        #[allow(unused_imports)]
        use ::x402_runtime::__private::compared::{MayBeText as _, NoText as _};
        ::x402_runtime::__private::compared::text(
            (&::x402_runtime::__private::compared::Field(&__value.quality)).kind(),
        );
    };
    async fn weather(Json(question): Json<Question>) {}
    ::x402_runtime::__private::MountWithPaywall::<
        __PaidEndpoint,
        _,
    >::new(weather(question))
}
