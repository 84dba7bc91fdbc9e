//! One binary for all integration tests, because each binary links the whole engine.

#![allow(clippy::unwrap_used)] // A failed assumption of a test should stop it there.
#![allow(unreachable_pub)] // Nothing outside reaches into a test binary.

mod architecture;
mod certify;
mod check;
mod cli;
mod compare;
mod drift;
mod end_to_end;
mod landing;
mod model;
mod nightly;
mod object_stores;
mod oracle;
mod oracle_slo;
mod rejects;
#[path = "../../src/ingest/tests/server.rs"]
mod server;
mod slo;
mod slo_routes;
mod slt;
mod sources;
mod stores;
mod support;
mod upkeep;
