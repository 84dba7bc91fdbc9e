//! `tars`: embedded analytics for production telemetry.
//!
//! A module imports only from modules above it in this list (a test enforces it):

pub mod domain;
// pub mod settings;
pub mod contract;
pub mod ingest;
pub mod lake;
// pub mod functions;
// pub mod engine;
// pub mod pipeline;
// pub mod gbm;
// pub mod score;
// pub mod report;
// pub mod certify;
// pub mod simulate;
// pub mod shell;
// pub mod cli;
// pub mod error;
