//! One HTTP/1.1 connection to a provider, moved along by whoever waits for an answer on it.
//!
//! No task of its own stands behind a connection: a call costs no change of tasks, and a call that is given up takes its
//! connection with it.

use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::task::unconstrained;

use super::connect::Stream;

/// Most header lines of an answer.
const MAX_HEADERS: usize = 100;
/// Most bytes that are read ahead, so the longest head of an answer.
const MAX_HEAD: usize = 64 * 1024;
/// How much room an answer gets before its first byte is there, whatever length it announces.
const FIRST_ROOM: usize = 16 * 1024;

/// A request to a provider.
pub(super) type Sent = Request<Full<Bytes>>;

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why there is no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// Nobody there, or not who they should be.
    NoConnection,
    /// No connection within the time for it.
    Late,
    /// No head of an answer.
    BeforeAnswer,
    /// A head, and not all of the body.
    WithinAnswer,
    /// An answer beyond the cap.
    TooLong,
}

/// How an exchange ended without an answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// Not one byte of the request was written: here it is again.
    NotSent(Box<Sent>),
    /// Nobody knows what the provider has seen.
    Broken(Broken),
}

/// An open connection on which nothing is under way.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: http1::Connection<Stream, Full<Bytes>>,
}

impl Connection {
    pub(super) async fn over(stream: Stream) -> Result<Box<Self>, Broken> {
        let (sender, driver) = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD)
            .handshake(stream)
            .await
            .map_err(|_| Broken::NoConnection)?;
        Ok(Box::new(Self { sender, driver }))
    }

    /// Whether the next request can go out on it: it is open, its last answer is over, and not a byte has come after that
    /// answer. Bytes nobody asked for would be taken for the answer to the next request.
    pub(super) fn is_at_rest(&mut self) -> bool {
        // Nobody waits for it now, so nobody is to be woken, and no task is to be kept in memory by a connection.
        let open = Pin::new(&mut self.driver).poll(&mut nobody()).is_pending();
        open && self.sender.is_ready()
    }

    /// Sends a request and reads its answer to the end. The connection comes back if it can be used once more.
    ///
    /// # Errors
    /// When there is no whole answer of at most `cap` bytes.
    pub(super) async fn exchange(
        self: Box<Self>,
        request: Box<Sent>,
        cap: usize,
    ) -> Result<(Answer, Option<Box<Self>>), Failed> {
        let mut open = Some(self);
        let response = head(&mut open, request).await?;
        let (head, incoming) = response.into_parts();
        let body = read(&mut open, incoming, cap)
            .await
            .map_err(Failed::Broken)?;
        let answer = Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        };
        // Dropped here unless the provider keeps it open and has said no more than it was asked for.
        let kept = open.and_then(|mut open| open.is_at_rest().then_some(open));
        Ok((answer, kept))
    }
}

/// Moves a connection along, and drops it when it has ended. Everything that came on it has been handed over by then.
fn advance(open: &mut Option<Box<Connection>>, cx: &mut Context<'_>) {
    if let Some(connection) = open
        && Pin::new(&mut connection.driver).poll(cx).is_ready()
    {
        *open = None;
    }
}

/// Sends a request and waits for the head of its answer.
async fn head(
    open: &mut Option<Box<Connection>>,
    request: Box<Sent>,
) -> Result<Response<Incoming>, Failed> {
    let Some(connection) = open else {
        return Err(Failed::NotSent(request));
    };
    // Only moving the connection along makes this ready, which happens right here: it needs no waker, nor a task's share of
    // turns, for whose end it would have to be woken.
    let mut answer = pin!(unconstrained(connection.sender.try_send_request(*request)));
    poll_fn(|cx| {
        until_handed(open, cx, |is_open| {
            match answer.as_mut().poll(&mut nobody()) {
                Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
                Poll::Ready(Err(mut error)) => Poll::Ready(Err(error
                    .take_message()
                    .map_or(Failed::Broken(Broken::BeforeAnswer), |request| {
                        Failed::NotSent(Box::new(request))
                    }))),
                Poll::Pending if is_open => Poll::Pending,
                Poll::Pending => Poll::Ready(Err(Failed::Broken(Broken::BeforeAnswer))),
            }
        })
    })
    .await
}

/// Reads a body of at most `cap` bytes to its end.
async fn read(
    open: &mut Option<Box<Connection>>,
    mut incoming: Incoming,
    cap: usize,
) -> Result<Vec<u8>, Broken> {
    let announced = incoming.size_hint().exact().map(usize::try_from);
    let room = match announced {
        Some(Ok(length)) if length <= cap => length,
        Some(_) => return Err(Broken::TooLong),
        None => 0,
    };
    let mut body = Vec::with_capacity(room.min(FIRST_ROOM));
    while let Some(frame) = poll_fn(|cx| next(open, &mut incoming, cx)).await {
        let Ok(chunk) = frame?.into_data() else {
            continue;
        };
        if body.len().saturating_add(chunk.len()) > cap {
            return Err(Broken::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    if announced.is_some() && body.len() != room {
        return Err(Broken::WithinAnswer);
    }
    Ok(body)
}

/// The next part of a body: what has come, or what comes when the connection moves along.
fn next(
    open: &mut Option<Box<Connection>>,
    incoming: &mut Incoming,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
    let mut come = |is_open| match Pin::new(&mut *incoming).poll_frame(&mut nobody()) {
        Poll::Pending if is_open => Poll::Pending,
        Poll::Pending => Poll::Ready(Some(Err(Broken::WithinAnswer))),
        Poll::Ready(frame) => {
            Poll::Ready(frame.map(|frame| frame.map_err(|_| Broken::WithinAnswer)))
        }
    };
    match come(true) {
        Poll::Pending => until_handed(open, cx, come),
        ready => ready,
    }
}

/// Moves a connection along until it has handed over what is waited for, or there is nothing to do but wait.
///
/// Its parts wake each other's waiters when they hand something over. The first time they get nobody to wake: the one who
/// waits is here, and would be woken for what it has already.
fn until_handed<T>(
    open: &mut Option<Box<Connection>>,
    cx: &mut Context<'_>,
    mut handed: impl FnMut(bool) -> Poll<T>,
) -> Poll<T> {
    advance(open, &mut nobody());
    if let Poll::Ready(ready) = handed(open.is_some()) {
        return Poll::Ready(ready);
    }
    advance(open, cx);
    handed(open.is_some())
}

/// Who waits for what happens only while it is looked at.
const fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
