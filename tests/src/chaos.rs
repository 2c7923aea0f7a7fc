//! A TCP proxy that cuts, resets or swallows what passes through it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What goes wrong. Byte counts start when the fault is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// New connections are closed at once.
    Refuse,
    /// Both sides are closed after so many bytes of requests.
    CutRequest(usize),
    /// The client's connection ends in order after so many bytes of answers: a truncated answer.
    CutAnswer(usize),
    /// The client's connection is reset after so many bytes of answers.
    ResetAnswer(usize),
    /// Requests pass, but after so many bytes nothing of the answers does: the client waits.
    HoldAnswer(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Answer,
}

/// What to do with a chunk.
enum Verdict {
    Pass,
    Swallow,
    End { pass: usize, reset: bool },
}

#[derive(Debug)]
struct State {
    fault: Fault,
    passed: usize,
    connections: usize,
}

impl State {
    fn judge(&mut self, direction: Direction, length: usize) -> Verdict {
        let (limit, reset) = match (self.fault, direction) {
            (Fault::CutRequest(limit), Direction::Request)
            | (Fault::CutAnswer(limit), Direction::Answer) => (limit, false),
            (Fault::ResetAnswer(limit), Direction::Answer) => (limit, true),
            (Fault::HoldAnswer(limit), Direction::Answer) if self.passed >= limit => {
                return Verdict::Swallow;
            }
            (Fault::HoldAnswer(_), Direction::Answer) => {
                self.passed += length;
                return Verdict::Pass;
            }
            _ => return Verdict::Pass,
        };
        let left = limit.saturating_sub(self.passed);
        self.passed += length;
        if length < left {
            Verdict::Pass
        } else {
            Verdict::End {
                pass: left.min(length),
                reset,
            }
        }
    }
}

/// The running proxy. Dropping it closes the listener and all connections.
#[derive(Debug)]
pub struct Chaos {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Chaos {
    /// Starts a proxy in front of `upstream`.
    pub async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::new(Mutex::new(State {
            fault: Fault::None,
            passed: 0,
            connections: 0,
        }));
        let task = tokio::spawn(accept(listener, upstream, Arc::clone(&state)));
        Self {
            address,
            state,
            task,
        }
    }

    /// `http://host:port` of the proxy.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this goes wrong, on open connections too.
    pub fn set(&self, fault: Fault) {
        let mut state = self.state.lock().expect("the state");
        state.fault = fault;
        state.passed = 0;
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.lock().expect("the state").connections
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, state: Arc<Mutex<State>>) {
    let mut open = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let refused = {
            let mut state = state.lock().expect("the state");
            state.connections += 1;
            state.fault == Fault::Refuse
        };
        if !refused {
            open.spawn(relay(client, upstream, Arc::clone(&state)));
        }
        while open.try_join_next().is_some() {}
    }
}

async fn relay(client: TcpStream, upstream: SocketAddr, state: Arc<Mutex<State>>) {
    let Ok(server) = TcpStream::connect(upstream).await else {
        return;
    };
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    // Whichever side ends first ends the other: a half-closed HTTP connection is of no use here.
    tokio::select! {
        () = pump(client_in, server_out, Direction::Request, &state) => {}
        () = pump(server_in, client_out, Direction::Answer, &state) => {}
    }
}

/// Moves bytes one way until an end or a fault.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    state: &Mutex<State>,
) {
    let mut chunk = vec![0; 4096];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        let verdict = state.lock().expect("the state").judge(direction, length);
        match verdict {
            Verdict::Swallow => {}
            Verdict::Pass => {
                if to.write_all(&chunk[..length]).await.is_err() {
                    return;
                }
            }
            Verdict::End { pass, reset } => {
                let _ = to.write_all(&chunk[..pass]).await;
                if reset {
                    let _ = to.as_ref().set_zero_linger();
                }
                return;
            }
        }
    }
}
