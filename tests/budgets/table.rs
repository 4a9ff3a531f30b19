//! What was seen, beside what was promised.

use std::fmt;

/// The rows, in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

#[derive(Debug)]
struct Row {
    what: String,
    seen: String,
    budget: String,
}

impl Table {
    /// Adds a figure; an empty `budget` is a figure that nothing was promised about.
    pub(crate) fn row(&mut self, what: &str, seen: String, budget: &str) {
        self.0.push(Row { what: what.to_owned(), seen, budget: budget.to_owned() });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<58} {:>14}  budget", "what", "seen")?;
        for Row { what, seen, budget } in &self.0 {
            writeln!(f, "{what:<58} {seen:>14}  {budget}")?;
        }
        Ok(())
    }
}
