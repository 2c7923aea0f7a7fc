//! An answer of server-sent events whose type says what each of them is.

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use serde::Serialize;

/// The media type of server-sent events.
pub(crate) const EVENTS: &str = "text/event-stream";

/// Any error of a stream's.
type BoxError = Box<dyn StdError + Send + Sync>;

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Server-sent events, each a `T` as JSON: the answer of a handler that tells its results as they come.
///
/// The manifest has the schema of `T`, so generated clients give their callers a stream of `T`. Where the price is metered, the
/// events leave while they are made, and the last one is the settlement; at any other price the answer is held until it is paid.
/// Events have no names and no ids of their own; for those, answer with axum's `Sse`, which tells nothing of its events.
///
/// ```
/// use futures_util::stream;
/// use schemars::JsonSchema;
/// use serde::Serialize;
/// use x402_runtime::{Events, Meter, paid};
///
/// /// A word of an answer.
/// #[derive(Serialize, JsonSchema)]
/// struct Word {
///     text: String,
/// }
///
/// /// Says it word by word.
/// #[paid(POST "/say", price = upto("0.05 USDC", units(words = "0.001 USDC")))]
/// async fn say(meter: Meter, text: String) -> Events<Word> {
///     let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
///     Events::new(stream::iter(words).map(move |text| {
///         meter.add("words", 1);
///         Word { text }
///     }))
/// }
/// # use futures_util::StreamExt as _;
/// ```
///
/// Format: [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html), one `data` line each.
#[must_use = "nothing is sent unless it is the answer"]
pub struct Events<T> {
    chunks: Chunks,
    each: PhantomData<fn() -> T>,
}

impl<T: Serialize + 'static> Events<T> {
    /// One event for each value.
    pub fn new(values: impl Stream<Item = T> + Send + 'static) -> Self {
        Self::fallible(values.map(Ok::<_, BoxError>))
    }

    /// One event for each value, until the first error: that breaks the answer off. A metered answer that breaks off costs nothing,
    /// and any other is told as the handler's failure, which costs nothing either.
    pub fn fallible<E: Into<BoxError>>(
        values: impl Stream<Item = Result<T, E>> + Send + 'static,
    ) -> Self {
        let chunks = values.map(|value| event(&value.map_err(Into::into)?));
        Self {
            chunks: Box::pin(chunks),
            each: PhantomData,
        }
    }
}

/// JSON text has no line breaks, so it is one line of data.
fn event<T: Serialize>(value: &T) -> Result<Bytes, BoxError> {
    let mut text = b"data: ".to_vec();
    serde_json::to_writer(&mut text, value)?;
    text.extend_from_slice(b"\n\n");
    Ok(Bytes::from(text))
}

impl<T> fmt::Debug for Events<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl<T> IntoResponse for Events<T> {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from_stream(self.chunks));
        let kind = HeaderValue::from_static(EVENTS);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}
