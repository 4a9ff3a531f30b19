//! Kubernetes quantities: `5m`, `0.1`, `64Mi`, `1e3`.
//!
//! PURE. Kept as they were written, compared by their value.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// One mebibyte in bytes.
pub const MEBIBYTE: u64 = 1 << 20;

/// More than any machine has, and little enough that no sum of ours overflows.
const MOST: f64 = 1e18;

/// A quantity above zero. Equal when the values are equal: `1024Mi` is `1Gi`.
#[derive(Debug, Clone)]
pub struct Quantity {
    text: String,
    /// In thousandths, rounded up, as Kubernetes does.
    thousandths: u128,
}

/// Text that is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "no quantity above zero; write a number and a unit, for example `5m`, `0.5`, `64Mi` or `1Gi`"
)]
pub struct QuantityError;

impl Quantity {
    /// So many mebibytes.
    pub fn mebibytes(count: u64) -> Self {
        Self {
            text: format!("{count}Mi"),
            thousandths: u128::from(count) * u128::from(MEBIBYTE) * 1000,
        }
    }

    /// The value in whole units (bytes, cores), rounded up.
    pub fn units(&self) -> u64 {
        u64::try_from(self.thousandths.div_ceil(1000)).unwrap_or(u64::MAX)
    }

    /// Whether `left` and `right` are quantities of the same value.
    pub fn is_same(left: &str, right: &str) -> bool {
        left == right
            || matches!((left.parse::<Self>(), right.parse()), (Ok(left), Ok(right)) if left == right)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.thousandths == other.thousandths
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.thousandths.cmp(&other.thousandths)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let end = text
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let number: f64 = number.parse().map_err(|_| QuantityError)?;
        let value = number * factor(unit).ok_or(QuantityError)?;
        if !(value > 0.0 && value < MOST) {
            return Err(QuantityError);
        }
        Ok(Self { text: text.to_owned(), thousandths: whole(value * 1000.0) })
    }
}

/// Thousandths of a quantity below [`MOST`] are far below what the type holds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is positive and bounded by MOST"
)]
fn whole(thousandths: f64) -> u128 {
    // A ten-thousandth above a whole number is the noise of the multiplication, not a fraction.
    (thousandths - 1e-4).ceil().max(1.0) as u128
}

fn factor(unit: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 15] = [
        ("", 1.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
    ];
    let exponent = unit.strip_prefix(['e', 'E']).filter(|digits| !digits.is_empty());
    if let Some(exponent) = exponent {
        let exponent: i8 = exponent.parse().ok()?;
        return Some(10_f64.powi(exponent.into()));
    }
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_by_their_value() {
        for (left, right) in [
            ("1Gi", "1024Mi"),
            ("1", "1000m"),
            ("0.1", "100m"),
            ("1e3", "1k"),
            ("64Mi", "67108864"),
            ("1E2", "100"),
            ("1.5Gi", "1536Mi"),
        ] {
            assert!(Quantity::is_same(left, right), "{left} {right}");
        }
        assert!(!Quantity::is_same("1G", "1Gi"));
        assert!("5m".parse::<Quantity>().expect("a quantity") < "0.1".parse().expect("a quantity"));
        assert_eq!("64Mi".parse::<Quantity>().expect("a quantity").units(), 64 << 20);
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in [
            "", "m", "-1", "0", "0Mi", "1mi", "1 Mi", "1MiB", "1.2.3", "1e", "1e999", "NaN", "inf",
            ".", "64MI", "+5m", "999999E",
        ] {
            text.parse::<Quantity>().expect_err(text);
        }
    }
}
