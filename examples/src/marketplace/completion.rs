//! A text generator that is paid by the word: what a model behind an API looks like to its seller.

use std::time::Duration;

use axum::{Json, http::StatusCode};
use futures_util::{Stream, StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x402_runtime::{Events, Meter, paid};

/// Most words of one completion.
const MOST_WORDS: usize = 400;

/// How long this generator thinks about a word.
const PER_WORD: Duration = Duration::from_millis(5);

/// What to go on from.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct CompletionRequest {
    /// The beginning.
    pub prompt: String,
    /// How many words to add at most; 64 if absent.
    #[serde(default = "sixty_four")]
    pub max_words: usize,
}

fn sixty_four() -> usize {
    64
}

/// A completion and what it used.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Completion {
    /// The words that go on.
    pub text: String,
    /// What is charged for.
    pub usage: Usage,
}

/// What a completion used.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Usage {
    /// Words read.
    pub input: u64,
    /// Words written.
    pub output: u64,
}

/// A word of a completion.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Word {
    /// The word, without spaces.
    pub text: String,
}

/// What is wrong with a request for a completion.
type Refusal = (StatusCode, &'static str);

/// Go on from a text, paid by the word.
///
/// The words written are charged, and a tenth of that for the words read: you sign for the most that it can be. Credit bought in
/// advance is taken as well.
#[paid(
    POST "/complete",
    price = upto(
        "0.05 USDC",
        base = "0.0005 USDC",
        units(
            input = unit("0.01 USDC", per = 1_000, estimate = chars(body.prompt)),
            output = unit("0.1 USDC", per = 1_000, estimate = body.max_words or 64),
        ),
    ),
    probe = r#"{"body": {"prompt": "Agents pay sellers.", "max_words": 8}}"#,
    plans = [prepaid("1 USDC", credit = "1.1 USDC", expires = "180d")],
    tags = ["text"],
)]
pub(super) async fn complete(
    meter: Meter,
    Json(request): Json<CompletionRequest>,
) -> Result<Json<Completion>, Refusal> {
    let text: Vec<String> = answer(&request, &meter)?.collect().await;
    let usage = Usage {
        input: meter.count("input").unwrap_or(0),
        output: meter.count("output").unwrap_or(0),
    };
    let text = text.join(" ");
    Ok(Json(Completion { text, usage }))
}

/// Go on from a text and send each word as it is made, paid by the word.
///
/// Server-sent events. Charged like a completion that comes as a whole: whoever hangs up pays for what came
/// until then.
#[paid(
    POST "/complete/stream",
    price = upto(
        "0.05 USDC",
        base = "0.0005 USDC",
        units(
            input = unit("0.01 USDC", per = 1_000, estimate = chars(body.prompt)),
            output = unit("0.1 USDC", per = 1_000, estimate = body.max_words or 64),
        ),
    ),
    probe = r#"{"body": {"prompt": "Agents pay sellers.", "max_words": 8}}"#,
    tags = ["text"],
)]
pub(super) async fn complete_streamed(
    meter: Meter,
    Json(request): Json<CompletionRequest>,
) -> Result<Events<Word>, Refusal> {
    let words = answer(&request, &meter)?;
    Ok(Events::new(words.map(|text| Word { text })))
}

/// The words of an answer; those read are counted at once.
fn answer(
    request: &CompletionRequest,
    meter: &Meter,
) -> Result<impl Stream<Item = String> + use<>, Refusal> {
    let read: Vec<String> = request
        .prompt
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let count = request.max_words;
    if read.is_empty() || count > MOST_WORDS {
        return Err((
            StatusCode::UNPROCESSABLE_ENTITY,
            "the prompt must have a word, and max_words be 400 at most",
        ));
    }
    meter.add("input", u64::try_from(read.len()).unwrap_or(u64::MAX));
    Ok(words(read, count, meter.clone()))
}

/// Words that go on from those read, each counted when it is made. Ends when the buyer has nothing left to pay with.
fn words(read: Vec<String>, count: usize, meter: Meter) -> impl Stream<Item = String> {
    stream::unfold(0_usize, move |made| {
        let (meter, word) = (meter.clone(), next(&read, made));
        async move {
            let word = word.filter(|_| made < count && !meter.is_spent())?;
            tokio::time::sleep(PER_WORD).await;
            meter.add("output", 1);
            Some((word, made + 1))
        }
    })
}

/// A stable choice among the words read: no poetry, but no two prompts say the same.
fn next(read: &[String], made: usize) -> Option<String> {
    let place = made.wrapping_mul(made).wrapping_add(made / 3) % read.len().max(1);
    read.get(place).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_what_is_counted() {
        let meter = Meter::of(["input", "output"]);
        let request = CompletionRequest {
            prompt: "agents pay sellers".to_owned(),
            max_words: 7,
        };
        let Json(answer) = complete(meter.clone(), Json(request)).await.unwrap();
        assert_eq!(answer.text.split(' ').count(), 7);
        assert_eq!(
            (meter.count("input"), meter.count("output")),
            (Some(3), Some(7))
        );
    }
}
