//! .

pub mod demo;
pub mod lab;
pub mod secret_server;
