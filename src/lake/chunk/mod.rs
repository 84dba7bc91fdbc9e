//! Column chunks, written here rather than by the Parquet library.
//!
//! Most of the time of writing telemetry went into steps that these files do without: gathering the rows of a partition
//! into new arrays first, hashing every value of a column whose distinct values the decoder knows already, and setting up
//! a compressor for each column of each file. What is rare or nested (times, maps, bytes) is left to the library.
//! The pages are those of the specification (<https://parquet.apache.org/docs/file-format/>), data pages of version 1; tests read them back with the
//! library.
//!
//! | file | subject |
//! |---|---|
//! | `text.rs` | text: with a dictionary where that pays, plain otherwise |
//! | `fixed.rs` | numbers and truth values |
//! | `column.rs` | what both have in common |
//! | `source.rs` | where the rows stand: arrays of text, or of places in a vocabulary |
//! | `pages.rs` | pages one behind the other: compressed where that pays, counted, listed in the offset index |
//! | `levels.rs` | the hybrid of repeated and bit-packed runs |
//! | `bounds.rs` | least and greatest value of a page and of the chunk |
//! | `bloom.rs` | the split-block bloom filter |

mod bloom;
mod bounds;
mod column;
mod fixed;
mod levels;
mod pages;
mod source;
mod text;

pub(super) use fixed::fixed;
pub(super) use pages::is_small;
pub(super) use source::{Source, is_text};
pub(super) use text::{Hints, text};
