//! Formats: bytes of a frame into rows.
//!
//! Each format offers its fields to a [`Row`](super::row::Row) by name; what a name means and how a value is
//! read is the same for all of them (`aliases`, `convert`), and so is JSON inside a message (`lift`).

pub(crate) mod aliases;
mod cloudwatch;
pub(crate) mod convert;
mod decoder;
pub(crate) mod detect;
mod flatten;
mod gcp;
pub(crate) mod json;
mod lift;
pub(crate) mod names;
mod ndjson;
mod otlp;
mod prometheus;
pub(crate) mod scan;
pub(crate) mod units;

pub(crate) use decoder::Decoder;
