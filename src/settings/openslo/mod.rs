//! Service level objectives as OpenSLO v1 documents (<https://github.com/OpenSLO/OpenSLO>), read into the same
//! settings as `tars.toml`, and written from them.
//!
//! Documents become entries of the lists `slo`, `composite` and `burn_tier`, so that every check of the settings
//! holds for them too. What OpenSLO says and cannot be honoured here is an error that names the file, the line,
//! the object and the key; what is merely of no use (a DataSource, a notification target) is a note.

mod alert;
mod export;
mod fields;
mod files;
mod indicator;
mod objective;
mod slo;
mod time;
mod yaml;

pub use export::export;
pub(super) use files::{Entries, read};

#[cfg(test)]
mod tests;
