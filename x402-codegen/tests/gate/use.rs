//! What a user does with the generated clients; part of the crate that `compile_rust` makes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "refusals.rs"]
mod refusals;

fn wallet() -> x402_client::Wallet {
    x402_client::Wallet::view_only([1; 20].into())
}

fn budget() -> x402_client::Budget {
    x402_client::Budget::new("5 USD", "1 USD").unwrap()
}

fn client() -> x402_client::Client {
    x402_client::Client::new(wallet(), budget())
}

#[test]
fn quotes_are_what_the_document_says() {
    use crate::price_tiered::{self as g, Quote, RenderBody, RenderRequest, SearchRequest};
    let client = g::Client::with(client());
    let exact = |quote: Result<Quote, g::Error>| match quote.unwrap() {
        Quote::Exact(price) => price.to_string(),
        other => panic!("{other:?}"),
    };
    let pdf = RenderRequest::new("pdf".into(), RenderBody::new(vec!["a".into()]));
    assert_eq!(exact(client.render(&pdf).quote()), "0.01 USD");
    let mut png = RenderRequest::new("png".into(), RenderBody::new(vec!["a".into(); 11]));
    png.body.hd = Some(true);
    assert_eq!(exact(client.render(&png).quote()), "0.075 USD");
    let mut search = SearchRequest::new();
    assert_eq!(exact(client.search(&search).quote()), "0.0015 USD");
    search.depth = Some(3);
    search.region = Some("north pole".into());
    search.x_speed = Some("fast".into());
    assert_eq!(exact(client.search(&search).quote()), "0.0147 USD");
    let unknown = RenderRequest::new("gif".into(), RenderBody::new(vec![]));
    assert_eq!(client.render(&unknown).quote().unwrap_err().code(), "no_price");
    let dots = RenderRequest::new("..".into(), RenderBody::new(vec![]));
    assert_eq!(client.render(&dots).quote().unwrap_err().code(), "invalid_argument");
    assert_eq!((g::RENDER_MIN_COST, g::RENDER_MAX_COST), ("0.005 USD", "0.12 USD"));
}

#[test]
fn ceilings_of_metered_calls_are_computed() {
    use crate::price_usage::{self as g, CompleteBody, Quote};
    let client = g::Client::with(client());
    let body = CompleteBody::new("x".repeat(300));
    let Ok(Quote::UpTo(most)) = client.complete(&body).quote() else { panic!() };
    // (0.0001 + 100/1000 * 0.0005 + 100/1000 * 0.002) * 1.2
    assert_eq!(most.to_string(), "0.00042 USD");
}

#[tokio::test]
async fn mocks_answer_with_the_examples() {
    use crate::example::{self as g, GetWeatherRequest, Mock, MockMode};
    let with = |mode| {
        let transport = Mock::new(mode);
        let builder = x402_client::Client::builder().wallet(wallet()).budget(budget());
        g::Client::with(builder.transport(transport).build().unwrap())
    };
    let request = GetWeatherRequest::new("lisbon".into());
    let paid = with(MockMode::Answer).get_weather(&request).send().await.unwrap();
    assert_eq!((paid.value.sky.as_str(), paid.receipt), ("clear", None));
    let refused = with(MockMode::Refuse("rate_limited".into())).get_weather(&request).send().await.unwrap_err();
    assert!(matches!(refused, g::Error::RateLimited(_)) && refused.retryable());
    assert_eq!((refused.action(), refused.charged()), ("wait", x402_client::Charged::No));
    let new = with(MockMode::Refuse("brand_new".into())).get_weather(&request).send().await.unwrap_err();
    assert_eq!((new.code(), new.retryable(), new.action()), ("brand_new", false, "stop"));
    let silent = with(MockMode::Timeout).get_weather(&request).send().await.unwrap_err();
    assert_eq!((silent.code(), silent.retryable()), ("unreachable", true));
}

