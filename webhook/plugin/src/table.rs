//! Tables for people.
//!
//! PURE.

use std::fmt;

/// Columns as wide as their widest cell, the last one as it is.
pub(crate) fn table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    rows: Vec<[String; N]>,
) -> fmt::Result {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or_default()).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column + 1 == N { cell.clone() } else { format!("{cell:width$}  ") }
        });
        writeln!(f, "{}", cells.collect::<String>().trim_end())?;
    }
    Ok(())
}
