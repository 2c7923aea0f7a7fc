//! Medians, ratios and the tables they are printed in.

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

/// Prints CPU time per request and its ratio to that of the target `to`.
pub fn cpu(title: &str, all: &[Series], to: &str) {
    table(title, "µs of CPU", all, to);
}

/// Prints requests per second and their ratio to those of the target `to`.
pub fn rate(title: &str, all: &[Series], to: &str) {
    table(title, "requests/s", all, to);
}

/// Prints bytes of memory.
pub fn memory(title: &str, bytes: f64) {
    println!(
        "\n## {title}\n\n{:.1} KiB of resident memory",
        bytes / 1024.0
    );
}

fn table(title: &str, unit: &str, all: &[Series], to: &str) {
    println!(
        "\n## {title}\n\n| target | {unit} | lowest–highest | ratio to {to} |\n|---|---:|---:|---:|"
    );
    let base = all.iter().find(|series| series.target == to);
    for series in all {
        let lowest = series.values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = series.values.iter().copied().fold(0.0, f64::max);
        println!(
            "| {} | {:.1} | {lowest:.1}–{highest:.1} | {:.2} |",
            series.target,
            median(&series.values),
            base.map_or(f64::NAN, |base| ratio(series, base)),
        );
    }
}
