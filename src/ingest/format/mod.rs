//! Formats: bytes of a frame into rows.
//!
//! Each format offers its fields to a [`Row`](super::row::Row) by name; what a name means and how a value is
//! read is the same for all of them (`aliases`, `convert`), and so is JSON inside a message (`lift`).

pub(crate) mod aliases;
mod audit;
mod cloudtrail;
mod cloudwatch;
pub(crate) mod convert;
mod csv;
mod decoder;
mod direct;
pub(crate) mod detect;
mod dialect;
mod envelope;
mod fill;
mod flatten;
mod gcp;
mod insights;
mod jaeger;
pub(crate) mod json;
mod lambda;
mod lift;
pub(crate) mod lines;
mod minute;
pub(crate) mod names;
mod ndjson;
mod number;
mod otlp;
mod prometheus;
pub(crate) mod region;
pub(crate) mod scan;
mod spans;
pub(crate) mod units;
mod way;
mod zipkin;

pub(crate) use decoder::Decoder;
