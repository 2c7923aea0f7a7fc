//! Waiting for calls in programs without an async runtime.

use std::fmt;
use std::future::Future;

use tokio::runtime::{Builder, Handle};

use crate::client::SetupError;

/// A small runtime that runs on the thread that waits: no thread of its own, and nothing happens while nobody waits.
///
/// ```no_run
/// use x402_client::blocking::Runtime;
/// # fn buy(client: &x402_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::new()?;
/// let answer = runtime.wait(client.get("https://api.example.com/weather/zurich").send())??;
/// println!("{}", answer.status());
/// # Ok(()) }
/// ```
///
/// It may be shared by threads that wait at once, and dropped anywhere.
pub struct Runtime {
    /// Taken by `drop` only.
    inner: Option<tokio::runtime::Runtime>,
}

/// Waiting here would block a thread that an async runtime needs. Nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a blocking call inside of an async runtime: use the async one there")]
pub struct InsideRuntime;

impl Runtime {
    /// A runtime.
    ///
    /// # Errors
    /// [`SetupError::NoRuntime`] if the operating system has no room for one.
    pub fn new() -> Result<Self, SetupError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime
            .map(|runtime| Self {
                inner: Some(runtime),
            })
            .map_err(|error| SetupError::NoRuntime(error.kind()))
    }

    /// Waits until `future` is done.
    ///
    /// # Errors
    /// [`InsideRuntime`] on every thread of an async runtime, those for blocking work included: never a panic, never a deadlock.
    pub fn wait<F: Future>(&self, future: F) -> Result<F::Output, InsideRuntime> {
        let (Some(runtime), Err(_)) = (&self.inner, Handle::try_current()) else {
            return Err(InsideRuntime);
        };
        Ok(runtime.block_on(future))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.inner.take() {
            // Waiting for its end would panic inside of another runtime.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Barrier};
    use std::time::Duration;

    use super::*;

    #[test]
    fn threads_wait_at_once() {
        let runtime = Arc::new(Runtime::new().unwrap());
        let together = Arc::new(Barrier::new(2));
        let threads: Vec<_> = (0..2)
            .map(|number| {
                let (runtime, together) = (Arc::clone(&runtime), Arc::clone(&together));
                std::thread::spawn(move || {
                    together.wait();
                    runtime.wait(async move {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        number
                    })
                })
            })
            .collect();
        for (number, thread) in threads.into_iter().enumerate() {
            assert_eq!(thread.join().unwrap(), Ok(number));
        }
    }

    #[tokio::test]
    async fn nothing_waits_inside_of_a_runtime() {
        let runtime = Arc::new(Runtime::new().unwrap());
        assert_eq!(runtime.wait(async { 1 }), Err(InsideRuntime));
        let inner = Arc::clone(&runtime);
        let blocking = tokio::task::spawn_blocking(move || inner.wait(async { 1 }));
        assert_eq!(blocking.await.unwrap(), Err(InsideRuntime));
        drop(runtime);
    }

    #[cfg(feature = "reqwest")]
    #[test]
    fn a_connection_that_was_closed_meanwhile_is_not_used() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (closed, is_closed) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4_096];
                assert!(stream.read(&mut request).unwrap() > 0);
                stream
                    .write_all(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\nhi")
                    .unwrap();
                drop(stream);
                closed.send(()).unwrap();
            }
        });
        let wallet = crate::Wallet::view_only([1; 20].into());
        let client = crate::Client::new(wallet, crate::Budget::new("1 USD", "1 USD").unwrap());
        let runtime = Runtime::new().unwrap();
        for _ in 0..20 {
            let answer = runtime.wait(client.get(&url).send()).unwrap().unwrap();
            assert_eq!(answer.text(), Ok("hi"));
            is_closed.recv().unwrap();
        }
    }
}
