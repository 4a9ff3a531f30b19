//! A table for people: columns as wide as they need to be, a bold head.

use std::fmt;

use anstyle::Style;

use crate::fault::printable;

const HEAD: Style = Style::new().bold();

/// Rows of `N` cells.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(str::to_owned)] }
    }

    /// A row; what others wrote in it does nothing to the terminal.
    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| printable(&cell)));
    }

    fn width(&self, column: usize) -> usize {
        self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, row) in self.rows.iter().enumerate() {
            let style = if at == 0 { HEAD } else { Style::new() };
            let cells = row.iter().enumerate().map(|(column, cell)| {
                let width = if column + 1 == N { 0 } else { self.width(column) };
                format!("{cell:width$}")
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            writeln!(f, "{style}{}{style:#}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(["A", "B"]);
        table.row(["long".to_owned(), "x".to_owned()]);
        let plain = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(plain, "A     B\nlong  x\n");
    }

    #[test]
    fn a_cell_is_only_text() {
        let mut table = Table::new(["A"]);
        table.row(["\x1b]0;title\x07".to_owned()]);
        let lines = table.to_string();
        assert!(lines.ends_with("\n ]0;title\n"), "{lines:?}");
    }
}
