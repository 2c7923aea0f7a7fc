//! A stream of events that is passed on as it comes, but for what may be its last event and about the payment.

use bytes::{Bytes, BytesMut};

use super::stream::{End, NAMES, last_event, read_end};

/// Holds back an event while it may be the last one and about the payment, and nothing else.
pub(super) struct Tail {
    held: BytesMut,
    cap: usize,
    /// Whether the held bytes belong to an event that is passed on.
    inside: bool,
    /// Whether the last byte that was passed on ended a line.
    after_line: bool,
}

/// What an event that begins here is.
enum Beginning {
    /// Not about the payment.
    Other,
    /// It may be about the payment, and has not ended.
    Open,
    /// About the payment, and it ends here.
    Ended(usize),
}

impl Tail {
    /// Holds back at most `cap` bytes.
    pub(super) fn new(cap: usize) -> Self {
        Self {
            held: BytesMut::new(),
            cap,
            inside: false,
            after_line: false,
        }
    }

    /// What can be passed on once this part has come.
    pub(super) fn feed(&mut self, part: &[u8]) -> Bytes {
        self.held.extend_from_slice(part);
        let mut passed = 0;
        while let Some(rest) = self.held.get(passed..).filter(|rest| !rest.is_empty()) {
            if !self.inside {
                match beginning(rest) {
                    Beginning::Open if rest.len() <= self.cap => break,
                    // It is only the last one if nothing follows.
                    Beginning::Ended(end) if end == rest.len() => break,
                    Beginning::Ended(end) => {
                        passed = passed.saturating_add(end);
                        continue;
                    }
                    Beginning::Open | Beginning::Other => self.inside = true,
                }
            }
            let end = if self.after_line && rest.starts_with(b"\n") {
                Some(1)
            } else {
                after_empty_line(rest)
            };
            self.inside = end.is_none();
            self.after_line = end.is_none() && rest.ends_with(b"\n");
            passed = passed.saturating_add(end.unwrap_or(rest.len()));
        }
        self.held.split_to(passed).freeze()
    }

    /// What is left when the stream has ended: bytes to pass on, or its end.
    pub(super) fn finish(&mut self) -> (Bytes, Option<End>) {
        let held = std::mem::take(&mut self.held).freeze();
        let end = last_event(&held, self.cap).filter(|(at, ..)| *at == 0 && !self.inside);
        match end.and_then(|(_, name, data)| read_end(name, data)) {
            Some(end) => (Bytes::new(), Some(end)),
            None => (held, None),
        }
    }
}

fn beginning(bytes: &[u8]) -> Beginning {
    for name in NAMES {
        let mut line = b"event: ".iter().chain(*name).chain(b"\n");
        if !bytes
            .iter()
            .all(|byte| line.next().is_none_or(|wanted| wanted == byte))
        {
            continue;
        }
        return after_empty_line(bytes).map_or(Beginning::Open, Beginning::Ended);
    }
    Beginning::Other
}

/// Where the first event ends.
fn after_empty_line(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(2).position(|two| two == b"\n\n")?;
    at.checked_add(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLED: &str = "event: x402-payment-response\ndata: e30=\n\n";

    /// What is passed on of a stream that comes in parts of this size, before its end and at its end, and its end.
    fn read(stream: &str, size: usize, cap: usize) -> (String, String, Option<End>) {
        let mut tail = Tail::new(cap);
        let mut passed = Vec::new();
        for part in stream.as_bytes().chunks(size) {
            passed.extend_from_slice(&tail.feed(part));
        }
        let (rest, end) = tail.finish();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(&passed), text(&rest), end)
    }

    #[test]
    fn all_is_passed_on_but_a_last_event_about_the_payment() {
        for size in [1, 2, 3, 7, 1_000] {
            let (passed, rest, end) =
                read(&format!("data: 1\n\nevent: x\n\n{SETTLED}"), size, 4_096);
            assert_eq!(
                (passed.as_str(), rest.as_str()),
                ("data: 1\n\nevent: x\n\n", "")
            );
            assert!(matches!(end, Some(End::Settlement(value)) if value == "e30="));
            let problem = "data: 1\n\nevent: x402-problem\ndata: {\"code\":\"gone\"}\n\n";
            let (passed, _, end) = read(problem, size, 4_096);
            assert_eq!(passed, "data: 1\n\n");
            assert!(matches!(end, Some(End::Problem(problem)) if problem.code() == "gone"));
        }
    }

    #[test]
    fn what_only_looks_like_an_end_is_passed_on_whole() {
        let after = format!("{SETTLED}data: after\n\n");
        for stream in [
            "",
            "\n\n",
            "data: 1\n\n",
            "data: 1\n\ndata: 2",
            "event: x402-payment-resp",
            "event: x402-payment-response\ndata: e30=\n",
            "event: x402-payment-response\ndata: e30=\ndata: more\n\n",
            "event: x402-problem\ndata: no json\n\n",
            "data: x\nevent: x402-payment-response\ndata: e30=\n\n",
            after.as_str(),
        ] {
            for size in [1, 2, 5, 1_000] {
                let (passed, rest, end) = read(stream, size, 4_096);
                assert_eq!(passed + &rest, stream, "in parts of {size}");
                assert!(end.is_none(), "{stream:?}");
            }
        }
    }

    #[test]
    fn no_more_than_the_cap_is_held_back() {
        let stream = format!("event: x402-problem\ndata: {}", "x".repeat(5_000));
        let mut tail = Tail::new(1_000);
        let mut passed = 0;
        for part in stream.as_bytes().chunks(100) {
            passed += tail.feed(part).len();
            assert!(tail.held.len() <= 1_000);
        }
        assert_eq!(passed, stream.len());
    }

    #[test]
    fn an_event_is_passed_on_before_it_has_ended() {
        let mut tail = Tail::new(4_096);
        assert_eq!(tail.feed(b"data: he"), "data: he");
        assert_eq!(tail.feed(b"llo\n"), "llo\n");
        assert_eq!(tail.feed(b"\nevent: x4"), "\n");
        assert_eq!(tail.feed(b"02-other\n"), "event: x402-other\n");
    }
}
