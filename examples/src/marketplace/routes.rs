//! The handlers: plain axum functions; the attribute above each is all that makes it paid.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x402_model::{
    money::Decimal,
    price::{Price, PriceUnit},
};
use x402_runtime::{
    handler::{QuoteRequest, QuoteResult},
    paid,
};

/// What this process has sold so far; the report is made of it.
#[derive(Debug, Default)]
pub struct Sales {
    readings: AtomicU64,
    summaries: AtomicU64,
    proverbs: AtomicU64,
}

/// A synthetic reading: stable for a city, not a forecast.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Weather {
    /// The city as asked.
    pub city: String,
    /// Temperature in degrees Celsius.
    pub celsius: i16,
}

/// Current weather for a city.
#[paid(GET "/weather/{city}", price = "0.01 USDC", tags = ["weather"])]
pub(super) async fn weather(
    State(sales): State<Arc<Sales>>,
    Path(city): Path<String>,
) -> Json<Weather> {
    sales.readings.fetch_add(1, Ordering::Relaxed);
    let mut hasher = DefaultHasher::new();
    city.to_lowercase().hash(&mut hasher);
    let celsius = i16::try_from(hasher.finish() % 36).unwrap_or(0) - 5;
    Json(Weather { city, celsius })
}

/// A text to shorten.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct SummaryRequest {
    /// The text, at most 64 KiB.
    pub text: String,
    /// How many sentences to keep; 3 if absent.
    #[serde(default = "three")]
    pub sentences: usize,
    /// How to choose them; `best` if absent.
    #[serde(default)]
    pub quality: Quality,
}

/// How sentences are chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Quality {
    /// The first ones.
    Fast,
    /// Those that say most.
    #[default]
    Best,
}

fn three() -> usize {
    3
}

/// The sentences that carry most of a text.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The kept sentences in their original order.
    pub summary: String,
    /// How many sentences the text had.
    pub sentences_read: usize,
}

/// Shorten a text to its most telling sentences.
///
/// `best` scores sentences by how often their words occur in the whole text, `fast` takes the first ones. Long texts cost more. An
/// empty text is refused and not charged.
#[paid(
    POST "/summarize",
    price = tiers(
        multiply,
        by = body.quality or "best", "fast" => "0.05 USDC", "best" => "0.50 USDC",
        by = bytes(body), ..=4_096 => "x1", ..=16_384 => "x2", ..=81_920 => "x4",
    ),
    probe = r#"{"body": {"quality": "fast", "text": "Agents pay. Sellers earn."}}"#,
    tags = ["text"],
)]
pub(super) async fn summarize(
    State(sales): State<Arc<Sales>>,
    Json(request): Json<SummaryRequest>,
) -> Result<Json<Summary>, (StatusCode, String)> {
    if request.text.trim().is_empty() || request.text.len() > 64 * 1024 {
        return Err((
            StatusCode::UNPROCESSABLE_ENTITY,
            "text must have 1 byte to 64 KiB".to_owned(),
        ));
    }
    let keep = request.sentences.clamp(1, 50);
    let answer = match request.quality {
        Quality::Fast => first(&request.text, keep),
        Quality::Best => shorten(&request.text, keep),
    };
    sales.summaries.fetch_add(1, Ordering::Relaxed);
    Ok(Json(answer))
}

fn sentences(text: &str) -> Vec<&str> {
    text.split_inclusive(['.', '!', '?'])
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .collect()
}

fn first(text: &str, keep: usize) -> Summary {
    let sentences = sentences(text);
    let kept: Vec<&str> = sentences.iter().take(keep).copied().collect();
    Summary {
        summary: kept.join(" "),
        sentences_read: sentences.len(),
    }
}

