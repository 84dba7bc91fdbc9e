//! Markdown as blocks and runs: the part of CommonMark, and the tables of GitHub, that reports and
//! certificates are written in.

mod block;
mod inline;
mod table;

pub(super) use block::parse;
