//! A small world: two processes on one store, a facilitator, a chain, a buyer and a stranger. Everything that can happen next.

use crate::oracle::{Ev, Oracle, Rec};
use x402_runtime::ledger::{Commit, State};

/// Presentations of the one payment; the last task is the resolver.
pub(crate) const TASKS: usize = 4;
pub(crate) const RESOLVER: usize = 3;
pub(crate) const CALLS: usize = 2;

/// What keeps the world safe. Each is taken away in turn, to see that something goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guards {
    /// The reservation decides whose handler runs.
    pub(crate) reservation: bool,
    /// A settle call without an answer leaves the outcome open.
    pub(crate) unknown: bool,
    /// Paid means a transfer, not only a used nonce.
    pub(crate) events: bool,
    /// "Unused" fails a payment only once it has expired at a safe depth.
    pub(crate) expiry: bool,
    /// Final means deep enough.
    pub(crate) finality: bool,
    /// Somebody resolves what is unknown.
    pub(crate) resolver: bool,
    /// A refusal says nothing about an earlier call that went unanswered.
    pub(crate) doubt: bool,
    /// The intent is on the disk before the call.
    pub(crate) durable_intent: bool,
    /// A late answer of an earlier owner is not stored.
    pub(crate) fencing: bool,
    /// The chain can be asked. If not, a payment that was never sent expires by the clock.
    pub(crate) chain: bool,
    /// Nobody but us sends the authorization.
    pub(crate) private: bool,
    /// How often a process dies or the power fails.
    pub(crate) crashes: u8,
}