fn shorten(text: &str, keep: usize) -> Summary {
    let sentences = sentences(text);
    let mut counts: HashMap<String, u64> = HashMap::new();
    for word in words(text) {
        *counts.entry(word).or_default() += 1;
    }
    let score = |sentence: &str| -> u64 {
        let (sum, length) = words(sentence).fold((0, 0), |(sum, length), word| {
            (sum + counts.get(&word).copied().unwrap_or(0), length + 1)
        });
        // Per mille, so that long sentences do not win by length alone.
        sum * 1_000 / std::cmp::max(1, length)
    };
    let mut ranked: Vec<(u64, usize)> = sentences
        .iter()
        .enumerate()
        .map(|(index, sentence)| (score(sentence), index))
        .collect();
    ranked.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
    let mut kept: Vec<usize> = ranked
        .into_iter()
        .take(keep)
        .map(|(_, index)| index)
        .collect();
    kept.sort_unstable();
    let summary: Vec<&str> = kept
        .iter()
        .filter_map(|index| sentences.get(*index).copied())
        .collect();
    Summary {
        summary: summary.join(" "),
        sentences_read: sentences.len(),
    }
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 3)
        .map(str::to_lowercase)
}

const PROVERBS: [&str; 4] = [
    "Short reckonings make long friends.",
    "A penny saved is a penny earned.",
    "Fair exchange is no robbery.",
    "He who pays the piper calls the tune.",
];

/// One cent, and a tenth of one more for each that was sold before: what many want costs more.
pub(super) async fn by_demand(sales: Arc<Sales>, _request: QuoteRequest) -> QuoteResult {
    let sold = sales.proverbs.load(Ordering::Relaxed).min(90);
    Ok(Price {
        amount: Decimal::new(10 + u128::from(sold), 3),
        unit: PriceUnit::Symbol("USDC".into()),
    })
}

/// A proverb about money, at a price that rises with demand.
#[paid(
    GET "/quote",
    price = dynamic(by_demand, state = Arc<Sales>, min = "0.01 USDC", max = "0.10 USDC", factors = ["proverbs sold since the start"]),
    tags = ["text"],
)]
pub(super) async fn quote(State(sales): State<Arc<Sales>>) -> &'static str {
    let sold = sales.proverbs.fetch_add(1, Ordering::Relaxed);
    let place = usize::try_from(sold).unwrap_or_default() % PROVERBS.len();
    PROVERBS.get(place).copied().unwrap_or_default()
}

/// A sample of the proverbs, three times a day for whoever signs in.
#[paid(GET "/sample", price = "0.01 USDC", free = "3/day per payer", tags = ["text"])]
pub(super) async fn sample() -> &'static str {
    PROVERBS.first().copied().unwrap_or_default()
}

/// What this marketplace has sold since it started.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Report {
    /// Weather readings sold.
    pub readings: u64,
    /// Summaries sold.
    pub summaries: u64,
}

/// Sales figures of this marketplace since it started.
#[paid(GET "/report", price = "0.05 USD", tags = ["report"])]
pub(super) async fn report(State(sales): State<Arc<Sales>>) -> Json<Report> {
    Json(Report {
        readings: sales.readings.load(Ordering::Relaxed),
        summaries: sales.summaries.load(Ordering::Relaxed),
    })
}

/// Whether the server is up; free.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Health {
    /// Always `ok` when there is an answer.
    pub(super) status: &'static str,
}

/// Free: the router mounts it like any other handler.
pub(super) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn handlers_are_plain_functions() {
        let sales = Arc::new(Sales::default());
        let Json(reading) = weather(State(sales.clone()), Path("Zurich".to_owned())).await;
        let Json(again) = weather(State(sales.clone()), Path("zurich".to_owned())).await;
        assert_eq!(reading.celsius, again.celsius);
        let Json(report) = report(State(sales)).await;
        assert_eq!(report.readings, 2);
    }

    #[test]
    fn the_sentence_with_the_common_words_is_kept() {
        let text = "Agents pay for calls. The weather is nice. Agents sign payments for calls and agents keep receipts.";
        let short = shorten(text, 1);
        assert_eq!(short.sentences_read, 3);
        assert_ne!(short.summary, "The weather is nice.");
    }
}