/// Answers each call with the same text.
struct Says(&'static str);

impl x402_client::transport::Transport for Says {
    fn send(
        &self,
        _: http::Request<bytes::Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<x402_client::transport::TransportReply, x402_client::transport::TransportError>> + Send + '_>> {
        let reply = x402_client::transport::TransportReply::new(http::StatusCode::OK, http::HeaderMap::new(), self.0);
        Box::pin(async move { Ok(reply) })
    }
}

/// Asks for a payment of this many atomic units in a way to pay, whatever is called.
struct Seller(u32, [&'static str; 4]);

impl x402_client::transport::Transport for Seller {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<x402_client::transport::TransportReply, x402_client::transport::TransportError>> + Send + '_>> {
        let [scheme, network, asset, pay_to] = self.1;
        let name = if network == "eip155:84532" { "USDC" } else { "USD Coin" };
        let terms = serde_json::json!({
            "x402Version": 2,
            "resource": { "url": request.uri().to_string() },
            "accepts": [{
                "scheme": scheme, "network": network, "asset": asset, "payTo": pay_to,
                "amount": self.0.to_string(), "maxTimeoutSeconds": 60, "extra": { "name": name, "version": "2" },
            }],
        });
        let header = x402_model::wire::headers::encode(&terms).unwrap();
        let headers = http::HeaderMap::from_iter([(http::HeaderName::from_static("payment-required"), header.parse().unwrap())]);
        let status = http::StatusCode::PAYMENT_REQUIRED;
        Box::pin(async move { Ok(x402_client::transport::TransportReply::new(status, headers, "{}")) })
    }
}

#[tokio::test]
async fn max_cost_never_raises_the_ceiling_of_the_document() {
    use crate::example::{self as g, Error, GetWeatherRequest};
    let request = GetWeatherRequest::new("lisbon".into());
    let asks = |units| {
        let builder = x402_client::Client::builder().wallet(wallet()).budget(budget()).policy(g::policy());
        let pin = &g::PINS[0];
        let seller = Seller(units, [pin.scheme, pin.network, pin.asset, pin.pay_to]);
        g::Client::with(builder.transport(seller).build().unwrap())
    };
    let (honest, dear) = (asks(1_000), asks(2_000));
    for max in ["5 USD", "0.001 USD"] {
        assert!(honest.get_weather(&request).max_cost(max).dry_run().await.is_ok());
        let refused = dear.get_weather(&request).max_cost(max).send().await.unwrap_err();
        assert!(matches!(refused, Error::PriceAboveContract { endpoint: "getWeather", most: "0.001 USD" }), "{refused}");
    }
    let refused = honest.get_weather(&request).max_cost("0.0009 USD").send().await.unwrap_err();
    assert!(matches!(refused, Error::CostAboveMax), "{refused}");
    let refused = honest.get_weather(&request).max_cost("1 EURC").send().await.unwrap_err();
    assert!(matches!(refused, Error::Argument("max_cost")), "{refused}");
    let refused = honest.get_weather(&request).max_cost("much").send().await.unwrap_err();
    assert_eq!(refused.code(), "invalid_max");
}

#[tokio::test]
async fn each_way_to_pay_has_its_own_payee() {
    use crate::rails::{self as g, PINS};
    async fn asks(network: &'static str, asset: &'static str, pay_to: &'static str) -> Option<x402_client::select::Refusal> {
        let builder = x402_client::Client::builder().wallet(wallet()).budget(budget()).policy(g::policy());
        let seller = Seller(1_000, ["exact", network, asset, pay_to]);
        let client = g::Client::with(builder.transport(seller).build().unwrap());
        let x402_client::Asked::Priced(priced) = client.get().dry_run().await.unwrap() else { panic!() };
        priced.choice().err().map(|refusals| refusals.0[0])
    }
    let (first, second) = (&PINS[0], &PINS[1]);
    assert_ne!(first.pay_to, second.pay_to);
    for pin in [first, second] {
        assert_eq!(asks(pin.network, pin.asset, pin.pay_to).await, None);
        let lower: &'static str = pin.pay_to.to_ascii_lowercase().leak();
        assert_eq!(asks(pin.network, pin.asset, lower).await, None);
    }
    for (network, asset, pay_to) in [
        (first.network, first.asset, second.pay_to),
        (second.network, second.asset, first.pay_to),
        (first.network, first.asset, "0x000000000000000000000000000000000000dEaD"),
    ] {
        let unexpected = x402_client::select::Refusal::PayeeUnexpected;
        assert_eq!(asks(network, asset, pay_to).await, Some(unexpected));
    }
}

#[tokio::test]
async fn pages_stop_at_their_cap() {
    use crate::pagination::{self as g, ListRequest, Mock};
    let builder = x402_client::Client::builder().wallet(wallet()).budget(budget());
    let client = g::Client::with(builder.transport(Mock::default()).build().unwrap());
    let mut pages = client.list_pages(ListRequest::new(), "0.002 USD").unwrap();
    assert_eq!(pages.next().await.unwrap().unwrap().value.items[0].id, 1);
    assert!(pages.next().await.is_none(), "the last page names no other");
    let mut pages = client.list_pages(ListRequest::new(), "0.001 USD").unwrap();
    assert_eq!(pages.next().await.unwrap().unwrap_err().code(), "spend_cap_reached");
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn a_page_that_does_not_name_the_next_one_is_given_before_the_error() {
    use crate::pagination::{self as g, Error, RollRequest, WalkRequest};
    let says = |text| {
        let builder = x402_client::Client::builder().wallet(wallet()).budget(budget());
        g::Client::with(builder.transport(Says(text)).build().unwrap())
    };
    for text in [
        r#"{"items":[],"meta":"text"}"#,
        r#"{"items":[],"meta":{"next":{"a":1}}}"#,
        r#"{"items":[],"meta":{"next":"7"}}"#,
        r#"{"items":[],"meta":{"next":true}}"#,
        r#"{"items":[],"meta":{"next":1.5}}"#,
        r#"{"items":[],"meta":[1]}"#,
    ] {
        let client = says(text);
        let mut pages = client.walk_pages(WalkRequest::new(), "1 USD").unwrap();
        assert!(pages.next().await.unwrap().unwrap().value.items.is_empty());
        let error = pages.next().await.unwrap().unwrap_err();
        let Error::Decode { answer: Some(answer), .. } = &error else {
            panic!("{text}: {error}");
        };
        assert_eq!(answer.text().ok(), Some(text), "what came is not lost");
        assert!(pages.next().await.is_none());
    }
    for text in [r#"{"items":[]}"#, r#"{"items":[],"meta":null}"#, r#"{"items":[],"meta":{"next":""}}"#] {
        let client = says(text);
        let mut pages = client.walk_pages(WalkRequest::new(), "1 USD").unwrap();
        assert!(pages.next().await.unwrap().is_ok());
        assert!(pages.next().await.is_none(), "{text}");
    }
    let client = says(r#"{"items":[]}"#);
    let mut pages = client.roll_pages(RollRequest::new(), "1 USD").unwrap();
    assert!(pages.next().await.unwrap().is_ok());
    assert_eq!(pages.next().await.unwrap().unwrap_err().code(), "unexpected_answer");
}

type Parts = tokio::sync::mpsc::UnboundedReceiver<bytes::Bytes>;

/// Answers one call with the parts that it is given, as they come.
struct Gives(std::sync::Mutex<Option<Parts>>);

struct Given(Parts);

impl x402_client::Stream for Given {
    type Item = Result<bytes::Bytes, x402_client::transport::CutReason>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|part| part.map(Ok))
    }
}

impl x402_client::transport::Transport for Gives {
    fn send(
        &self,
        _: http::Request<bytes::Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<x402_client::transport::TransportReply, x402_client::transport::TransportError>> + Send + '_>> {
        panic!("the answer is opened")
    }

    fn open(
        &self,
        _: http::Request<bytes::Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<x402_client::transport::OpenReply, x402_client::transport::TransportError>> + Send + '_>> {
        let parts = Box::pin(Given(self.0.lock().unwrap().take().unwrap()));
        let (status, headers) = (http::StatusCode::OK, http::HeaderMap::new());
        Box::pin(async move { Ok(x402_client::transport::OpenReply { status, headers, parts }) })
    }
}

fn chat() -> (crate::streaming::Client, tokio::sync::mpsc::UnboundedSender<bytes::Bytes>) {
    let (sender, parts) = tokio::sync::mpsc::unbounded_channel();
    let builder = x402_client::Client::builder().wallet(wallet()).budget(budget());
    let client = builder.transport(Gives(std::sync::Mutex::new(Some(parts)))).build().unwrap();
    (crate::streaming::Client::with(client), sender)
}

#[tokio::test]
async fn events_come_while_the_answer_runs() {
    use crate::streaming::{ChatBody, Chunk, Events};
    fn is_stream<T: x402_client::Stream + Send + Unpin + 'static>(_: &T) {}
    let (client, sender) = chat();
    let body = ChatBody::new("x".into());
    let mut events: Events<Chunk> = client.chat(&body).stream().await.unwrap();
    is_stream(&events);
    for text in ["a", "b"] {
        sender.send(format!("data: {{\"text\":\"{text}\"}}\n\n").into()).unwrap();
        assert_eq!(events.next().await.unwrap().unwrap().text, text);
    }
    sender.send("data: {\"text\":".into()).unwrap();
    drop(sender);
    assert_eq!(events.next().await.unwrap().unwrap_err().code(), "unexpected_answer");
    assert!(events.next().await.is_none());
    assert!(events.receipt().is_none(), "it cost nothing");
}

#[tokio::test]
async fn events_end_at_empty_lines_wherever_parts_end() {
    use crate::streaming::{ChatBody, LinesRequest};
    let body = ChatBody::new("x".into());
    let texts = |events: Vec<crate::streaming::Chunk>| events.into_iter().map(|event| event.text).collect::<Vec<_>>();
    for end in ["\n", "\r\n", "\r"] {
        let lines = ["\u{feff}data: {\"text\":\"a\u{2028}\"}", ":", "", "data:{\"text\":", "data: \"\u{1f600}\"}", "id", "", "data: [DONE]", "", "data: {\"text\":\"z\"}"];
        for size in [1, 2, 3, 1_000] {
            let (client, sender) = chat();
            for part in lines.join(end).as_bytes().chunks(size) {
                sender.send(bytes::Bytes::copy_from_slice(part)).unwrap();
            }
            drop(sender);
            let events = client.chat(&body).stream().await.unwrap().all().await.unwrap();
            assert_eq!(texts(events), ["a\u{2028}", "\u{1f600}", "z"], "{end:?}, parts of {size}");
        }
    }
    let builder = x402_client::Client::builder().wallet(wallet()).budget(budget());
    let says = Says("{\"text\":\"a\"}\n\n{\"text\":\r\n\"b\"}");
    let client = crate::streaming::Client::with(builder.transport(says).build().unwrap());
    let mut paid = client.chat(&body).send().await.unwrap();
    assert!(paid.value.all().await.unwrap().is_empty(), "these are no server-sent events");
    let error = client.lines(&LinesRequest::new()).stream().await.unwrap().all().await.unwrap_err();
    assert_eq!(error.code(), "unexpected_answer", "an event is on one line");
    let builder = x402_client::Client::builder().wallet(wallet()).budget(budget());
    let says = Says("{\"text\":\"a\"}\n\n {\"text\":\"b\"}\r\n");
    let client = crate::streaming::Client::with(builder.transport(says).build().unwrap());
    let mut paid = client.lines(&LinesRequest::new()).send().await.unwrap();
    assert_eq!(texts(paid.value.all().await.unwrap()), ["a", "b"]);
}

/// Gives these events to whoever pays.
struct Sells(Seller, String);

impl x402_client::transport::Transport for Sells {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<x402_client::transport::TransportReply, x402_client::transport::TransportError>> + Send + '_>> {
        if !request.headers().contains_key("payment-signature") {
            return self.0.send(request);
        }
        let kind = http::HeaderValue::from_static("text/event-stream");
        let headers = http::HeaderMap::from_iter([(http::header::CONTENT_TYPE, kind)]);
        let reply = x402_client::transport::TransportReply::new(http::StatusCode::OK, headers, self.1.clone());
        Box::pin(async move { Ok(reply) })
    }
}

#[tokio::test]
async fn what_a_stream_cost_is_in_its_receipt_at_its_end() {
    use crate::streaming::{self as g, ChatBody, PINS};
    let body = ChatBody::new("x".into());
    let sells = |end: &str| {
        let wallet = x402_client::Wallet::from_local_key(alloy_signer_local::PrivateKeySigner::random());
        let seller = Seller(1_000, [PINS[0].scheme, PINS[0].network, PINS[0].asset, PINS[0].pay_to]);
        let sells = Sells(seller, format!("data: {{\"text\":\"a\"}}\n\n{end}"));
        g::Client::with(x402_client::Client::builder().wallet(wallet).budget(budget()).transport(sells).build().unwrap())
    };
    let report = serde_json::json!({ "success": true, "transaction": format!("0x{}", "ab".repeat(32)), "network": PINS[0].network });
    let report = x402_model::wire::headers::encode(&report).unwrap();
    let client = sells(&format!("event: x402-payment-response\ndata: {report}\n\n"));
    let mut events = client.chat(&body).stream().await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap().text, "a");
    assert!(!events.receipt().unwrap().is_settled());
    assert_eq!(client.inner().open_payments().len(), 1);
    assert!(events.next().await.is_none());
    assert!(events.receipt().unwrap().is_settled());
    assert!(client.inner().open_payments().is_empty());
    let problem = "event: x402-problem\ndata: {\"code\":\"rate_limited\",\"charged\":false}\n\n";
    let mut events = sells(problem).chat(&body).stream().await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap().text, "a");
    let error = events.next().await.unwrap().unwrap_err();
    assert!(matches!(error, g::Error::RateLimited(_)), "{error}");
    assert_eq!(error.charged(), x402_client::Charged::No);
    assert!(error.receipt().is_some() && error.pending().is_some());
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn an_event_that_never_ends_is_given_up() {
    let mebibyte = "x".repeat(1024 * 1024);
    for part in [mebibyte.clone(), format!("data: {mebibyte}\n"), "data\n".repeat(1024 * 1024)] {
        let (client, sender) = chat();
        for _ in 0..20 {
            sender.send(part.clone().into()).unwrap();
        }
        let body = crate::streaming::ChatBody::new("x".into());
        let mut events = client.chat(&body).stream().await.unwrap();
        assert_eq!(events.next().await.unwrap().unwrap_err().code(), "unexpected_answer");
        assert!(events.next().await.is_none());
    }
}

