//! The lake: a directory or bucket with one Delta table per contract table.
//!
//! Data files are plain Parquet under `<table>/region=…/hour=…/`, sorted by the table's time column; the
//! transaction log beside them (`<table>/_delta_log/`) says which of them belong to which version. So a
//! commit is atomic, concurrent writers are safe, a version can be read again later, and any Parquet reader
//! reads the files as they are. Only the file `delta.rs` knows the crate that writes the log.
//!
//! | file | what it decides |
//! |---|---|
//! | `cloud/` | how the environment configures an object store |
//! | `storage.rs` | which store a URL or path means, and what is wrong with it |
//! | `layout.rs` | where a file goes, whatever the region is called |
//! | `parquet.rs` | how rows become a Parquet file, from the contract's hints |
//! | `selection.rs` | the rows that a file is made of, where they stand |
//! | `chunk/` | how most columns are encoded |
//! | `stats.rs` | what the log says about a file: rows, first and last time |
//! | `delta.rs` | reading and writing the transaction log |
//! | `snapshot.rs` | one version of a table |
//! | `writer.rs` | files and their atomic commit, with application transactions |
//! | `change.rs` | a commit that exchanges files, against other writers |
//! | `merge.rs` | several sorted files as few |
//! | `compact.rs` | which small files are merged, and their commit |
//! | `retention.rs` | which hours are too old |
//! | `vacuum.rs` | which files nobody needs any more |
//! | `restore.rs` | an older version as the newest |
//! | `history.rs` | the commits of a table, and which version stood when |
//! | `as_of.rs` | the lake as it was |
//! | `pins.rs` | versions that have to stay readable |
//! | `pending.rs` | commits of several tables that belong together |
//! | `status.rs` | sizes, rows, hours and gaps |
//! | `prune.rs` | which files can hold rows that a filter wants |
//! | `provider.rs` | one version as a table of the query engine |
//! | `counts.rs` | which counts of rows need no file |
//! | `reader.rs` | how the files of a scan are read |

mod as_of;
mod change;
mod chunk;
mod cloud;
mod compact;
mod counts;
mod delta;
mod error;
mod history;
mod layout;
mod lock;
mod merge;
mod open;
mod parquet;
mod pending;
mod pins;
mod provider;
mod prune;
mod reader;
mod restore;
mod retention;
mod selection;
mod snapshot;
mod stats;
mod status;
mod storage;
mod transactions;
mod vacuum;
mod writer;

pub use as_of::AsOf;
pub(crate) use cloud::open_store;
pub use compact::{Compacted, Compaction};
pub use counts::CountByLog;
pub use error::{Error, Result};
pub use history::Commit;
pub use lock::Lock;
pub use open::Lake;
pub use parquet::{EncodedFile, Encoder};
pub use pending::{Pending, by_table};
pub use pins::Pin;
pub use provider::query_schema;
pub use restore::{FORGOTTEN, Restored};
pub use retention::Retained;
pub(crate) use selection::Selection;
pub use snapshot::{Changes, DataFile, Snapshot};
pub use status::RegionStatus;
pub use vacuum::{Vacuum, Vacuumed};
pub use writer::{Committed, TableWriter, Transaction};

#[cfg(test)]
mod tests;
