//! What a new manifest changes for those who use the old one: on the wire, in money, and whether a human must look first.
//!
//! ```
//! # use x402_model::manifest::{Document, diff, diff::{Bump, Money}};
//! # let text = include_str!("../../tests/manifest/manifest.json");
//! let old = Document::read(text.as_bytes())?;
//! let new = Document::read(text.replace(r#""amount": "0.005""#, r#""amount": "0.006""#).as_bytes())?;
//! let verdict = diff::compare(old.manifest(), new.manifest());
//! assert_eq!((verdict.money, verdict.bump), (Money::Costlier, Bump::Minor));
//! assert!(verdict.needs_notice() && !verdict.stop);
//! # Ok::<(), x402_model::manifest::ManifestError>(())
//! ```

mod endpoint;
mod money;
mod parts;
mod plans;
mod schema;

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::Manifest;

/// What a change means for clients that are already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Wire {
    /// Nothing changed.
    #[default]
    None,
    /// Words.
    Patch,
    /// Something new that old clients need not know.
    Minor,
    /// Something that breaks them.
    Major,
}

/// What a change means for what calls cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Money {
    /// Nothing.
    #[default]
    None,
    /// Something costs less, and nothing more.
    Cheaper,
    /// Something costs more, within the bounds that were promised.
    Costlier,
    /// Something may cost more than was promised.
    CapRaised,
}

/// Which part of the version has to grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Bump {
    /// None.
    #[default]
    None,
    /// The third.
    Patch,
    /// The second.
    Minor,
    /// The first.
    Major,
}

macro_rules! words {
    ($($name:ident { $($variant:ident = $word:literal),+ })+) => {$(
        impl $name {
            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    )+};
}
words! {
    Wire { None = "none", Patch = "patch", Minor = "minor", Major = "major" }
    Money { None = "none", Cheaper = "cheaper", Costlier = "costlier", CapRaised = "cap-raised" }
    Bump { None = "none", Patch = "patch", Minor = "minor", Major = "major" }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where: a path of names.
    pub place: String,
    /// What changed, in words.
    pub what: String,
    /// On the wire.
    pub wire: Wire,
    /// In money.
    pub money: Money,
    /// Whether a human must look before an agent pays again.
    pub stop: bool,
    /// Whether it acts although nobody does anything, which takes a major version.
    pub silent: bool,
}

impl Change {
    fn new(place: &str, what: impl Into<String>, wire: Wire, money: Money) -> Self {
        Self {
            place: place.to_owned(),
            what: what.into(),
            wire,
            money,
            stop: false,
            silent: false,
        }
    }
}

/// All differences, and the worst of them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Verdict {
    /// On the wire.
    pub wire: Wire,
    /// In money.
    pub money: Money,
    /// Whether a human must look before an agent pays again.
    pub stop: bool,
    /// Which part of the version has to grow.
    pub bump: Bump,
    /// Every difference that was found, in the order of the document.
    pub changes: Vec<Change>,
}

impl Verdict {
    /// Whether the change has to be announced before it holds.
    #[must_use]
    pub fn needs_notice(&self) -> bool {
        self.money >= Money::Costlier
    }

    /// Whether an agent with the old document may go on paying by the new one without a human.
    #[must_use]
    pub fn is_safe_to_pay(&self) -> bool {
        !self.stop && self.wire < Wire::Major && self.money < Money::CapRaised
    }
}

/// Finds all differences between an old manifest and a new one of the same service.
#[must_use]
pub fn compare(old: &Manifest, new: &Manifest) -> Verdict {
    let mut found = Findings::default();
    parts::service(old, new, &mut found);
    parts::protocols(old, new, &mut found);
    parts::rails(old, new, &mut found);
    parts::defaults(old, new, &mut found);
    parts::errors(old, new, &mut found);
    endpoint::all(old, new, &mut found);
    plans::all(old, new, &mut found);
    if found.0.is_empty() && old != new {
        found.add("", "words", Wire::Patch, Money::None);
    }
    found.verdict()
}

/// The differences found so far.
#[derive(Debug, Default)]
struct Findings(Vec<Change>);

impl Findings {
    fn add(&mut self, place: &str, what: impl Into<String>, wire: Wire, money: Money) {
        self.0.push(Change::new(place, what, wire, money));
    }

    fn stop(&mut self, place: &str, what: impl Into<String>, wire: Wire, money: Money) {
        self.0.push(Change {
            stop: true,
            ..Change::new(place, what, wire, money)
        });
    }

    /// A change that acts although nobody does anything.
    fn silent(&mut self, place: &str, what: impl Into<String>, wire: Wire, money: Money) {
        self.0.push(Change {
            silent: true,
            ..Change::new(place, what, wire, money)
        });
    }

    fn verdict(self) -> Verdict {
        let mut verdict = Verdict::default();
        for change in &self.0 {
            verdict.wire = verdict.wire.max(change.wire);
            verdict.money = verdict.money.max(change.money);
            verdict.stop |= change.stop;
            let wire = match change.wire {
                Wire::None => Bump::None,
                Wire::Patch => Bump::Patch,
                Wire::Minor => Bump::Minor,
                Wire::Major => Bump::Major,
            };
            let money = match change.money {
                Money::None => Bump::None,
                Money::Cheaper | Money::Costlier => Bump::Minor,
                Money::CapRaised => Bump::Major,
            };
            let acts = change.stop || change.silent;
            let acts = if acts { Bump::Major } else { Bump::None };
            verdict.bump = verdict.bump.max(wire).max(money).max(acts);
        }
        if !self.0.is_empty() {
            verdict.wire = verdict.wire.max(Wire::Patch);
            verdict.bump = verdict.bump.max(Bump::Patch);
        }
        verdict.changes = self.0;
        verdict
    }
}

/// The shared schemas of both sides.
struct Shared<'m> {
    old: &'m BTreeMap<String, Value>,
    new: &'m BTreeMap<String, Value>,
}
