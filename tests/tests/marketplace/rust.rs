//! The Rust client.

use marketplace_client::{
    Call, Client, CompletionRequest, Error, Paid, Quality, Quote, SummaryRequest, WeatherRequest,
};
use serde_json::{Value, json};
use x402_client::{Budget, ClientBuilder, JsonRpcReader, Wallet};
use x402_model::network::Network;
use x402_tests::accounts::{self, PAYER};

use crate::list::{self, Said};
use crate::stage::{Stage, dollars};

/// With a node it signs the permits for Permit2 that the seller pays for.
fn client(stage: &Stage, base: &str, total: &str) -> Client {
    let node = JsonRpcReader::new().endpoint(Network::BASE_SEPOLIA, stage.node());
    let builder = builder(total).chain(node.unwrap());
    Client::with(builder.build().unwrap()).at(base)
}

fn builder(total: &str) -> ClientBuilder<Wallet, Budget> {
    x402_client::Client::builder()
        .wallet(Wallet::from_local_key(accounts::signer(PAYER)))
        .budget(Budget::new(total, "0.60 USD").unwrap())
        .policy(marketplace_client::policy())
}

fn quoted<T>(call: &Call<'_, T>) -> list::Quote {
    let quote = call.quote().unwrap();
    let kind = match &quote {
        Quote::Exact(_) => "exact",
        Quote::UpTo(_) => "up-to",
        Quote::Within(_) => "within",
        Quote::Unknown => "unknown",
    };
    let most = quote.most().unwrap().amount;
    list::Quote {
        kind: kind.to_owned(),
        most: most.normalized().to_string(),
    }
}

/// Makes a call and notes what came of it.
async fn buy<T>(
    client: &Client,
    name: &str,
    call: Call<'_, T>,
    show: impl FnOnce(T) -> Value,
) -> Said {
    let quote = quoted(&call);
    let (value, receipt, refused) = match call.send().await {
        Ok(Paid { value, receipt }) => (show(value), receipt, None),
        Err(error) => (Value::Null, None, Some(refusal(&error))),
    };
    Said {
        call: name.to_owned(),
        quote: Some(quote),
        receipt: receipt.as_ref().map(shown),
        value,
        refused,
        spent: client.inner().budget().spent(),
    }
}

/// Reads a completion as it comes.
async fn streamed(client: &Client, prompt: &CompletionRequest) -> Said {
    let call = client.complete_streamed(prompt);
    let quote = quoted(&call);
    let mut events = call.stream().await.unwrap();
    let words = events.all().await.unwrap();
    Said {
        call: "complete_streamed".to_owned(),
        quote: Some(quote),
        receipt: events.receipt().map(shown),
        value: json!(words.iter().filter(|word| !word.text.is_empty()).count()),
        refused: None,
        spent: client.inner().budget().spent(),
    }
}

fn shown(receipt: &x402_client::Receipt) -> list::Receipt {
    list::Receipt {
        amount: dollars(receipt.amount.get()),
        charged: receipt.charged.map(|charged| dollars(charged.get())),
        settled: receipt.is_settled(),
        transaction: receipt.transaction.clone(),
    }
}

fn refusal(error: &Error) -> (String, Value) {
    let charged = match error.charged() {
        x402_client::Charged::No => json!(false),
        x402_client::Charged::Yes => json!(true),
        _ => json!("maybe"),
    };
    let code = match error {
        Error::Client(error) => match &**error {
            // What the seller calls so has a variant of its own.
            x402_client::Error::ApprovalRequired(_) => "permit2_allowance_required",
            error => error.code(),
        },
        error => error.code(),
    };
    (code.to_owned(), charged)
}

fn summary(text: &str, quality: Option<Quality>) -> SummaryRequest {
    let mut request = SummaryRequest::new(text.to_owned());
    request.sentences = Some(1);
    request.quality = quality;
    request
}

fn completion() -> CompletionRequest {
    let mut prompt = CompletionRequest::new("agents pay sellers".to_owned());
    prompt.max_words = Some(20);
    prompt
}

async fn main_calls(client: &Client) -> Vec<Said> {
    let oslo = WeatherRequest::new("oslo".to_owned());
    let long = "x".repeat(5_000) + ".";
    let short = "Agents pay.";
    let prompt = completion();
    let mut said = vec![
        buy(client, "weather", client.weather(&oslo), |it| {
            json!(it.city)
        })
        .await,
    ];
    for (name, text, quality) in [
        ("summarize_fast", short, Some(Quality::Fast)),
        ("summarize_long", &long, Some(Quality::Fast)),
        ("summarize_best", short, None),
    ] {
        let request = summary(text, quality);
        let call = client.summarize(&request);
        said.push(buy(client, name, call, |it| json!(it.sentences_read)).await);
    }
    let call = client.complete(&prompt);
    let used =
        |usage: marketplace_client::Usage| json!({"input": usage.input, "output": usage.output});
    said.push(buy(client, "complete", call, |it| used(it.usage)).await);
    said.push(streamed(client, &prompt).await);
    let figures = |it: marketplace_client::Report| json!({"readings": it.readings, "summaries": it.summaries});
    said.push(buy(client, "report", client.report(), figures).await);
    for name in ["quote", "quote_again"] {
        said.push(buy(client, name, client.quote(), Value::from).await);
    }
    for name in ["sample_1", "sample_2", "sample_3", "sample_paid"] {
        said.push(buy(client, name, client.sample().sign_in(), Value::from).await);
    }
    said
}

/// A route that costs nothing stands in no manifest; the client that pays calls it as well.
async fn health(client: &Client, base: &str) -> Said {
    let answer = client.inner().get(&format!("{base}/health")).send().await;
    let answer = answer.unwrap();
    assert!(answer.receipt().is_none());
    Said {
        call: "health".to_owned(),
        quote: None,
        receipt: None,
        value: answer.json::<Value>().unwrap()["status"].clone(),
        refused: None,
        spent: client.inner().budget().spent(),
    }
}

#[tokio::test]
async fn the_rust_client_buys_everything_once_at_its_price() {
    let stage = Stage::set().await;
    let first = client(&stage, &stage.market, "1 USD");
    let mut said = main_calls(&first).await;
    said.push(health(&first, &stage.market).await);

    let careful = client(&stage, &stage.market, "1 USD");
    let empty = summary(" ", Some(Quality::Fast));
    let none = |_| Value::Null;
    said.push(buy(&careful, "empty", careful.summarize(&empty), none).await);
    let bare = Client::with(builder("1 USD").build().unwrap()).at(&stage.market);
    let prompt = completion();
    let call = bare.complete(&prompt);
    said.push(buy(&bare, "without_approval", call, |_| Value::Null).await);
    let dear = client(&stage, &stage.dear, "1 USD");
    let oslo = WeatherRequest::new("oslo".to_owned());
    said.push(buy(&dear, "dear", dear.weather(&oslo), |_| Value::Null).await);
    let capped = careful.weather(&oslo).max_cost("0.009 USD");
    said.push(buy(&careful, "capped", capped, |_| Value::Null).await);
    let poor = client(&stage, &stage.market, "0.015 USD");
    let name = "weather_of_the_poor";
    said.push(buy(&poor, name, poor.weather(&oslo), |it| json!(it.city)).await);
    said.push(buy(&poor, "poor", poor.weather(&oslo), |_| Value::Null).await);
    stage.check(&said).await;
}
