//! One exchange with the seller, within the call's deadline and body cap whatever the transport does.

use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select as race};
use http::Request;

use super::Drive;
use crate::transport::{
    BodyParts, CutReason, ReplyBody, ReplyLimits, Transport, TransportError, TransportErrorKind,
    TransportReply, collect,
};

/// Added to the transport's own deadline, so that it gets to report what had arrived.
const DEADLINE_GRACE: Duration = Duration::from_secs(1);

impl Drive<'_> {
    /// Sends a request. A success that is wanted as it comes has an empty body, and the true one is kept apart.
    pub(super) async fn exchange(
        &mut self,
        mut request: Request<Bytes>,
    ) -> Result<TransportReply, TransportError> {
        let limits = self.shared.settings.limits;
        request.extensions_mut().insert(limits);
        let is_live = self.is_live;
        self.live = Mutex::default();
        let transport = &*self.shared.io.transport;
        let send = pin!(async {
            if is_live {
                return open(transport, request, limits).await;
            }
            let reply = transport.send(request).await?;
            Ok((bounded(reply, limits.max_body), None))
        });
        let deadline = self
            .shared
            .io
            .timer
            .sleep(limits.timeout.saturating_add(DEADLINE_GRACE));
        match race(send, deadline).await {
            Either::Left((outcome, _)) => {
                let (reply, live) = outcome?;
                self.live = Mutex::new(live);
                Ok(reply)
            }
            Either::Right(_) => Err(TransportError::new(
                TransportErrorKind::Timeout,
                "no answer within the deadline",
            )),
        }
    }
}

/// Opens an answer. All but a success is read to its end, because it decides about what comes next.
async fn open(
    transport: &dyn Transport,
    request: Request<Bytes>,
    limits: ReplyLimits,
) -> Result<(TransportReply, Option<BodyParts>), TransportError> {
    let opened = transport.open(request).await?;
    let (body, live) = if opened.status.is_success() {
        (ReplyBody::Whole(Bytes::new()), Some(opened.parts))
    } else {
        (collect(opened.parts, limits.max_body).await, None)
    };
    let reply = TransportReply {
        status: opened.status,
        headers: opened.headers,
        body,
    };
    Ok((reply, live))
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
