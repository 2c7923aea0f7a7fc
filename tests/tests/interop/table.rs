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
    /// How it was paid.
    pub(crate) payment: &'static str,
    /// Atomic units that moved and in how many calls, none if the buyer cannot pay in this way; or what went wrong.
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
            payment: "",
            result: Err(why),
        }
    }

    fn failure(&self) -> Option<String> {
        let why = self.result.as_ref().err()?;
        Some(format!(
            "{} → {} → {} (v{} {}): {why}",
            self.buyer, self.seller, self.facilitator, self.version, self.payment
        ))
    }

    fn cells(&self) -> [String; 7] {
        let (result, amount) = match self.result {
            Ok((_, 0)) => ("cannot", String::new()),
            Ok((units, 1)) => ("passed", format!("{} in 1 payment", dollars(units))),
            Ok((units, calls)) => ("passed", format!("{} in {calls} payments", dollars(units))),
            Err(_) => ("FAILED", String::new()),
        };
        [
            self.buyer.clone(),
            self.seller.clone(),
            self.facilitator.clone(),
            format!("v{}", self.version),
            self.payment.to_owned(),
            result.to_owned(),
            amount,
        ]
    }
}

/// Atomic units of a dollar as people read them: cents at least, and what is below them.
fn dollars(units: u64) -> String {
    let text = format!("{}.{:06}", units / 1_000_000, units % 1_000_000);
    let end = text.trim_end_matches('0').len().max(text.len() - 4);
    format!("{} USD", &text[..end])
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "buyer",
            "seller",
            "facilitator",
            "version",
            "payment",
            "result",
            "amount",
        ];
        let rows: Vec<[String; 7]> = std::iter::once(head.map(str::to_owned))
            .chain(self.0.iter().map(Row::cells))
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        for row in &rows {
            let cells = row.iter().enumerate();
            let cells = cells.map(|(i, cell)| format!("{cell:<0$}", width(i).unwrap_or_default()));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        let count = |of: fn(&Row) -> bool| self.0.iter().filter(|row| of(row)).count();
        let failed = count(|row| row.result.is_err());
        let cannot = count(|row| matches!(row.result, Ok((_, 0))));
        let passed = self.0.len() - failed - cannot;
        write!(f, "interop: {passed} passed, {failed} failed")?;
        if cannot > 0 {
            write!(f, ", {cannot} that the buyer cannot do")?;
        }
        Ok(())
    }
}
