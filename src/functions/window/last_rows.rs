//! The rows of the last stretch, for functions that are given a partition row by row and keep no more of it.

use crate::functions::Error;
use crate::functions::argument::primitive;
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::Int64Type;
use datafusion::common::Result;
use std::collections::VecDeque;

/// What the rows of the last stretch brought, the oldest first.
#[derive(Debug, Default)]
pub(super) struct LastRows<T> {
    rows: VecDeque<(i64, T)>,
    length: Option<i64>,
}

impl<T> LastRows<T> {
    /// Takes in a row, whose place and length are the last two arguments, and forgets those that lie `length` or more before it.
    /// What is left, or `None` where place or length are not known.
    pub(super) fn take_in(
        &mut self,
        function: &'static str,
        arguments: &[ArrayRef],
        row: usize,
        brought: Option<T>,
    ) -> Result<Option<impl ExactSizeIterator<Item = &T>>> {
        let [.., at, length] = arguments else { return Ok(None) };
        let (at, length) = (primitive::<Int64Type>(at)?, primitive::<Int64Type>(length)?);
        if at.is_null(row) || length.is_null(row) {
            return Ok(None);
        }
        let (at, length) = (at.value(row), self.checked(function, length.value(row))?);
        while self.rows.front().is_some_and(|(then, _)| *then <= at.saturating_sub(length)) {
            self.rows.pop_front();
        }
        self.rows.extend(brought.map(|brought| (at, brought)));
        Ok(Some(self.rows.iter().map(|(_, brought)| brought)))
    }

    /// What was forgotten for a shorter length cannot be counted for a longer one.
    fn checked(&mut self, function: &'static str, length: i64) -> Result<i64> {
        let first = *self.length.get_or_insert(length);
        if length < 1 || length != first {
            let got = if length < 1 { length.to_string() } else { format!("{first} and {length}") };
            let (argument, expected) = ("length", "1 or more, the same in every row of a partition");
            return Err(Error::Argument { function, argument, expected, got }.into());
        }
        Ok(length)
    }
}
