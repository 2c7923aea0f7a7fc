//! Medians, ratios and the tables they are printed in.

use std::fmt;

/// What one target showed in every round.
pub struct Series {
    /// The target's name.
    pub target: &'static str,
    /// One figure per round.
    pub values: Vec<f64>,
}

impl Series {
    /// Nothing yet.
    pub const fn new(target: &'static str) -> Self {
        Self {
            target,
            values: Vec::new(),
        }
    }
}

/// The middle value.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The median of the ratios within each round, so that what slows a whole round down does not count.
fn ratio(series: &Series, to: &Series) -> f64 {
    let ratios: Vec<f64> = series
        .values
        .iter()
        .zip(&to.values)
        .map(|(one, other)| one / other)
        .collect();
    median(&ratios)
}

/// What a ratio or an amount must be.
#[derive(Clone, Copy)]
pub enum Goal {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Goal {
    const fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }

    fn verdict(self, value: f64) -> &'static str {
        if self.holds(value) { "MET" } else { "MISSED" }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "≤ {most:.2}"),
            Self::AtLeast(least) => write!(f, "≥ {least:.2}"),
        }
    }
}

/// A table: CPU time per request, or requests per second, of some targets, as ratios to one of them.
pub struct Table<'a> {
    /// What was done.
    pub title: &'a str,
    /// What the figures are.
    pub unit: &'a str,
    /// The target that the ratios are to.
    pub to: &'static str,
    /// The target that has to reach a ratio, and which.
    pub goal: (&'static str, Goal),
}

impl Table<'_> {
    /// Prints it.
    pub fn print(&self, all: &[Series]) {
        let Self {
            title,
            unit,
            to,
            goal,
        } = self;
        println!(
            "\n## {title}\n\n| target | {unit} | lowest–highest | ratio to {to} | must reach | |\n|---|---:|---:|---:|---:|---|"
        );
        let base = all.iter().find(|series| series.target == *to);
        for series in all {
            let lowest = series.values.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = series.values.iter().copied().fold(0.0, f64::max);
            let ratio = base.map_or(f64::NAN, |base| ratio(series, base));
            let (wanted, verdict) = match goal {
                (target, goal) if *target == series.target => {
                    (goal.to_string(), goal.verdict(ratio))
                }
                _ => (String::new(), ""),
            };
            println!(
                "| {} | {:.1} | {lowest:.1}–{highest:.1} | {ratio:.2} | {wanted} | {verdict} |",
                series.target,
                median(&series.values),
            );
        }
    }
}

/// Prints bytes of memory, and whether they are few enough.
pub fn memory(title: &str, bytes: f64, most: f64) {
    let (kib, most) = (bytes / 1024.0, most / 1024.0);
    let verdict = Goal::AtMost(most).verdict(kib);
    println!(
        "\n## {title}\n\n{kib:.1} KiB of resident memory, must be below {most:.0} KiB: {verdict}"
    );
}
