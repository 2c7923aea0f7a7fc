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
            allowances: &[
                ::x402_runtime::__private::Allowance {
                    kind: ::x402_runtime::__private::AllowanceKind::FreeQuota {
                        window_seconds: 86400u64,
                    },
                    scope: ::x402_runtime::__private::Scope::Payer,
                    calls: 100u64,
                    identify: ::x402_runtime::__private::Identify::SignInWithX,
                },
            ],
            plans: &[
                ::x402_runtime::__private::Plan {
                    id: ::x402_runtime::__private::Cow::Borrowed("prepaid-10-usd"),
                    kind: ::x402_runtime::__private::PlanKind::Prepaid {
                        amount: ::x402_runtime::__private::Price {
                            amount: ::x402_runtime::__private::Decimal::new(10, 0),
                            unit: ::x402_runtime::__private::PriceUnit::Usd,
                        },
                        credit: ::x402_runtime::__private::Price {
                            amount: ::x402_runtime::__private::Decimal::new(11, 0),
                            unit: ::x402_runtime::__private::PriceUnit::Usd,
                        },
                        expires_seconds: ::x402_runtime::__private::Option::Some(
                            15552000u64,
                        ),
                    },
                    purchase: ::x402_runtime::__private::RouteSpec {
                        method: ::x402_runtime::__private::Method::Post,
                        path: "/x402/credits",
                    },
                    present_header: ::x402_runtime::__private::Cow::Borrowed(
                        "SIGN-IN-WITH-X",
                    ),
                },
                ::x402_runtime::__private::Plan {
                    id: ::x402_runtime::__private::Cow::Borrowed("small"),
                    kind: ::x402_runtime::__private::PlanKind::Prepaid {
                        amount: ::x402_runtime::__private::Price {
                            amount: ::x402_runtime::__private::Decimal::new(1, 0),
                            unit: ::x402_runtime::__private::PriceUnit::Usd,
                        },
                        credit: ::x402_runtime::__private::Price {
                            amount: ::x402_runtime::__private::Decimal::new(1, 0),
                            unit: ::x402_runtime::__private::PriceUnit::Usd,
                        },
                        expires_seconds: ::x402_runtime::__private::Option::None,
                    },
                    purchase: ::x402_runtime::__private::RouteSpec {
                        method: ::x402_runtime::__private::Method::Post,
                        path: "/small",
                    },
                    present_header: ::x402_runtime::__private::Cow::Borrowed(
                        "SIGN-IN-WITH-X",
                    ),
                },
            ],
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
    }
    async fn weather() {}
    ::x402_runtime::__private::MountWithPaywall::<__PaidEndpoint, _>::new(weather())
}
