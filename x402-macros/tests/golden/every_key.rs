/// Not the summary.
///
/// Paid: 0.0100 usdc for `POST /weather`.
pub fn weather(
    question: Json<Question>,
) -> my::x402::__private::MountWithPaywall<
    impl my::x402::__private::Endpoint,
    impl my::x402::__private::Future<
        Output = Result<Json<Weather>, Error>,
    > + my::x402::__private::Send,
> {
    enum __PaidEndpoint {}
    impl my::x402::__private::Endpoint for __PaidEndpoint {
        const SPEC: my::x402::__private::EndpointSpec = my::x402::__private::EndpointSpec {
            id: "weather.v2",
            route: my::x402::__private::Option::Some(my::x402::__private::RouteSpec {
                method: my::x402::__private::Method::Post,
                path: "/weather",
            }),
            price: my::x402::__private::PriceModel::Flat {
                amount: my::x402::__private::Price {
                    amount: my::x402::__private::Decimal::new(100, 4),
                    unit: my::x402::__private::PriceUnit::Symbol(
                        my::x402::__private::Cow::Borrowed("usdc"),
                    ),
                },
            },
            probe: my::x402::__private::Option::None,
            allowances: &[],
            plans: &[],
            summary: "One line",
            description: "Two\nlines",
            tags: &["weather", "real time"],
            mime_type: "application/geo+json",
            timeout_seconds: 90u64,
            pay_to: my::x402::__private::Option::Some(
                "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
            ),
            rails: &["base:USDC"],
            payment_ids: my::x402::__private::Option::Some(
                my::x402::__private::PaymentIds::Required,
            ),
            lifecycle: my::x402::__private::Lifecycle::NONE,
        };
        fn describe(to: &mut my::x402::__private::described::Description<'_>) {
            #[allow(unused_imports)]
            use my::x402::__private::described::{
                HalfKnown as _, Known as _, Unknown as _,
            };
            (&&&my::x402::__private::described::Argument::<Json<Question>>::new())
                .describe(to);
            (&&&my::x402::__private::described::Answer::<
                Result<Json<Weather>, Error>,
            >::new())
                .describe(to);
        }
    }
    async fn weather(Json(question): Json<Question>) -> Result<Json<Weather>, Error> {
        answer(question)?
    }
    my::x402::__private::MountWithPaywall::<__PaidEndpoint, _>::new(weather(question))
}
