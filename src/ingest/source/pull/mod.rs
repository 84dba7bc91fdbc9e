//! Live pulls: sources that are asked for a stretch of time instead of read from a beginning to an end.
//!
//! `api` asks, at the agreed rate and again when that may help; `answer` tells what an answer means; `credentials`
//! takes them from the environment. `cloudwatch`, `gcp` and `prometheus` know the requests and replies of one API
//! each. `events` puts log events in the order of time and decides what is one commit, `seen` knows which of them
//! landed before.

mod answer;
mod api;
mod cloudwatch;
mod credentials;
mod events;
mod gcp;
mod position;
mod prometheus;
mod seen;

pub(crate) use api::{Api, Ask, Limits};
pub(crate) use cloudwatch::{CloudwatchLogs, address as cloudwatch_address};
pub(crate) use credentials::{Credentials, Endpoint};
pub(crate) use events::{LogPull, Logs};
pub(crate) use gcp::{ADDRESS as GCP_ADDRESS, CloudLogging};
pub(crate) use prometheus::{PrometheusServer, QueryPull, identity as query_identity};
