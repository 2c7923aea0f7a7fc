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
            },
        };
    }
    async fn weather() {}
    ::x402_runtime::__private::MountWithPaywall::<__PaidEndpoint, _>::new(weather())
}
