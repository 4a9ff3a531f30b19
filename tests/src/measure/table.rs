//! What was seen, for people to read.

use std::fmt;

/// Rows of as many cells as there are columns; the first column is what a row is about.
#[derive(Debug)]
pub struct Table<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Table<N> {
    /// A table with these columns and no rows.
    pub fn new(columns: [&str; N]) -> Self {
        Self(vec![columns.map(str::to_owned)])
    }

    /// Adds a row; an empty cell is something that there is nothing to say about.
    pub fn row(&mut self, cells: [&dyn fmt::Display; N]) {
        self.0.push(cells.map(ToString::to_string));
    }

    fn width(&self, column: usize) -> usize {
        self.0.iter().map(|cells| cells[column].chars().count()).max().unwrap_or_default()
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for cells in &self.0 {
            // What a row is about begins at the left, figures end at the right.
            let cell = |(column, cell): (usize, &String)| match self.width(column) {
                width if column == 0 => format!("{cell:<width$}"),
                width => format!("  {cell:>width$}"),
            };
            let line: String = cells.iter().enumerate().map(cell).collect();
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_end_below_each_other() {
        let mut table = Table::new(["what", "seen", "budget"]);
        table.row([&"a long name", &7, &"≤ 20 ms"]);
        table.row([&"b", &1234, &""]);
        let expected =
            "what         seen   budget\na long name     7  ≤ 20 ms\nb            1234\n";
        assert_eq!(table.to_string(), expected);
    }
}
