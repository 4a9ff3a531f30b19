//! .

pub mod lab;
