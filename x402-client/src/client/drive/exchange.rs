//! One exchange with the seller, within the call's deadline and body cap whatever the transport does.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select as race};
use http::Request;

use super::Drive;
use crate::transport::{CutReason, ReplyBody, TransportError, TransportErrorKind, TransportReply};

/// Added to the transport's own deadline, so that it gets to report what had arrived.
const DEADLINE_GRACE: Duration = Duration::from_secs(1);

impl Drive<'_> {
    pub(super) async fn exchange(
        &self,
        mut request: Request<Bytes>,
    ) -> Result<TransportReply, TransportError> {
        let limits = self.shared.settings.limits;
        request.extensions_mut().insert(limits);
        let send = self.shared.io.transport.send(request);
        let deadline = self
            .shared
            .io
            .timer
            .sleep(limits.timeout.saturating_add(DEADLINE_GRACE));
        match race(send, deadline).await {
            Either::Left((outcome, _)) => outcome.map(|reply| bounded(reply, limits.max_body)),
            Either::Right(_) => Err(TransportError::new(
                TransportErrorKind::Timeout,
                "no answer within the deadline",
            )),
        }
    }
}

/// Holds a transport to the body cap.
fn bounded(mut reply: TransportReply, max_body: usize) -> TransportReply {
    if reply.body.bytes().len() > max_body {
        let partial = reply.body.bytes().slice(..max_body);
        reply.body = ReplyBody::Cut {
            partial,
            reason: CutReason::TooLarge,
        };
    }
    reply
}
