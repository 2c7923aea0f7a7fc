//! The table of who paid what, printed at the end.

use std::fmt;

use alloy_primitives::U256;
use x402_model::money::AtomicAmount;
use x402_tests::shop::{Manners, Sale};
use x402_tests::tools::say;

use crate::plan::Case;

/// The client of one case in one language.
#[derive(Debug)]
pub(crate) struct Row {
    case: String,
    language: &'static str,
    manners: Manners,
    calls: usize,
    /// What was sold, or what went wrong.
    result: Result<Vec<Sale>, String>,
}

/// All cases of a language.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    /// What the driver says of itself, if it did not end well.
    pub(crate) trouble: String,
}

impl Row {
    pub(crate) fn new(
        case: &Case,
        language: &'static str,
        manners: Manners,
        result: Result<Vec<Sale>, String>,
    ) -> Self {
        Self {
            case: case.name.clone(),
            language,
            manners,
            calls: case.calls.len(),
            result,
        }
    }

    fn cells(&self) -> [String; 6] {
        let (result, paid) = match &self.result {
            Ok(sales) => ("passed", paid(sales)),
            Err(_) => ("FAILED", String::new()),
        };
        let calls = format!("{} calls", self.calls);
        let seller = match self.manners {
            Manners::Honest => "honest",
            Manners::Greedy => "greedy",
        };
        [
            self.case.clone(),
            self.language.to_owned(),
            seller.to_owned(),
            calls,
            result.to_owned(),
            paid,
        ]
    }
}

/// The sum of what was paid, in tokens of six decimals.
fn paid(sales: &[Sale]) -> String {
    let payments: Vec<U256> = sales
        .iter()
        .filter_map(|sale| sale.payment.as_ref())
        .map(|payment| payment.charged.get())
        .collect();
    match payments.len() {
        0 => "nothing, as it should be".to_owned(),
        count => {
            let sum = AtomicAmount::new(payments.into_iter().sum());
            format!("{} in {count} settlements", sum.to_decimal(6))
        }
    }
}

impl Table {
    /// Prints the table, then fails with what every client did not do.
    pub(crate) fn close(&self) {
        say(&format!("\n\n{self}\n"));
        let failures = self.rows.iter().filter_map(|row| {
            let why = row.result.as_ref().err()?;
            Some(format!(
                "{} in {} ({:?} seller): {why}",
                row.case, row.language, row.manners
            ))
        });
        let failures: Vec<String> = failures.collect();
        let trouble = &self.trouble;
        assert!(
            failures.is_empty() && trouble.is_empty(),
            "{}\n\n{trouble}",
            failures.join("\n\n")
        );
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 6]> = self.rows.iter().map(Row::cells).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        for row in &rows {
            let cells = row.iter().enumerate();
            let cells = cells.map(|(i, cell)| format!("{cell:<0$}", width(i).unwrap_or_default()));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        let failed = self.rows.iter().filter(|row| row.result.is_err()).count();
        write!(
            f,
            "clients: {} passed, {failed} failed",
            self.rows.len() - failed
        )
    }
}
