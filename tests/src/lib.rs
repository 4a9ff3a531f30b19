//! What Mayfly's tests and its demo stand on. Nothing here is part of a product.

pub mod additive;
pub mod crowds;
pub mod demo;
pub mod lab;
pub mod measure;
pub mod pages;
pub mod programs;
pub mod secret_server;
pub mod signature;
