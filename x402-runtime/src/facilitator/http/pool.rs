//! Connections to one provider that wait for the next call.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connect::Connect;
use super::connection::{Answer, Broken, Connection, Failed, Sent};

/// Most connections that wait. A call that finds none opens one; what is too much is closed after its answer.
const MAX_IDLE: usize = 128;
/// Longest time that a connection waits. Many servers and load balancers close theirs after a minute.
const MAX_REST: Duration = Duration::from_secs(55);

/// A connection, and since when it waits.
type Idle = (Instant, Box<Connection>);

/// Makes calls to one provider, each on a connection of its own, and keeps those connections.
pub(super) struct Pool {
    connect: Connect,
    /// The one that waits longest is in front.
    idle: Mutex<VecDeque<Idle>>,
}

impl Pool {
    pub(super) fn new(connect: Connect) -> Self {
        Self {
            connect,
            idle: Mutex::default(),
        }
    }

    /// Sends a request, once, and reads its answer to the end.
    ///
    /// A kept connection may turn out to be closed. The request goes out on a new one then only if nothing of it was written;
    /// whoever asks for money to be moved must not ask twice in doubt.
    ///
    /// # Errors
    /// When there is no whole answer of at most `cap` bytes.
    pub(super) async fn call(&self, mut request: Box<Sent>, cap: usize) -> Result<Answer, Broken> {
        if let Some(connection) = self.take() {
            match connection.exchange(request, cap).await {
                Ok((answer, kept)) => {
                    self.keep(kept);
                    return Ok(answer);
                }
                Err(Failed::NotSent(unsent)) => request = unsent,
                Err(Failed::Broken(broken)) => return Err(broken),
            }
        }
        // Boxed, because it is rare: a future is as large as the largest thing it may wait for.
        Box::pin(self.call_anew(request, cap)).await
    }

    async fn call_anew(&self, request: Box<Sent>, cap: usize) -> Result<Answer, Broken> {
        let connection = self.connect.open().await?;
        match connection.exchange(request, cap).await {
            Ok((answer, kept)) => {
                self.keep(kept);
                Ok(answer)
            }
            Err(Failed::NotSent(_)) => Err(Broken::BeforeAnswer),
            Err(Failed::Broken(broken)) => Err(broken),
        }
    }

    /// The connection that was used last, if it is still good: with few calls the others get old and close.
    fn take(&self) -> Option<Box<Connection>> {
        // Closed when the lock is free again.
        let old = self.too_old(Instant::now());
        drop(old);
        loop {
            let (_, mut connection) = self.idle().pop_back()?;
            if connection.is_at_rest() {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: Option<Box<Connection>>) {
        let Some(connection) = connection else {
            return;
        };
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE {
            idle.push_back((Instant::now(), connection));
        }
    }

    /// Takes out what has waited too long.
    fn too_old(&self, now: Instant) -> VecDeque<Idle> {
        let mut idle = self.idle();
        let old = |(since, _): &Idle| now.saturating_duration_since(*since) > MAX_REST;
        let count = idle.partition_point(old);
        if count == 0 {
            return VecDeque::new();
        }
        let young = idle.split_off(count);
        std::mem::replace(&mut *idle, young)
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