#[test]
fn blocking_calls_wait() {
    use crate::{example, pagination, streaming};
    let builder = || x402_client::Client::builder().wallet(wallet()).budget(budget());
    let client = builder().transport(example::Mock::default()).build().unwrap();
    let client = example::blocking::Client::with(client).unwrap();
    let request = example::GetWeatherRequest::new("lisbon".into());
    let call = client.get_weather(&request).max_cost("0.001 USD");
    assert!(matches!(call.quote().unwrap(), example::Quote::Exact(_)));
    assert_eq!(call.send().unwrap().value.sky.as_str(), "clear");
    assert!(matches!(client.get_weather(&request).dry_run().unwrap(), x402_client::Asked::Answered(_)));
    let client = builder().transport(pagination::Mock::default()).build().unwrap();
    let client = pagination::blocking::Client::with(client).unwrap();
    let pages: Result<Vec<_>, _> = client.list_pages(pagination::ListRequest::new(), "0.002 USD").unwrap().collect();
    assert_eq!(pages.unwrap().len(), 1);
    let (inner, sender) = chat();
    let client = streaming::blocking::Client::with(inner.inner().clone()).unwrap();
    let body = streaming::ChatBody::new("x".into());
    let mut events = client.chat(&body).stream().unwrap();
    for text in ["a", "b"] {
        sender.send(format!("data: {{\"text\":\"{text}\"}}\n\n").into()).unwrap();
        assert_eq!(events.next().unwrap().unwrap().text, text);
    }
    drop(sender);
    assert!(events.next().is_none());
    assert!(events.receipt().is_none());
}

