//! The lake: a directory or bucket with one Delta table per contract table.
//!
//! Data files are plain Parquet under `<table>/region=…/hour=…/`, sorted by the table's time column; the
//! transaction log beside them (`<table>/_delta_log/`) says which of them belong to which version. So a
//! commit is atomic, concurrent writers are safe, a version can be read again later, and any Parquet reader
//! reads the files as they are. Only the file `delta.rs` knows the crate that writes the log.
//!
//! | file | what it decides |
//! |---|---|
//! | `storage.rs` | which store a URL or path means, and what is wrong with it |
//! | `layout.rs` | where a file goes, whatever the region is called |
//! | `parquet.rs` | how a batch becomes a Parquet file, from the contract's hints |
//! | `stats.rs` | what the log says about a file: rows, first and last time |
//! | `delta.rs` | reading and writing the transaction log |
//! | `snapshot.rs` | one version of a table |
//! | `writer.rs` | files and their atomic commit, with application transactions |
//! | `prune.rs` | which files can hold rows that a filter wants |
//! | `provider.rs` | one version as a table of the query engine |

mod delta;
mod error;
mod layout;
mod open;
mod parquet;
mod provider;
mod prune;
mod snapshot;
mod stats;
mod storage;
mod transactions;
mod writer;

pub use error::{Error, Result};
pub use open::Lake;
pub use parquet::{EncodedFile, Encoder};
pub use provider::query_schema;
pub use snapshot::{DataFile, Snapshot};
pub(crate) use storage::open_store;
pub use writer::{Committed, TableWriter, Transaction};

#[cfg(test)]
mod tests;
