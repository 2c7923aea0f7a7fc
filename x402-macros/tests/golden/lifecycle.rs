/// Paid: 0.01 USD for `GET /`.
fn weather() -> ::x402_runtime::__private::MountWithPaywall<
    impl ::x402_runtime::__private::Endpoint,
    impl ::x402_runtime::__private::Future<Output = ()> + ::x402_runtime::__private::Send,
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
                    amount: ::x402_runtime::__private::Decimal::new(1, 2),
                    unit: ::x402_runtime::__private::PriceUnit::Usd,
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
            lifecycle: ::x402_runtime::__private::Lifecycle {
                deprecation: ::x402_runtime::__private::Option::Some(::x402_runtime::__private::DeprecationSpec {
                    since: 1796083200u64,
                    sunset: ::x402_runtime::__private::Option::Some(1803902400u64),
                    replacement: ::x402_runtime::__private::Option::Some("weather_v2"),
                }),
                scheduled: &[
                    ::x402_runtime::__private::ScheduledPrice {
                        from: 1799971200u64,
                        announced: ::x402_runtime::__private::Option::Some(
                            1797724800u64,
                        ),
                        price: ::x402_runtime::__private::PriceModel::Flat {
                            amount: ::x402_runtime::__private::Price {
                                amount: ::x402_runtime::__private::Decimal::new(2, 2),
                                unit: ::x402_runtime::__private::PriceUnit::Usd,
                            },
                        },
                        reason: ::x402_runtime::__private::Option::Some(
                            "Data costs more",
                        ),
                    },
                    ::x402_runtime::__private::ScheduledPrice {
                        from: 1802649600u64,
                        announced: ::x402_runtime::__private::Option::None,
                        price: ::x402_runtime::__private::PriceModel::Tiered {
                            dimensions: ::x402_runtime::__private::Cow::Borrowed(
                                &[
                                    ::x402_runtime::__private::Dimension {
                                        by: ::x402_runtime::__private::Selector {
                                            source: ::x402_runtime::__private::Source::Query,
                                            pointer: ::x402_runtime::__private::Cow::Borrowed("days"),
                                            measure: ::x402_runtime::__private::Measure::Value,
                                            divide_by: 1u64,
                                            default: ::x402_runtime::__private::Option::None,
                                        },
                                        table: ::x402_runtime::__private::DimensionTable::Bands(
                                            ::x402_runtime::__private::Cow::Borrowed(
                                                &[
                                                    ::x402_runtime::__private::Band {
                                                        up_to: ::x402_runtime::__private::Option::Some(
                                                            ::x402_runtime::__private::Decimal::new(3, 0),
                                                        ),
                                                        charge: ::x402_runtime::__private::Charge::Amount(::x402_runtime::__private::Price {
                                                            amount: ::x402_runtime::__private::Decimal::new(2, 2),
                                                            unit: ::x402_runtime::__private::PriceUnit::Usd,
                                                        }),
                                                    },
                                                    ::x402_runtime::__private::Band {
                                                        up_to: ::x402_runtime::__private::Option::Some(
                                                            ::x402_runtime::__private::Decimal::new(14, 0),
                                                        ),
                                                        charge: ::x402_runtime::__private::Charge::Amount(::x402_runtime::__private::Price {
                                                            amount: ::x402_runtime::__private::Decimal::new(5, 2),
                                                            unit: ::x402_runtime::__private::PriceUnit::Usd,
                                                        }),
                                                    },
                                                ],
                                            ),
                                        ),
                                    },
                                ],
                            ),
                            combine: ::x402_runtime::__private::Combine::Multiply,
                            rebates: ::x402_runtime::__private::Cow::Borrowed(&[]),
                            bounds: ::x402_runtime::__private::Bounds {
                                min: ::x402_runtime::__private::Price {
                                    amount: ::x402_runtime::__private::Decimal::new(2, 2),
                                    unit: ::x402_runtime::__private::PriceUnit::Usd,
                                },
                                max: ::x402_runtime::__private::Price {
                                    amount: ::x402_runtime::__private::Decimal::new(5, 2),
                                    unit: ::x402_runtime::__private::PriceUnit::Usd,
                                },
                            },
                        },
                        reason: ::x402_runtime::__private::Option::None,
                    },
                ],
            },
        };
    }
    async fn weather() {}
    ::x402_runtime::__private::MountWithPaywall::<__PaidEndpoint, _>::new(weather())
}
