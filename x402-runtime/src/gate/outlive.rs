//! A future that is polled where it is awaited, and goes on in a task of its own when whoever awaits it goes away.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// What a panic carries.
pub(super) type Panic = Box<dyn Any + Send>;

/// Work that a connection carries as far as it can and cannot take along: dropped before its end, it is spawned.
///
/// Most payments end on the connection that brought them. Each waits several times, for the ledger and for the facilitator, and
/// in a task of its own each of these waits would wake another thread twice.
pub(super) struct Outliving<T: Send + 'static> {
    /// Boxed, because spawning moves a future a dozen times and this one is some kilobytes large. `None` once it has ended.
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    tasks: TaskTracker,
}

impl<T: Send + 'static> Outliving<T> {
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static, tasks: TaskTracker) -> Self {
        Self {
            work: Some(Box::pin(work)),
            tasks,
        }
    }
}

impl<T: Send + 'static> Future for Outliving<T> {
    /// The error is a panic of the work, which is then over.
    type Output = Result<T, Panic>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = self.work.as_mut() else {
            // Polled after its end, which no caller does: it stays over.
            return Poll::Pending;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(panic) => Err(panic),
        };
        self.work = None;
        Poll::Ready(ended)
    }
}

impl<T: Send + 'static> Drop for Outliving<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else {
            return;
        };
        // Without a runtime nothing goes on, tasks neither.
        if let Ok(runtime) = Handle::try_current() {
            self.tasks.spawn_on(work.in_current_span(), &runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::sync::Notify;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn what_ends_at_once_is_no_task() {
        let tasks = TaskTracker::new();
        let ended = Outliving::new(async { 7 }, tasks.clone()).await;
        assert_eq!(ended.ok(), Some(7));
        assert!(tasks.is_empty());
    }

    #[tokio::test]
    async fn what_is_dropped_while_it_waits_goes_on_and_is_tracked() {
        let tasks = TaskTracker::new();
        let (go, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let work = {
            let (go, done) = (Arc::clone(&go), Arc::clone(&done));
            async move {
                go.notified().await;
                done.notify_one();
            }
        };
        let mut waiting = Outliving::new(work, tasks.clone());
        assert!((&mut waiting).now_or_never().is_none());
        assert!(tasks.is_empty());
        drop(waiting);
        assert_eq!(tasks.len(), 1);
        go.notify_one();
        done.notified().await;
        tasks.close();
        timeout(Duration::from_secs(5), tasks.wait()).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_never_polled_runs_too() {
        let tasks = TaskTracker::new();
        let done = Arc::new(Notify::new());
        let work = {
            let done = Arc::clone(&done);
            async move { done.notify_one() }
        };
        drop(Outliving::new(work, tasks));
        timeout(Duration::from_secs(5), done.notified())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_the_end_and_no_task_is_left() {
        let tasks = TaskTracker::new();
        let work = async {
            tokio::task::yield_now().await;
            panic!("on purpose");
        };
        let ended: Result<(), Panic> = Outliving::new(work, tasks.clone()).await;
        assert!(ended.is_err());
        assert!(tasks.is_empty());
    }

    #[test]
    fn dropping_it_outside_a_runtime_does_not_panic() {
        drop(Outliving::new(async {}, TaskTracker::new()));
    }
}
