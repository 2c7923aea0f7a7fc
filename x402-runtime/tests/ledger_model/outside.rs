//! What happens around the processes: facilitator, chain, crashes and the resolver.

use crate::oracle::{Ev, Oracle};
use crate::world::{CALLS, Call, Guards, Next, Nonce, RESOLVER, Task, Time, World};
use x402_runtime::ledger::State;

impl World {
    /// The facilitator lands, answers, refuses or loses calls, in any order, early or late.
    pub(crate) fn facilitator(&self, oracle: &mut Oracle, guards: Guards, out: &mut Vec<Next>) {
        for call in 0..CALLS {
            if self.calls[call] == Call::Open
                && self.nonce == Nonce::Unused
                && self.time == Time::Valid
            {
                out.push((
                    "land",
                    self.with(|w| {
                        w.calls[call] = Call::Landed;
                        w.nonce = Nonce::Paid {
                            ours: true,
                            deep: false,
                        };
                        w.ever_paid = true;
                    }),
                ));
            }
            let waits = Task::Waiting(u8::try_from(call).unwrap());
            let Some(task) = self.tasks.iter().position(|task| *task == waits) else {
                continue;
            };
            out.push((
                "time out",
                self.with(|w| {
                    w.write(oracle, guards, Ev::Unanswered);
                    w.leave(task);
                }),
            ));
            if matches!(self.nonce, Nonce::Paid { .. }) {
                out.push(("say settled", self.with(|w| w.tasks[task] = Task::Knows)));
            }
            if self.calls[call] == Call::Open {
                out.push((
                    "refuse",
                    self.with(|w| {
                        w.calls[call] = Call::Dead;
                        w.write(oracle, guards, Ev::Refused);
                        w.leave(task);
                    }),
                ));
            }
        }
    }

    pub(crate) fn chain(&self, out: &mut Vec<Next>) {
        if self.nonce == Nonce::Unused && self.stranger && self.time == Time::Valid {
            out.push((
                "a stranger sends it",
                self.with(|w| {
                    w.stranger = false;
                    w.nonce = Nonce::Paid {
                        ours: false,
                        deep: false,
                    };
                    w.ever_paid = true;
                }),
            ));
        }
        if self.nonce == Nonce::Unused && self.cancel {
            out.push((
                "cancel",
                self.with(|w| {
                    w.cancel = false;
                    w.nonce = Nonce::Cancelled { deep: false };
                }),
            ));
        }
        match self.nonce {
            Nonce::Paid { ours, deep: false } => {
                out.push((
                    "bury",
                    self.with(|w| w.nonce = Nonce::Paid { ours, deep: true }),
                ));
            }
            Nonce::Cancelled { deep: false } => out.push((
                "bury",
                self.with(|w| w.nonce = Nonce::Cancelled { deep: true }),
            )),
            Nonce::Unused | Nonce::Paid { .. } | Nonce::Cancelled { .. } => {}
        }
        match self.time {
            Time::Valid => out.push(("expire", self.with(|w| w.time = Time::Expired))),
            Time::Expired => out.push((
                "expire at depth",
                self.with(|w| {
                    w.time = Time::ExpiredDeep;
                    // A payment lies in a block before it expired, so it is as deep by now.
                    if let Nonce::Paid { ours, .. } = w.nonce {
                        w.nonce = Nonce::Paid { ours, deep: true };
                    }
                }),
            )),
            Time::ExpiredDeep => {}
        }
        let shallow = matches!(
            self.nonce,
            Nonce::Paid { deep: false, .. } | Nonce::Cancelled { deep: false }
        );
        if self.reorg
            && self.time != Time::ExpiredDeep
            && (shallow || self.nonce == Nonce::Unused && self.time == Time::Expired)
        {
            out.push(("reorg", self.reorganise()));
        }
    }

