//! How a value goes the short way into its column: what `aliases` and the contract say of it, put into one word.

use super::aliases::{Form, Target};
use super::units::Unit;
use crate::contract::ColumnType;
use crate::ingest::table::TableId;

/// The way of a key's values into a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) column: u8,
    pub(super) how: How,
}

/// What the short way does with a value; whatever else there may be is for the general one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Kept beside the columns.
    Aside,
    /// Not at all.
    General,
    /// A text, or a number as it is spelled.
    Text,
    Identity,
    Region,
    Message,
    Path,
    ErrorText,
    Level,
    SpanKind,
    SpanStatus,
    Time(Option<Unit>),
    Int32,
    Int64,
    Float,
    /// A duration, which is not negative.
    Duration,
    Bool,
}

impl Way {
    pub(super) fn of(table: TableId, target: Option<Target>) -> Way {
        match target {
            None => Way { column: 0, how: How::Aside },
            Some(target) => Way { column: target.column, how: How::of(table, target) },
        }
    }
}

impl How {
    fn of(table: TableId, target: Target) -> How {
        let (facts, column) = (table.facts(), target.column as usize);
        let kind = facts.columns()[column].kind;
        let how = match (target.form, kind) {
            (Form::Plain, ColumnType::String) => How::Text,
            (Form::Plain, ColumnType::Bool) => How::Bool,
            (Form::Plain | Form::Status, ColumnType::Int32) => How::Int32,
            (Form::Plain | Form::Status | Form::Size(1), ColumnType::Int64) => How::Int64,
            (Form::Plain | Form::Status, ColumnType::Float64) => How::Float,
            (Form::Millis(Some(Unit::Milliseconds)), ColumnType::Float64) => How::Duration,
            (Form::Time(unit), ColumnType::Timestamp) => How::Time(unit),
            (Form::Id, ColumnType::String) => How::Identity,
            (Form::Region, ColumnType::String) => How::Region,
            (Form::Message, ColumnType::String) => How::Message,
            (Form::Path, ColumnType::String) => How::Path,
            (Form::ErrorText, ColumnType::String) => How::ErrorText,
            (Form::Level, ColumnType::String) => How::Level,
            (Form::SpanKind, ColumnType::String) => How::SpanKind,
            (Form::SpanStatus, ColumnType::String) => How::SpanStatus,
            _ => How::General,
        };
        // These two are more than a column.
        let belongs = (how == How::Region) == (column == facts.region)
            && (how == How::Message) == (facts.message == Some(column));
        if belongs { how } else { How::General }
    }
}
