::core::compile_error! {
    "a second `#[paid]` on one function\nhelp: a function is one endpoint: give another endpoint a function of its own that calls this one"
}
fn weather() -> ::x402_runtime::__private::MountWithPaywall<
    impl ::x402_runtime::__private::Endpoint,
    impl ::x402_runtime::__private::Future<Output = ()> + ::x402_runtime::__private::Send,
> {
    enum __PaidEndpoint {}
    impl ::x402_runtime::__private::Endpoint for __PaidEndpoint {
        const SPEC: ::x402_runtime::__private::EndpointSpec = ::x402_runtime::__private::EndpointSpec {
            id: "invalid",
            route: ::x402_runtime::__private::Option::None,
            price: ::x402_runtime::__private::PriceModel::Flat {
                amount: ::x402_runtime::__private::Price {
                    amount: ::x402_runtime::__private::Decimal::ONE,
                    unit: ::x402_runtime::__private::PriceUnit::Usd,
                },
            },
            probe: ::x402_runtime::__private::Option::None,
            allowances: &[],
            plans: &[],
            summary: "",
            description: "",
            tags: &[],
            mime_type: "",
            timeout_seconds: 0,
            pay_to: ::x402_runtime::__private::Option::None,
            rails: &[],
            payment_ids: ::x402_runtime::__private::Option::None,
            lifecycle: ::x402_runtime::__private::Lifecycle::NONE,
        };
    }
    async fn weather() {}
    ::x402_runtime::__private::MountWithPaywall::<__PaidEndpoint, _>::new(weather())
}
