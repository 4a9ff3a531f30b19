#![expect(clippy::needless_pass_by_value, reason = "`json!` reads better without borrows")]

mod migration;
mod page;
mod readers;
mod survey;