    /// What is not deep comes undone; transactions return to the mempool, and time a little.
    fn reorganise(&self) -> Self {
        self.with(|w| {
            w.reorg = false;
            w.time = Time::Valid;
            match w.nonce {
                Nonce::Paid {
                    ours: true,
                    deep: false,
                } => {
                    w.nonce = Nonce::Unused;
                    for call in &mut w.calls {
                        if *call == Call::Landed {
                            *call = Call::Open;
                        }
                    }
                }
                Nonce::Paid {
                    ours: false,
                    deep: false,
                } => {
                    w.nonce = Nonce::Unused;
                    w.stranger = true;
                }
                Nonce::Cancelled { deep: false } => {
                    w.nonce = Nonce::Unused;
                    w.cancel = true;
                }
                Nonce::Unused
                | Nonce::Paid { deep: true, .. }
                | Nonce::Cancelled { deep: true } => {}
            }
        })
    }

    /// A process dies, or the machine loses its power. Calls that were sent live on.
    pub(crate) fn crash(&self, out: &mut Vec<Next>) {
        if self.crashes == 0 {
            return;
        }
        for (name, dies) in [
            ("kill 0", [true, false, true]),
            ("kill 1", [false, true, false]),
            ("power cut", [true; 3]),
        ] {
            let mut w = *self;
            for (task, _) in w
                .tasks
                .iter_mut()
                .zip(dies)
                .filter(|(task, dies)| *dies && **task != Task::Away)
            {
                *task = Task::Done;
            }
            if name != "kill 1" {
                w.tasks[RESOLVER] = Task::Away;
            }
            if name == "power cut" {
                w.rec = w.durable;
            }
            if w != *self {
                w.crashes -= 1;
                out.push((name, w));
            }
        }
    }

    /// What happens to the record without any buyer: leases end, the resolver looks at the chain or settles again.
    pub(crate) fn background(&self, oracle: &mut Oracle, guards: Guards, out: &mut Vec<Next>) {
        let Some(rec) = self.rec else { return };
        if !guards.resolver {
            return;
        }
        let mut events = Vec::new();
        match rec.state {
            State::Reserved => events.push(Ev::LeaseOver),
            State::Served if guards.chain => events.extend(self.evidence(guards)),
            State::Served if self.time != Time::Valid => events.push(Ev::Expired),
            State::Settling => {
                events.push(Ev::LeaseOver);
                events.extend(self.evidence(guards));
            }
            State::Unknown => events.extend(self.evidence(guards)),
            State::Settled => match self.nonce {
                Nonce::Paid { deep, .. } if deep || !guards.finality => events.push(Ev::Finalised),
                Nonce::Paid { .. } => {}
                Nonce::Unused | Nonce::Cancelled { .. } => events.push(Ev::ReceiptGone),
            },
            State::Served | State::Final | State::Failed => {}
        }
        for ev in events {
            out.push((
                "resolve",
                self.with(|w| {
                    w.write(oracle, guards, ev);
                    if let (Ev::LeaseOver, Task::Running { late }) =
                        (ev, &mut w.tasks[usize::from(rec.owner)])
                    {
                        *late = true;
                    }
                }),
            ));
        }
        let again = rec.state == State::Unknown || rec.state == State::Served && !rec.tried;
        if again && self.tasks[RESOLVER] == Task::Away && self.can_call() {
            out.push((
                "settle in the background",
                self.with(|w| w.settle(oracle, guards, RESOLVER)),
            ));
        }
    }

    /// What the chain says; a cancellation and the absence of a use count at a safe depth only.
    fn evidence(&self, guards: Guards) -> Option<Ev> {
        if !guards.chain {
            return None;
        }
        match self.nonce {
            Nonce::Paid { .. } => Some(Ev::Paid),
            Nonce::Cancelled { .. } if !guards.events => Some(Ev::Paid),
            Nonce::Cancelled { deep: true } => Some(Ev::Cancelled),
            Nonce::Unused | Nonce::Cancelled { deep: false } => {
                (self.time == Time::ExpiredDeep || !guards.expiry).then_some(Ev::UnusedAndExpired)
            }
        }
    }
}
