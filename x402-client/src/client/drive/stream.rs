//! The end of an answer that was streamed: its last event says what became of the payment, because its headers left before that.

use http::header::{CONTENT_TYPE, HeaderValue};
use x402_model::wire::headers::{PAYMENT_RESPONSE, X_PAYMENT_RESPONSE};

use crate::seller::SellerProblem;
use crate::transport::{ReplyBody, TransportReply};

/// Name of the event whose data is the value that the `PAYMENT-RESPONSE` header has elsewhere.
const SETTLEMENT: &[u8] = b"x402-payment-response";

/// Name of the event whose data is the problem that stands in the body of a refusal elsewhere.
const PROBLEM: &[u8] = b"x402-problem";

/// The names of the events that are about the payment.
pub(super) const NAMES: &[&[u8]] = &[SETTLEMENT, PROBLEM];

/// What the last event says about the payment.
pub(super) enum End {
    /// The value that the `PAYMENT-RESPONSE` header has elsewhere.
    Settlement(HeaderValue),
    /// Why there is no more.
    Problem(SellerProblem),
}

/// Takes the last event off a whole stream of events, if it is about the payment. A settlement becomes the header that it stands
/// for; a problem is returned.
///
/// A stream that was cut has no last event, and one whose headers tell the settlement needs none.
pub(super) fn take_end(reply: &mut TransportReply, cap: usize) -> Option<SellerProblem> {
    let told = |name| reply.headers.contains_key(name);
    if !is_events(reply) || told(PAYMENT_RESPONSE) || told(X_PAYMENT_RESPONSE) {
        return None;
    }
    let ReplyBody::Whole(body) = &reply.body else {
        return None;
    };
    let (at, name, data) = last_event(body, cap)?;
    let end = read_end(name, data)?;
    reply.body = ReplyBody::Whole(body.slice(..at));
    match end {
        End::Settlement(value) => {
            reply.headers.insert(PAYMENT_RESPONSE, value);
            None
        }
        End::Problem(problem) => Some(problem),
    }
}

/// What an event says about the payment, if it does.
pub(super) fn read_end(name: &[u8], data: &[u8]) -> Option<End> {
    match name {
        SETTLEMENT => HeaderValue::from_bytes(data).ok().map(End::Settlement),
        PROBLEM => SellerProblem::parse(data).map(End::Problem),
        _ => None,
    }
}

/// Whether an answer is a stream of events.
pub(super) fn is_events(reply: &TransportReply) -> bool {
    let kind = reply.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    reply.status.is_success() && kind.eq_ignore_ascii_case("text/event-stream")
}

/// Where the last event begins, its name and its data, if it is one of a name and one line of data.
pub(super) fn last_event(body: &[u8], cap: usize) -> Option<(usize, &[u8], &[u8])> {
    let events = body.strip_suffix(b"\n\n")?;
    let from = events.len().saturating_sub(cap);
    let near = events.get(from..)?;
    let at = near
        .windows(2)
        .rposition(|two| two == b"\n\n")
        .map_or(from, |end| from.saturating_add(end).saturating_add(2));
    let event = events.get(at..)?.strip_prefix(b"event: ")?;
    let line = event.iter().position(|byte| *byte == b'\n')?;
    let data = event.get(line..)?.strip_prefix(b"\ndata: ")?;
    let whole = !data.contains(&b'\n');
    whole.then_some((at, event.get(..line)?, data))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::transport::CutReason;

    fn reply(body: &str) -> TransportReply {
        let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
        TransportReply::new(
            StatusCode::OK,
            headers,
            Bytes::copy_from_slice(body.as_bytes()),
        )
    }

    fn end(body: &str) -> (Option<String>, Option<String>, String) {
        let mut reply = reply(body);
        let problem = take_end(&mut reply, 4_096).map(|problem| problem.code().to_owned());
        let header = reply.headers.get(PAYMENT_RESPONSE);
        let header = header.map(|value| value.to_str().unwrap().to_owned());
        let rest = String::from_utf8(reply.body.bytes().to_vec()).unwrap();
        (header, problem, rest)
    }

    #[test]
    fn a_settlement_becomes_the_header_that_it_stands_for() {
        let events = "data: 1\n\nevent: x402-payment-response\ndata: e30=\n\n";
        assert_eq!(
            end(events),
            (Some("e30=".into()), None, "data: 1\n\n".into())
        );
        let alone = "event: x402-payment-response\ndata: e30=\n\n";
        assert_eq!(end(alone), (Some("e30=".into()), None, String::new()));
    }

    #[test]
    fn a_problem_is_taken_off_too() {
        let events = "data: 1\n\nevent: x402-problem\ndata: {\"code\":\"gone\"}\n\n";
        assert_eq!(
            end(events),
            (None, Some("gone".into()), "data: 1\n\n".into())
        );
    }

    #[test]
    fn anything_else_is_the_sellers_answer() {
        for events in [
            "",
            "\n\n",
            "data: 1\n\n",
            "event: x402-payment-response\ndata: e30=\n",
            "event: x402-payment-response\ndata: e30=\ndata: more\n\n",
            "event: x402-payment-response\ndata: e30=\n\ndata: after\n\n",
            "event: x402-problem\ndata: no json\n\n",
            "event: other\ndata: e30=\n\n",
        ] {
            assert_eq!(end(events), (None, None, events.to_owned()), "{events:?}");
        }
    }

    #[test]
    fn a_cut_stream_has_no_end_and_a_header_wins() {
        let text = "event: x402-payment-response\ndata: e30=\n\n";
        let mut cut = reply(text);
        cut.body = ReplyBody::Cut {
            partial: cut.body.bytes().clone(),
            reason: CutReason::Interrupted,
        };
        assert!(take_end(&mut cut, 4_096).is_none());
        assert!(!cut.headers.contains_key(PAYMENT_RESPONSE));
        let mut told = reply(text);
        told.headers
            .insert(PAYMENT_RESPONSE, HeaderValue::from_static("mine"));
        assert!(take_end(&mut told, 4_096).is_none());
        assert_eq!(told.headers[PAYMENT_RESPONSE], "mine");
        let mut long = reply(&format!(
            "event: x402-payment-response\ndata: {}\n\n",
            "x".repeat(5_000)
        ));
        assert!(take_end(&mut long, 4_096).is_none());
    }
}
