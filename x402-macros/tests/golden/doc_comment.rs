/// Forget the
/// weather.
///
/// Paid: 1 USDC for `DELETE /weather`.
///
/// All of it.
///
/// # Errors
/// None.
fn forget() -> ::x402_runtime::__private::MountWithPaywall<
    impl ::x402_runtime::__private::Endpoint,
    impl ::x402_runtime::__private::Future<Output = ()> + ::x402_runtime::__private::Send,
> {
    enum __PaidEndpoint {}
    impl ::x402_runtime::__private::Endpoint for __PaidEndpoint {
        const SPEC: ::x402_runtime::__private::EndpointSpec = ::x402_runtime::__private::EndpointSpec {
            id: "forget",
            route: ::x402_runtime::__private::Option::Some(::x402_runtime::__private::RouteSpec {
                method: ::x402_runtime::__private::Method::Delete,
                path: "/weather",
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
            summary: "Forget the weather.",
            description: "All of it.",
            tags: &[],
            mime_type: "application/json",
            timeout_seconds: 300u64,
            pay_to: ::x402_runtime::__private::Option::None,
            rails: &[],
            payment_ids: ::x402_runtime::__private::Option::None,
            lifecycle: ::x402_runtime::__private::Lifecycle::NONE,
        };
    }
    async fn forget() {}
    ::x402_runtime::__private::MountWithPaywall::<__PaidEndpoint, _>::new(forget())
}
