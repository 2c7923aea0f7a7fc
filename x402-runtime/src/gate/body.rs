//! Reads bodies within a size and a time.

use axum::body::Body;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use x402_model::problem::{Problem, ProblemCode};

use super::core::Core;

/// The whole body of a paid request.
pub(super) async fn read(core: &Core, body: Body) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let limits = &core.limits;
    let too_large = || {
        Problem::new(ProblemCode::BodyTooLarge)
            .limit(u64::try_from(limits.body_cap).unwrap_or(u64::MAX))
    };
    // A declared length needs no reading to be refused.
    if usize::try_from(body.size_hint().lower()).map_or(true, |length| length > limits.body_cap) {
        return Err(too_large());
    }
    let read = tokio::time::timeout(limits.body_timeout, collect(body, limits.body_cap));
    let result = tokio::select! {
        biased;
        () = core.closing.cancelled() => return Err(Problem::new(ProblemCode::ShuttingDown)),
        result = read => result,
    };
    match result {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(Unread::TooLarge)) => Err(too_large()),
        Ok(Err(Unread::Broken)) => Err(Problem::new(ProblemCode::BodyUnreadable)),
        Err(_) => Err(Problem::new(ProblemCode::BodyTimeout)),
    }
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    Broken,
}

/// All bytes of a body of at most `cap` bytes.
pub(super) async fn collect(body: Body, cap: usize) -> Result<Bytes, Unread> {
    match Limited::new(body, cap).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Err(_) => Err(Unread::Broken),
    }
}
