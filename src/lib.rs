//! `tars`: embedded analytics for production telemetry.
//!
//! A module imports only from modules above it in this list (a test enforces it):

pub mod cli;
pub mod contract;
pub mod domain;
pub mod engine;
pub mod error;
pub mod functions;
pub mod ingest;
pub mod lake;
pub mod pipeline;
pub mod report;
pub mod settings;
pub mod shell;
pub mod simulate;
