//! Ingest: telemetry in any of its formats into typed rows, committed to the lake exactly once.
//!
//! `source` turns what was named into blocks of whole records with byte offsets; `format` turns records into
//! rows (what a key means, how a value is read and what is lifted out of a message is the same for every
//! format); `row` and `columns` hold the rows to the contract; `quarantine` keeps what cannot land; `land`
//! writes sorted files per region and hour and commits them together with how far the source was read. The
//! sums always add up: read = landed + rejected + already landed.
//!
//! # What counts as the same source
//! A file is known by its canonical path, standard input by the id given for it. Reading a source again lands
//! only what is behind the recorded offset, if everything before it is what it was; a source that was
//! rewritten or cut lands anew. A rejected record stays rejected until its source changes: `replay` lands rejects
//! after a mapping was added. A last line that is cut short is rejected, and lands once it is complete.
//!
//! # Records and values
//! See `row` for which record lands, `format::convert` for which value fits its column, `quarantine` for the
//! reason codes.

mod columns;
mod csv_layout;
mod error;
mod follow;
mod format;
mod gate;
mod kinds;
mod land;
mod limit;
mod options;
mod output;
mod pull;
mod quarantine;
mod replay;
mod resume;
mod route;
mod row;
mod run;
mod source;
mod spool;
mod stats;
mod table;
mod vocabulary;
#[cfg(test)]
pub(crate) mod tests;

pub use error::{Error, Result};
pub use follow::{Follow, follow};
pub use format::units::{Unit, UnknownUnit};
pub use limit::{Clock, SystemClock};
pub use options::{
    BadFeed, CsvLayout, DEFAULT_MEMORY_LIMIT, FieldMapping, Format, HeaderRow, Limits, Options,
};
pub use pull::{
    CLOUDWATCH_REQUESTS_PER_SECOND, GCP_REQUESTS_PER_SECOND, PROMETHEUS_REQUESTS_PER_SECOND, Pull, Target,
    pull,
};
pub use replay::{RejectFilter, ReplaySummary, replay};
pub use run::{check_inputs, ingest};
pub(crate) use source::pull::{Api, Ask, Credentials, Limits as AskLimits};
pub use stats::{Example, Progress, Silent, SourceSummary, Step, Summary, TableSummary};
