//! Accumulators over mergeable summaries, one for a single group and one for many groups at once.
//!
//! Both keep one summary for each group and pass it between the stages of a query as bytes; a group without
//! values passes NULL and finishes as NULL.

use crate::functions::argument::{binaries, doubles};
use crate::functions::{Error, ExactSum, QuantileSketch};
use arrow::array::{Array, ArrayRef, BinaryArray, BinaryBuilder, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_datafusion_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

/// A summary of many values that other summaries can be merged into.
pub(super) trait Summary: Debug + Default + Send + Sync + 'static {
    /// Whether an added value can be taken back.
    const CAN_REMOVE: bool;
    fn add(&mut self, value: f64);
    fn remove(&mut self, value: f64);
    /// Takes in what came from outside.
    fn merge_bytes(&mut self, function: &'static str, bytes: &[u8]) -> Result<()>;
    /// Takes in what an earlier stage of the query has written or checked.
    fn merge_state(&mut self, function: &'static str, bytes: &[u8]) -> Result<()> {
        self.merge_bytes(function, bytes)
    }
    fn bytes(&self) -> Cow<'_, [u8]>;
    fn is_empty(&self) -> bool;
    fn heap_size(&self) -> usize;
}

impl Summary for QuantileSketch {
    const CAN_REMOVE: bool = false;

    #[inline]
    fn add(&mut self, value: f64) {
        self.insert(value);
    }

    fn remove(&mut self, _: f64) {}

    fn merge_bytes(&mut self, function: &'static str, bytes: &[u8]) -> Result<()> {
        Ok(QuantileSketch::merge_bytes(self, bytes).map_err(|source| Error::Sketch { function, source })?)
    }

    fn bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.to_bytes())
    }

    fn is_empty(&self) -> bool {
        QuantileSketch::is_empty(self)
    }

    fn heap_size(&self) -> usize {
        QuantileSketch::heap_size(self)
    }
}

/// What sketches merge into. One alone stays as it came: most minutes of a rollup have one sketch for each key.
#[derive(Debug, Default)]
pub(super) enum Merged {
    /// No values yet.
    #[default]
    Nothing,
    /// The bytes of the only sketch so far.
    One(Box<[u8]>),
    /// All values of several.
    Many(QuantileSketch),
}

impl Summary for Merged {
    const CAN_REMOVE: bool = false;

    fn add(&mut self, value: f64) {
        let mut sketch = QuantileSketch::new();
        sketch.insert(value);
        // Its own bytes are a sketch.
        let _ = self.merge_bytes("sketch_merge", &sketch.to_bytes());
    }

    fn remove(&mut self, _: f64) {}

    fn merge_bytes(&mut self, function: &'static str, bytes: &[u8]) -> Result<()> {
        let refuse = |source| Error::Sketch { function, source };
        match self {
            Merged::Nothing => {
                if QuantileSketch::holds_values(bytes).map_err(refuse)? {
                    *self = Merged::One(bytes.into());
                }
            }
            Merged::One(first) => {
                let mut sketch = QuantileSketch::from_bytes(first).map_err(refuse)?;
                sketch.merge_bytes(bytes).map_err(refuse)?;
                *self = Merged::Many(sketch);
            }
            Merged::Many(sketch) => sketch.merge_bytes(bytes).map_err(refuse)?,
        }
        Ok(())
    }

    /// States of sketches without values are NULL, so the bytes need no look.
    fn merge_state(&mut self, function: &'static str, bytes: &[u8]) -> Result<()> {
        if self.is_empty() {
            *self = Merged::One(bytes.into());
            return Ok(());
        }
        self.merge_bytes(function, bytes)
    }

    fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Merged::Nothing => Cow::Owned(QuantileSketch::new().to_bytes()),
            Merged::One(bytes) => Cow::Borrowed(bytes),
            Merged::Many(sketch) => Cow::Owned(sketch.to_bytes()),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Merged::Nothing)
    }

    fn heap_size(&self) -> usize {
        match self {
            Merged::Nothing => 0,
            Merged::One(bytes) => bytes.len(),
            Merged::Many(sketch) => sketch.heap_size(),
        }
    }
}

impl Summary for ExactSum {
    const CAN_REMOVE: bool = true;

    #[inline]
    fn add(&mut self, value: f64) {
        ExactSum::add(self, value);
    }

    fn remove(&mut self, value: f64) {
        ExactSum::remove(self, value);
    }

    fn merge_bytes(&mut self, function: &'static str, bytes: &[u8]) -> Result<()> {
        ExactSum::merge_bytes(self, bytes).map_err(|error| internal_datafusion_err!("{function}: {error}"))
    }

    fn bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.to_bytes())
    }

    fn is_empty(&self) -> bool {
        self.count() == 0
    }

    fn heap_size(&self) -> usize {
        ExactSum::heap_size(self)
    }
}

/// What rows bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// Values.
    Doubles,
    /// Summaries of values.
    Bytes,
}

/// An aggregate function over a kind of summary.
#[derive(Debug)]
pub(super) struct Aggregate<S> {
    pub(super) function: &'static str,
    pub(super) input: Input,
    /// From summaries to results, NULL for an empty one.
    pub(super) finish: fn(&[S]) -> ArrayRef,
}

impl<S> Clone for Aggregate<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Aggregate<S> {}

impl<S: Summary> Aggregate<S> {
    pub(super) fn accumulator(self, args: &AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.refuse_distinct(args)?;
        Ok(Box::new(Single { aggregate: self, summary: S::default() }))
    }

