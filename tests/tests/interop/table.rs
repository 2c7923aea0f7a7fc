//! The table of who paid whom, printed at the end.

use std::fmt;

use x402_tests::tools::say;

/// One pair of a buyer and a seller, with the facilitator between them.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) buyer: String,
    pub(crate) seller: String,
    pub(crate) facilitator: String,
    pub(crate) version: u8,
    /// Atomic units that moved and in how many calls, or why not.
    pub(crate) result: Result<(u64, usize), String>,
}

/// All pairs.
#[derive(Debug, Default)]
pub(crate) struct Table(pub(crate) Vec<Row>);

impl Table {
    /// Prints the table, then fails with the words of every peer that did not do its part.
    pub(crate) fn close(&self) {
        say(&format!("\n\n{self}\n"));
        let failures: Vec<String> = self.0.iter().filter_map(Row::failure).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    }
}

impl Row {
    /// Nobody could buy: the seller or its facilitator did not open.
    pub(crate) fn closed(seller: &str, facilitator: &str, version: u8, why: String) -> Self {
        Self {
            buyer: "nobody".to_owned(),
            seller: seller.to_owned(),
            facilitator: facilitator.to_owned(),
            version,
            result: Err(why),
        }
    }

    fn failure(&self) -> Option<String> {
        let why = self.result.as_ref().err()?;
        Some(format!(
            "{} → {} → {} (v{}): {why}",
            self.buyer, self.seller, self.facilitator, self.version
        ))
    }

    fn cells(&self) -> [String; 6] {
        let (result, amount) = match self.result {
            Ok((units, 1)) => ("passed", format!("{} in 1 payment", usdc(units))),
            Ok((units, calls)) => ("passed", format!("{} in {calls} payments", usdc(units))),
            Err(_) => ("FAILED", String::new()),
        };
        [
            self.buyer.clone(),
            self.seller.clone(),
            self.facilitator.clone(),
            format!("v{}", self.version),
            result.to_owned(),
            amount,
        ]
    }
}

/// Atomic units of USDC as people read them.
fn usdc(units: u64) -> String {
    format!("{}.{:02} USDC", units / 1_000_000, units / 10_000 % 100)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "buyer",
            "seller",
            "facilitator",
            "version",
            "result",
            "amount",
        ];
        let rows: Vec<[String; 6]> = std::iter::once(head.map(str::to_owned))
            .chain(self.0.iter().map(Row::cells))
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        for row in &rows {
            let cells = row.iter().enumerate();
            let cells = cells.map(|(i, cell)| format!("{cell:<0$}", width(i).unwrap_or_default()));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        let failed = self.0.iter().filter(|row| row.result.is_err()).count();
        write!(
            f,
            "interop: {} passed, {failed} failed",
            self.0.len() - failed
        )
    }
}
