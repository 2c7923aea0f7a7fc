//! Hooks that do as they are told and remember what they were asked and told.

use std::sync::Mutex;

use axum::http::Method;
use tokio::sync::Semaphore;
use x402_runtime::facilitator::BoxFuture;
use x402_runtime::hooks::{
    Decision, Failure, HookError, PaidCall, Rejected, SellerHooks, Settlement, Stage,
};

/// What a hook does when it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Act {
    #[default]
    Yes,
    Refuse,
    Fail,
    /// Panics in its future.
    Panic,
    /// Panics before there is a future.
    PanicAtOnce,
    Hang,
    /// Goes on when the test says so.
    Wait,
}

/// What was asked of one call, without its borrows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub hook: &'static str,
    pub endpoint: String,
    pub method: Method,
    pub path: String,
    pub payer: String,
    pub network: String,
    pub asset: String,
    pub amount: String,
    pub pay_to: String,
    pub kind: String,
    pub id: String,
    pub debug: String,
}

#[derive(Default)]
pub struct Witness {
    pub before: Mutex<Act>,
    pub after: Mutex<Act>,
    pub told: Mutex<Act>,
    pub seen: Mutex<Vec<Seen>>,
    pub settlements: Mutex<Vec<Settlement>>,
    pub failures: Mutex<Vec<Failure>>,
    pub door: Gate,
}

/// A closed door.
pub struct Gate(pub Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Witness {
    pub fn says(&self, before: Act, after: Act) {
        *self.before.lock().unwrap() = before;
        *self.after.lock().unwrap() = after;
    }

    pub fn asked(&self) -> Vec<&'static str> {
        self.seen.lock().unwrap().iter().map(|s| s.hook).collect()
    }

    pub fn settled(&self) -> Vec<Settlement> {
        self.settlements.lock().unwrap().clone()
    }

    /// Stage, code and reason of every failure, in order.
    pub fn failed(&self) -> Vec<(Stage, &'static str, Option<String>)> {
        let failures = self.failures.lock().unwrap();
        let brief = |one: &Failure| (one.stage, one.code, one.reason.clone());
        failures.iter().map(brief).collect()
    }

    fn ask<'a>(
        &'a self,
        hook: &'static str,
        act: &Mutex<Act>,
        call: PaidCall<'a>,
    ) -> BoxFuture<'a, Decision> {
        self.seen.lock().unwrap().push(Seen {
            hook,
            endpoint: call.endpoint.to_owned(),
            method: call.method.clone(),
            path: call.path.to_owned(),
            payer: call.payer.to_string(),
            network: call.network.to_string(),
            asset: call.asset.symbol.to_string(),
            amount: call.amount.to_string(),
            pay_to: call.pay_to.to_string(),
            kind: format!("{:?}", call.kind),
            id: call.payment_id.to_string(),
            debug: format!("{call:?}"),
        });
        let act = *act.lock().unwrap();
        assert!(act != Act::PanicAtOnce, "CANARY at once");
        Box::pin(async move {
            match act {
                Act::Yes | Act::PanicAtOnce => Ok(()),
                Act::Refuse => Err(Rejected::new("Not for you!", "Ask \u{202e}the\r\n seller.")),
                Act::Fail => {
                    let _: u32 = "CANARY".parse().map_err(|_| std::fmt::Error)?;
                    Ok(())
                }
                Act::Panic => panic!("CANARY panic text"),
                Act::Hang => std::future::pending().await,
                Act::Wait => {
                    self.door.0.acquire().await.unwrap().forget();
                    Ok(())
                }
            }
        })
    }

    fn tell<'a>(&'a self, hear: impl FnOnce() + Send + 'a) -> BoxFuture<'a, Result<(), HookError>> {
        let act = *self.told.lock().unwrap();
        if act == Act::PanicAtOnce {
            hear();
            panic!("CANARY at once");
        }
        Box::pin(async move {
            if act == Act::Wait {
                self.door.0.acquire().await.unwrap().forget();
            }
            hear();
            match act {
                Act::Yes | Act::Wait | Act::PanicAtOnce => Ok(()),
                Act::Refuse | Act::Fail => Err("CANARY error text".into()),
                Act::Panic => panic!("CANARY panic text"),
                Act::Hang => std::future::pending().await,
            }
        })
    }
}

impl SellerHooks for Witness {
    fn before_verify<'a>(&'a self, call: PaidCall<'a>) -> BoxFuture<'a, Decision> {
        self.ask("before_verify", &self.before, call)
    }

    fn after_verify<'a>(&'a self, call: PaidCall<'a>) -> BoxFuture<'a, Decision> {
        self.ask("after_verify", &self.after, call)
    }

    fn on_settled<'a>(&'a self, told: &'a Settlement) -> BoxFuture<'a, Result<(), HookError>> {
        self.tell(|| self.settlements.lock().unwrap().push(told.clone()))
    }

    fn on_failure<'a>(&'a self, told: &'a Failure) -> BoxFuture<'a, Result<(), HookError>> {
        self.tell(|| self.failures.lock().unwrap().push(told.clone()))
    }
}