    pub(super) fn groups_accumulator(self, args: &AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        self.refuse_distinct(args)?;
        Ok(Box::new(Groups { aggregate: self, summaries: Vec::<S>::new(), heap: 0 }))
    }

    fn refuse_distinct(self, args: &AccumulatorArgs) -> Result<()> {
        if args.is_distinct {
            return plan_err!(
                "{0}: `distinct` is not supported; select distinct values in a subquery first",
                self.function
            );
        }
        Ok(())
    }
}

/// The column that carries summaries between the stages of a query.
pub(super) fn state_fields(args: &StateFieldsArgs) -> Vec<FieldRef> {
    vec![Arc::new(Field::new(format_state_name(args.name, "summary"), DataType::Binary, true))]
}

/// Summaries as bytes, NULL for an empty one.
pub(super) fn bytes_column<S: Summary>(summaries: &[S]) -> ArrayRef {
    let mut column = BinaryBuilder::with_capacity(summaries.len(), 32 * summaries.len());
    for summary in summaries {
        if summary.is_empty() {
            column.append_null();
        } else {
            column.append_value(summary.bytes());
        }
    }
    Arc::new(column.finish())
}

#[derive(Debug)]
struct Single<S> {
    aggregate: Aggregate<S>,
    summary: S,
}

impl<S: Summary> Accumulator for Single<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match self.aggregate.input {
            Input::Bytes => binaries(&values[0])?
                .iter()
                .flatten()
                .try_for_each(|bytes| self.summary.merge_bytes(self.aggregate.function, bytes)),
            Input::Doubles => {
                let values = doubles(&values[0])?;
                if values.null_count() == 0 {
                    values.values().iter().for_each(|value| self.summary.add(*value));
                } else {
                    values.iter().flatten().for_each(|value| self.summary.add(value));
                }
                Ok(())
            }
        }
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        binaries(&states[0])?
            .iter()
            .flatten()
            .try_for_each(|bytes| self.summary.merge_state(self.aggregate.function, bytes))
    }

    fn supports_retract_batch(&self) -> bool {
        S::CAN_REMOVE && self.aggregate.input == Input::Doubles
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        doubles(&values[0])?.iter().flatten().for_each(|value| self.summary.remove(value));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&(self.aggregate.finish)(std::slice::from_ref(&self.summary)), 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary((!self.summary.is_empty()).then(|| self.summary.bytes().into_owned()))])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.summary.heap_size()
    }
}

struct Groups<S> {
    aggregate: Aggregate<S>,
    summaries: Vec<S>,
    /// Heap of all summaries, kept up to date because asking each one would take too long.
    heap: usize,
}

impl<S: Summary> Groups<S> {
    #[inline]
    fn change(&mut self, group: usize, change: impl FnOnce(&mut S) -> Result<()>) -> Result<()> {
        let summary = &mut self.summaries[group];
        let before = summary.heap_size();
        let outcome = change(summary);
        self.heap = self.heap + summary.heap_size() - before;
        outcome
    }

    fn merge(
        &mut self,
        rows: &BinaryArray,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        merge: impl Fn(&mut S, &'static str, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let function = self.aggregate.function;
        for (row, (bytes, group)) in rows.iter().zip(groups).enumerate() {
            if let Some(bytes) = bytes.filter(|_| passes(filter, row)) {
                self.change(*group, |summary| merge(summary, function, bytes))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<S> {
        let taken = emit_to.take_needed(&mut self.summaries);
        self.heap -= taken.iter().map(Summary::heap_size).sum::<usize>();
        taken
    }
}

/// A row counts when there is no filter, or the filter is true for it (not NULL).
#[inline]
fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl<S: Summary> GroupsAccumulator for Groups<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.summaries.resize_with(total, S::default);
        if self.aggregate.input == Input::Bytes {
            return self.merge(&binaries(&values[0])?, groups, filter, S::merge_bytes);
        }
        let values = doubles(&values[0])?;
        let is_dense = filter.is_none() && values.null_count() == 0;
        for (row, (value, group)) in values.values().iter().zip(groups).enumerate() {
            if is_dense || (values.is_valid(row) && passes(filter, row)) {
                self.change(*group, |summary| {
                    summary.add(*value);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.summaries.resize_with(total, S::default);
        self.merge(&binaries(&values[0])?, groups, None, S::merge_state)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok((self.aggregate.finish)(&self.take(emit_to)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![bytes_column(&self.take(emit_to))])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        if self.aggregate.input == Input::Bytes {
            let rows = binaries(&values[0])?;
            let summary = |(row, bytes): (usize, Option<&[u8]>)| {
                let mut summary = S::default();
                let kept = bytes.filter(|_| passes(filter, row));
                kept.map_or(Ok(()), |bytes| summary.merge_bytes(self.aggregate.function, bytes))?;
                Ok(summary)
            };
            let summaries: Vec<S> = rows.iter().enumerate().map(summary).collect::<Result<_>>()?;
            return Ok(vec![bytes_column(&summaries)]);
        }
        let values = doubles(&values[0])?;
        let summary = |(row, value): (usize, Option<f64>)| {
            let mut summary = S::default();
            value.filter(|_| passes(filter, row)).into_iter().for_each(|value| summary.add(value));
            summary
        };
        Ok(vec![bytes_column(&values.iter().enumerate().map(summary).collect::<Vec<_>>())])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.summaries.capacity() * size_of::<S>() + self.heap
    }
}