impl Guards {
    pub(crate) const ALL: Self = Self {
        reservation: true,
        unknown: true,
        events: true,
        expiry: true,
        finality: true,
        resolver: true,
        doubt: true,
        durable_intent: true,
        fencing: true,
        chain: true,
        private: false,
        crashes: 2,
    };
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Task {
    /// Not there yet.
    Away,
    /// The handler runs; `late` once somebody else took its lease for over.
    Running { late: bool },
    /// Has stored its answer and is about to settle.
    Ready,
    /// Has written the intent, and called the facilitator or is about to: a call that is never made is one that never lands.
    Waiting(u8),
    /// Was told that it is settled, and has not written it yet.
    Knows,
    /// Has its answer or an error, was told to come again, or died.
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Call {
    Unsent,
    /// At the facilitator or in the mempool: can land as long as the authorization is valid.
    Open,
    Landed,
    Dead,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Nonce {
    Unused,
    Paid { ours: bool, deep: bool },
    Cancelled { deep: bool },
}

/// Whether the authorization has expired, at the head of the chain and at a safe depth.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Hash, Debug)]
pub(crate) enum Time {
    Valid,
    Expired,
    ExpiredDeep,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct World {
    pub(crate) rec: Option<Rec>,
    /// The record as a power cut would leave it.
    pub(crate) durable: Option<Rec>,
    pub(crate) tasks: [Task; TASKS],
    pub(crate) calls: [Call; CALLS],
    pub(crate) nonce: Nonce,
    pub(crate) time: Time,
    pub(crate) crashes: u8,
    pub(crate) reorg: bool,
    pub(crate) stranger: bool,
    pub(crate) cancel: bool,
    /// Whether an answer began to leave while it was made, so that there may be none to show.
    pub(crate) streamed: bool,
    /// Whose answer the buyer has.
    pub(crate) shown: Option<u8>,
    pub(crate) ever_paid: bool,
    /// What went wrong on the way here.
    pub(crate) broken: Option<&'static str>,
}

const T2: &str = "T2: one payment was shown two answers, or none";

pub(crate) type Next = (&'static str, World);

impl World {
    pub(crate) const fn start(guards: Guards) -> Self {
        Self {
            rec: None,
            durable: None,
            tasks: [Task::Away; TASKS],
            calls: [Call::Unsent; CALLS],
            nonce: Nonce::Unused,
            time: Time::Valid,
            crashes: guards.crashes,
            reorg: true,
            stranger: !guards.private,
            cancel: true,
            streamed: false,
            shown: None,
            ever_paid: false,
            broken: None,
        }
    }

    /// Whether nothing has to happen any more.
    pub(crate) fn is_settled_for_good(&self) -> bool {
        self.rec.is_none_or(|rec| rec.state.is_closed())
    }

    /// Everything that can happen next, checked.
    pub(crate) fn next(&self, oracle: &mut Oracle, guards: Guards) -> Vec<Next> {
        let mut out = Vec::new();
        for task in 0..TASKS {
            self.task(oracle, guards, task, &mut out);
        }
        self.facilitator(oracle, guards, &mut out);
        self.chain(&mut out);
        self.crash(&mut out);
        self.background(oracle, guards, &mut out);
        for (_, world) in &mut out {
            world.broken = world.broken.or_else(|| world.violation());
            world.forget();
        }
        out
    }

    /// Drops what makes no difference any more, so that there are fewer worlds to look at.
    fn forget(&mut self) {
        if self.crashes == 0 {
            self.durable = None;
        }
        if matches!(
            self.nonce,
            Nonce::Paid { deep: true, .. } | Nonce::Cancelled { deep: true }
        ) {
            (self.stranger, self.cancel) = (false, false);
        }
        if self.time == Time::ExpiredDeep {
            self.stranger = false;
        }
        // Nothing moves a closed record (`closed_records_do_not_move`), so nothing depends on who is still there.
        match self.rec.map(|rec| rec.state) {
            Some(State::Failed) => self.tasks = [Task::Done; TASKS],
            Some(State::Final) if matches!(self.nonce, Nonce::Paid { deep: true, .. }) => {
                self.tasks = [Task::Done; TASKS];
                self.calls = [Call::Dead; CALLS];
                self.time = Time::ExpiredDeep;
                (self.crashes, self.durable) = (0, None);
            }
            _ => {}
        }
    }

    /// T1 to T5 of the security notes, as properties of one state.
    fn violation(&self) -> Option<&'static str> {
        let state = self.rec.map(|rec| rec.state);
        let paid = matches!(self.nonce, Nonce::Paid { .. });
        let owed = matches!(
            state,
            Some(State::Settling | State::Settled | State::Final | State::Unknown)
        );
        let running = self
            .tasks
            .iter()
            .filter(|task| **task == Task::Running { late: false })
            .count();
        let broken = [
            (running > 1, "G1: two handlers run for one payment"),
            (
                self.shown.is_some()
                    && self.shown != self.rec.and_then(|rec| rec.answer)
                    && state == Some(State::Final),
                T2,
            ),
            (
                self.shown.is_some() && !self.ever_paid,
                "T1: an answer left before the money moved",
            ),
            (
                paid && state == Some(State::Failed),
                "T3: money moved and the record says failed",
            ),
            (
                matches!(self.nonce, Nonce::Paid { ours: true, .. }) && !owed,
                "T3: money moved and no record knows",
            ),
            (
                state.is_some_and(State::is_paid) && !self.ever_paid,
                "T4: recorded as paid without a transfer",
            ),
            (
                state == Some(State::Final) && !paid,
                "T4: final without a transfer",
            ),
            (
                self.shown.is_some() && state == Some(State::Failed) && self.reorg,
                "T5: given away without a reorg",
            ),
        ];
        broken
            .into_iter()
            .find_map(|(broken, what)| broken.then_some(what))
    }

    /// One step of the store: asks the transition function and writes. False if the event was not allowed.
    pub(crate) fn write(&mut self, oracle: &mut Oracle, guards: Guards, ev: Ev) -> bool {
        let Some(rec) = self.rec else { return false };
        let mut asked = ev;
        if !guards.fencing && matches!(ev, Ev::Answered(_)) && rec.state == State::Reserved {
            asked = Ev::Answered(rec.owner);
        }
        let Some((mut next, mut durability)) = oracle.step(rec, asked) else {
            return false;
        };
        if let Some(next) = &mut next {
            match ev {
                Ev::Unanswered if !guards.unknown => next.state = State::Failed,
                Ev::Refused if !guards.doubt => next.state = State::Served,
                Ev::Intend(_) if !guards.durable_intent => durability = Commit::Soft,
                Ev::Answered(owner) => next.answer = Some(owner),
                _ => {}
            }
        }
        self.rec = next;
        if durability == Commit::Hard {
            self.durable = next;
        }
        true
    }

    pub(crate) fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut world = *self;
        change(&mut world);
        world
    }

    /// What a presentation (or the resolver, once it settles) does next.
    fn task(&self, oracle: &mut Oracle, guards: Guards, task: usize, out: &mut Vec<Next>) {
        let owner = u8::try_from(task).unwrap();
        match self.tasks[task] {
            // They come one after the other; which is which makes no difference.
            Task::Away if task != RESOLVER && (task == 0 || self.tasks[task - 1] != Task::Away) => {
                out.push(("present", self.present(oracle, guards, task)));
            }
            Task::Running { .. } => {
                out.push((
                    "answer",
                    self.with(|w| {
                        let stored = w.write(oracle, guards, Ev::Answered(owner));
                        w.tasks[task] = if stored { Task::Ready } else { Task::Done };
                    }),
                ));
                if !self.streamed {
                    out.push((
                        "stream",
                        self.with(|w| {
                            w.streamed = w.write(oracle, guards, Ev::Metered(owner));
                            if !w.streamed {
                                w.tasks[task] = Task::Done;
                            }
                        }),
                    ));
                }
                out.push((
                    "handler fails",
                    self.with(|w| {
                        w.write(oracle, guards, Ev::HandlerFailed(owner));
                        w.tasks[task] = Task::Done;
                    }),
                ));
            }
            Task::Ready if self.can_call() => {
                out.push(("settle", self.with(|w| w.settle(oracle, guards, task))))
            }
            Task::Knows => out.push((
                "write settled",
                self.with(|w| {
                    let written = w.write(oracle, guards, Ev::Settled);
                    w.leave(task);
                    if written && task != RESOLVER {
                        w.show(task);
                    }
                }),
            )),
            Task::Away | Task::Ready | Task::Waiting(_) | Task::Done => {}
        }
    }

    fn present(&self, oracle: &mut Oracle, guards: Guards, task: usize) -> Self {
        self.with(|w| match w.rec {
            None => {
                w.rec = Some(Oracle::reserve(u8::try_from(task).unwrap()));
                w.tasks[task] = Task::Running { late: false };
            }
            Some(rec) => match rec.state {
                State::Reserved if !guards.reservation => {
                    w.tasks[task] = Task::Running { late: false }
                }
                State::Served if self.can_call() => w.settle(oracle, guards, task),
                State::Settled | State::Final => w.show(task),
                // Told that it is not charged, or to come again.
                State::Failed
                | State::Reserved
                | State::Served
                | State::Settling
                | State::Unknown => w.leave(task),
            },
        })
    }

    pub(crate) fn can_call(&self) -> bool {
        self.calls.contains(&Call::Unsent)
    }

    /// Writes the intent and calls the facilitator.
    pub(crate) fn settle(&mut self, oracle: &mut Oracle, guards: Guards, task: usize) {
        let call = self
            .calls
            .iter()
            .position(|call| *call == Call::Unsent)
            .unwrap();
        if self.write(oracle, guards, Ev::Intend(u8::try_from(task).unwrap())) {
            self.calls[call] = Call::Open;
            self.tasks[task] = Task::Waiting(u8::try_from(call).unwrap());
        } else {
            self.leave(task);
        }
    }

    pub(crate) fn leave(&mut self, task: usize) {
        self.tasks[task] = if task == RESOLVER {
            Task::Away
        } else {
            Task::Done
        };
    }

    fn show(&mut self, task: usize) {
        let whose = self.rec.and_then(|rec| rec.answer);
        // What broke off while it left is gone, and its buyer is told so.
        let gone = whose.is_none() && self.streamed;
        let other = self.shown.is_some_and(|before| Some(before) != whose);
        if other || (whose.is_none() && !gone) {
            self.broken = Some(T2);
        }
        self.shown = whose;
        self.tasks[task] = Task::Done;
    }
}
