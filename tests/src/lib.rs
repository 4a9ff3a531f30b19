//! .

pub mod lab;
pub mod secret_server;