#[test]
fn a_call_without_a_method_is_made_and_never_paid() {
    use crate::openapi_shapes::{Error, blocking::Client};
    let recorder = Recorder::new(200, "[7]");
    let client = Client::with(recorder.client().inner().clone()).unwrap();
    let raw = client.raw("POST", "/new?y=2").body("application/json", "{}").header("x-a", "b").send().unwrap();
    assert_eq!(raw.value.json::<Vec<u8>>().unwrap(), [7]);
    assert_eq!(recorder.last("content-type"), three("POST https://shapes.example/v1/new?y=2", "application/json", "{}"));
    assert!(matches!(client.raw("GET", "x").send(), Err(Error::Argument("path"))));
    let gone = Recorder::new(404, r#"{"code":"gone"}"#);
    let error = Client::with(gone.client().inner().clone()).unwrap().raw("GET", "/old").send().unwrap_err();
    assert_eq!((error.code(), error.problem().unwrap().status), ("gone", 404));
    let pin = &crate::example::PINS[0];
    let seller = Seller(1, [pin.scheme, pin.network, pin.asset, pin.pay_to]);
    let builder = x402_client::Client::builder().wallet(wallet()).budget(budget());
    let client = Client::with(builder.transport(seller).build().unwrap()).unwrap();
    let error = client.raw("GET", "/dear").max_cost("1 USD").send().unwrap_err();
    assert!(matches!(error, Error::PriceAboveContract { endpoint: "raw", most: "0" }), "{error}");
    assert_eq!(client.inner().budget().spent(), "0");
}

#[tokio::test]
async fn blocking_calls_are_refused_inside_of_a_runtime() {
    use crate::{example, pagination};
    let says = x402_client::Client::builder().wallet(wallet()).budget(budget()).transport(example::Mock::default()).build().unwrap();
    let client = example::blocking::Client::with(says.clone()).unwrap();
    let request = example::GetWeatherRequest::new("lisbon".into());
    let error = client.get_weather(&request).send().unwrap_err();
    assert_eq!((error.code(), error.charged(), error.action()), ("inside_runtime", x402_client::Charged::No, "fix-request"));
    let pages = pagination::blocking::Client::with(says).unwrap();
    let mut pages = pages.list_pages(pagination::ListRequest::new(), "1 USD").unwrap();
    assert!(matches!(pages.next(), Some(Err(pagination::Error::InsideRuntime))));
    assert!(pages.next().is_none(), "a loop ends");
    drop(client);
}

#[test]
fn values_survive_json() {
    fn same<T: serde::Serialize + serde::de::DeserializeOwned>(text: &str) {
        let value: T = serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let again = serde_json::to_value(&value).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(text).unwrap());
    }
    same::<crate::optional_nullable::Record>(r#"{"a":"x","c":null,"e":{"x":[1,null]},"i":null,"j":null,"d":null}"#);
    same::<crate::optional_nullable::Record>(r#"{"a":"x","c":"y","e":null,"f":null,"i":null,"j":{"z":1},"g":"g"}"#);
    same::<crate::unions::Shape>(r#"{"kind":"circle","radius":1.5}"#);
    same::<crate::unions::Shape>(r#"{"kind":"hexagon","sides":[6]}"#);
    same::<crate::unions::Result2>(r#"{"id":7,"shape":[{"kind":"none"},{"kind":"new"}],"level":"middle","pet":{"petType":"c","lives":9}}"#);
    same::<crate::unions::Result2>(r#"{"id":"7","shape":{"kind":"square","side":2.5,"label":3},"level":"low"}"#);
    same::<crate::recursion::Json2>(r#"{"a":[1.5,"x",true,null,{"b":[]}]}"#);
    same::<crate::recursion::Tree>(r#"{"value":1,"children":[],"left":{"value":2,"children":[{"value":3,"children":[]}]},"right":null}"#);
    same::<crate::recursion::Nested>("[[],[[]]]");
    same::<crate::maps::Bag>(r#"{"name":"n","x":"y","nested":{"a":{"b":[{"n":1,"more":true}]}}}"#);
    same::<crate::collisions::Item2>(r#"{"a":1,"A":2,"a_":3,"a-":4,"a1":5,"1a":6}"#);
    same::<crate::numbers::Numbers>(r#"{"any":-1,"half":0.5,"huge":18446744073709551615,"list":[[1.5]]}"#);
}

#[test]
fn an_object_has_its_members_once_and_has_those_that_it_must_have() {
    use crate::optional_nullable::Record;
    let refused = |text: &str| serde_json::from_str::<Record>(text).unwrap_err().to_string();
    assert!(refused(r#"{"c":null,"e":null,"i":null,"j":null}"#).contains("missing field `a`"));
    assert!(refused(r#"{"a":"x","a":"y","c":null,"e":null,"i":null,"j":null}"#).contains("duplicate field `a`"));
    assert!(refused("[1]").contains("an object"));
    // A member that may be null may be left out by a careless service.
    let record: Record = serde_json::from_str(r#"{"a":"x","i":null,"j":null,"new":[{"deep":1}]}"#).unwrap();
    assert_eq!((record.a.as_str(), record.c), ("x", None));
}

/// Keeps what is sent, and answers with a status and a body.
#[derive(Clone)]
struct Recorder(std::sync::Arc<std::sync::Mutex<Vec<http::Request<bytes::Bytes>>>>, u16, &'static str);

type Reply = Result<x402_client::transport::TransportReply, x402_client::transport::TransportError>;

impl x402_client::transport::Transport for Recorder {
    fn send(&self, request: http::Request<bytes::Bytes>) -> std::pin::Pin<Box<dyn Future<Output = Reply> + Send + '_>> {
        self.0.lock().unwrap().push(request);
        let status = http::StatusCode::from_u16(self.1).unwrap();
        let reply = x402_client::transport::TransportReply::new(status, http::HeaderMap::new(), self.2.as_bytes().to_vec());
        Box::pin(async move { Ok(reply) })
    }
}

impl Recorder {
    fn new(status: u16, body: &'static str) -> Self {
        Self(std::sync::Arc::default(), status, body)
    }

    fn client(&self) -> crate::openapi_shapes::Client {
        let builder = x402_client::Client::builder().wallet(wallet()).budget(budget());
        crate::openapi_shapes::Client::with(builder.transport(self.clone()).build().unwrap())
    }

    /// The last request: method and address, one header, the body.
    fn last(&self, header: &str) -> (String, String, String) {
        let request = self.0.lock().unwrap().pop().unwrap();
        let line = format!("{} {}", request.method(), request.uri());
        let header = request.headers().get(header).map(|value| value.to_str().unwrap().to_owned());
        (line, header.unwrap_or_default(), String::from_utf8(request.body().to_vec()).unwrap())
    }
}

fn three(line: &str, header: &str, body: &str) -> (String, String, String) {
    (line.to_owned(), header.to_owned(), body.to_owned())
}

#[tokio::test]
async fn requests_have_the_shapes_that_the_document_says() {
    use crate::openapi_shapes::{self as g, ChargeBody, ChargeBodyCard, CompareAnswer, CompareRequest, FindPage, Parts, PatchFilesRequest, Range};
    let recorder = Recorder::new(200, r#"{"id":1}"#);
    let client = recorder.client();
    let kind = "content-type";
    let job = client.cancel_job(&g::CancelJobRequest::new(7)).header("authorization", "Bearer x").send().await.unwrap();
    assert_eq!((job.value.unwrap().id, job.receipt), (1, None));
    assert_eq!(recorder.last("authorization"), three("POST https://shapes.example/v1/jobs/7:cancel", "Bearer x", ""));
    let compared = client.compare(&CompareRequest::new("a/b".into(), "c".into())).send().await.unwrap();
    assert!(matches!(compared.value, CompareAnswer::Job(_)));
    assert_eq!(recorder.last(kind).0, "GET https://shapes.example/v1/compare/a%2Fb...c?beta=true");
    let dots = client.compare(&CompareRequest::new("..".into(), "c".into())).send().await.unwrap_err();
    assert_eq!(dots.code(), "invalid_argument");

    let mut find = g::FindRequest::new(vec!["x".into(), "y".into()]);
    find.ids = Some(vec![1, 2]);
    find.short = Some(vec!["a".into(), "b".into()]);
    find.piped = Some(vec!["c".into(), "d".into()]);
    find.range = Some(Range { gt: Some(3), in_: Some(vec!["p".into(), "q".into()]) });
    find.page = Some(FindPage { offset: Some(4), limit: None });
    find.filter = Some(Range { gt: Some(5), in_: None });
    find.x_trace = Some(vec!["t".into(), "u".into()]);
    let wanted = "GET https://shapes.example/v1/find/x%2Cy?filter=%7B%22gt%22%3A5%7D&ids=1&ids=2&offset=4&piped=c%7Cd&range%5Bgt%5D=3\
                  &range%5Bin%5D=p&range%5Bin%5D=q&short=a%2Cb";
    let wrong = client.find(&find).send().await.unwrap_err();
    assert_eq!(wrong.code(), "unexpected_answer", "an object is no list");
    assert_eq!(recorder.last("x-trace"), three(wanted, "t,u", ""));

    let mut charge = ChargeBody::new(5);
    charge.expand = Some(vec!["a b".into(), "c".into()]);
    charge.card = Some(ChargeBodyCard { name: Some("n&m".into()) });
    client.charge(&charge).send().await.unwrap();
    let body = "amount=5&card%5Bname%5D=n%26m&expand=a%20b&expand=c";
    assert_eq!(recorder.last(kind), three("POST https://shapes.example/v1/charges", "application/x-www-form-urlencoded", body));

    let parts = Parts::new().text("purpose", "x402-part-0").file("file", "a\"b.txt", "text/plain", b"hello".to_vec());
    client.upload(&parts).send().await.unwrap();
    let body = "--x402-part-1\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nx402-part-0\r\n\
                --x402-part-1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
                --x402-part-1--\r\n";
    let media_type = "multipart/form-data; boundary=x402-part-1";
    assert_eq!(recorder.last(kind), three("POST https://shapes.example/v1/files", media_type, body));

    let mut patch = PatchFilesRequest::new();
    patch.body = Some(Range { gt: Some(1), in_: None });
    client.patch_files(&patch).send().await.unwrap();
    assert_eq!(recorder.last(kind).1, "application/merge-patch+json");

    let raw = client.raw("OPTIONS", "/files?x=1").header("x-a", "b").body("text/plain", "hi").send().await.unwrap();
    assert_eq!((raw.value.text().unwrap(), raw.receipt), (r#"{"id":1}"#, None));
    assert_eq!(recorder.last("x-a"), three("OPTIONS https://shapes.example/v1/files?x=1", "b", "hi"));
    for (method, path) in [("GET", ".evil.example/"), ("GET", ""), ("G T", "/"), ("", "/")] {
        let wrong = client.raw(method, path).body("text/plain", "hi").send().await.unwrap_err();
        assert_eq!((wrong.code(), wrong.action()), ("invalid_argument", "fix-request"), "{method} {path}");
    }

    let empty = Recorder::new(204, "");
    let nothing = empty.client().cancel_job(&g::CancelJobRequest::new(7)).send().await.unwrap();
    assert_eq!(nothing.value, None);
}
