//! `tars`: embedded analytics for production telemetry.
//!
//! Logs, spans and metrics land in a [`lake`] of Delta tables; every analysis is an SQL model over it; a
//! [`pipeline::Run`] is a session in which all of them can be asked.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use tars::domain::TimeRange;
//! use tars::engine::{Engine, EngineOptions, Params};
//! use tars::ingest::{Options, Silent, ingest};
//! use tars::lake::Lake;
//! use tars::pipeline::{Run, refresh};
//! use tars::settings::Settings;
//!
//! let folder = tempfile::tempdir()?;
//! let logs = folder.path().join("app.ndjson");
//! std::fs::write(
//!     &logs,
//!     r#"{"timestamp":"2025-01-15T13:00:00Z","service":"api","status_code":200,"duration_ms":12.5}"#,
//! )?;
//! let lake = Lake::create(folder.path().join("lake").to_str().unwrap()).await?;
//! let summary = ingest(&lake, &[logs.display().to_string()], &Options::default(), &Silent).await?;
//! assert_eq!(summary.landed, 1);
//!
//! let engine = || Engine::new(&EngineOptions::default(), &Settings::default());
//! refresh(&engine()?, &lake, |_| ()).await?;
//! let day = TimeRange::day("2025-01-15")?;
//! let run = Run::open(engine()?, &lake, Params::new(day, day.previous())).await?;
//! let rows = run.rows("select requests, p95_ms from kpi_summary").await?;
//! assert_eq!(rows[0].num_rows(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! A module imports only from modules above it in this list (a test enforces it):

pub mod domain;
pub mod settings;
pub mod contract;
pub mod lake;
pub mod ingest;
pub mod gbm;
pub mod functions;
pub mod engine;
pub mod pipeline;
pub mod score;
pub mod artifact;
pub mod report;
pub mod certify;
pub mod notify;
pub mod nightly;
pub mod simulate;
pub mod shell;
pub mod error;
pub mod cli;
