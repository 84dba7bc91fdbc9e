//! `request_series(slot, requests, errors, durations, latency)`: requests counted by slots of time, packed.
//!
//! | rows | result |
//! |---|---|
//! | none, or only without a slot | NULL |
//! | NULL in slot | ignored |
//! | NULL in requests, errors or durations | as 0 |
//! | NULL in latency, or a sketch of no values | without a sketch |
//! | several of one slot | one slot with the sums of the counts and the merged sketch |
//! | a slot below 0 or above 4294967295 | error |
//! | sums that leave bigint | error |

use crate::functions::argument::{binaries, large_binaries, primitive};
use crate::functions::reference::{SERIES, example};
use crate::functions::series::{CountLog, Counts, NotASeries, each_count};
use crate::functions::{Error, QuantileSketch};
use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, LargeBinaryBuilder};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, Signature, TypeSignature,
    Volatility,
};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

const NAME: &str = "request_series";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RequestSeries {
    signature: Signature,
}

impl Default for RequestSeries {
    fn default() -> Self {
        // Parquet readers give binary columns in three types.
        let kinds = [DataType::Binary, DataType::BinaryView, DataType::LargeBinary];
        let of = |sketch| TypeSignature::Exact([vec![DataType::Int64; 4], vec![sketch]].concat());
        RequestSeries { signature: Signature::one_of(kinds.map(of).into(), Volatility::Immutable) }
    }
}

fn broken(source: NotASeries) -> Error {
    Error::Series { function: NAME, source }
}

fn refused(argument: &'static str, expected: &'static str, got: String) -> Error {
    Error::Argument { function: NAME, argument, expected, got }
}

/// The counts of one slot, added up.
struct Sum<'a> {
    counts: Counts<'a>,
    latency: Option<Cow<'a, [u8]>>,
}

impl<'a> Sum<'a> {
    fn of(counts: Counts<'a>) -> Self {
        Sum { counts, latency: counts.latency.map(Cow::Borrowed) }
    }

    fn add(&mut self, more: Counts<'a>) -> Result<(), Error> {
        let add = |argument, one: i64, other: i64| {
            one.checked_add(other)
                .ok_or_else(|| refused(argument, "sums that fit into bigint", format!("{one} + {other}")))
        };
        self.counts.requests = add("requests", self.counts.requests, more.requests)?;
        self.counts.errors = add("errors", self.counts.errors, more.errors)?;
        self.counts.durations = add("durations", self.counts.durations, more.durations)?;
        self.latency = match (self.latency.take(), more.latency) {
            (Some(one), Some(other)) => {
                let fail = |source| Error::Sketch { function: NAME, source };
                let mut both = QuantileSketch::from_bytes(&one).map_err(fail)?;
                both.merge_bytes(other).map_err(fail)?;
                Some(Cow::Owned(both.to_bytes()))
            }
            (one, other) => one.or(other.map(Cow::Borrowed)),
        };
        Ok(())
    }
}

/// The series of a log: each slot once, in the order of time.
fn series(log: &CountLog) -> Result<CountLog, Error> {
    let mut all = Vec::new();
    each_count(log.bytes(), |counts| all.push(counts)).map_err(broken)?;
    all.sort_by_key(|counts| counts.slot);
    let mut sums: Vec<Sum<'_>> = Vec::with_capacity(all.len());
    for counts in all {
        match sums.last_mut().filter(|sum| sum.counts.slot == counts.slot) {
            Some(sum) => sum.add(counts)?,
            None => sums.push(Sum::of(counts)),
        }
    }
    let mut whole = CountLog::default();
    for sum in &sums {
        whole.push(Counts { latency: sum.latency.as_deref(), ..sum.counts });
    }
    Ok(whole)
}

#[derive(Debug, Default)]
struct Groups {
    logs: Vec<CountLog>,
    /// Heap of all logs, kept up to date because asking each one would take too long.
    heap: usize,
}

impl Groups {
    #[inline]
    fn change(
        &mut self,
        group: usize,
        change: impl FnOnce(&mut CountLog) -> Result<(), Error>,
    ) -> Result<()> {
        let log = &mut self.logs[group];
        let before = log.heap_size();
        let outcome = change(log);
        self.heap = self.heap + log.heap_size() - before;
        Ok(outcome?)
    }

    fn update(
        &mut self,
        values: &[ArrayRef],
        group: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let numbers = |i: usize| primitive::<Int64Type>(&values[i]);
        let (slots, requests, errors, durations) = (numbers(0)?, numbers(1)?, numbers(2)?, numbers(3)?);
        let sketches = binaries(&values[4])?;
        let value = |array: &Int64Array, row| if array.is_null(row) { 0 } else { array.value(row) };
        for row in 0..slots.len() {
            let passes = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if !passes || slots.is_null(row) {
                continue;
            }
            let slot = u32::try_from(slots.value(row)).map_err(|_| {
                let got = slots.value(row).to_string();
                refused("slot", "the number of a slot, 0 to 4294967295", got)
            })?;
            let latency = sketches.is_valid(row).then(|| sketches.value(row));
            let latency = match latency.map(QuantileSketch::holds_values).transpose() {
                Ok(holds) => latency.filter(|_| holds == Some(true)),
                Err(source) => return Err(Error::Sketch { function: NAME, source }.into()),
            };
            let counts = Counts {
                slot,
                requests: value(requests, row),
                errors: value(errors, row),
                durations: value(durations, row),
                latency,
            };
            self.change(group(row), |log| {
                log.push(counts);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], group: impl Fn(usize) -> usize) -> Result<()> {
        let logs = large_binaries(&states[0])?;
        for row in (0..logs.len()).filter(|row| logs.is_valid(*row)) {
            self.change(group(row), |log| log.append(logs.value(row)).map_err(broken))?;
        }
        Ok(())
    }

    /// The bytes of groups, each turned into a series where that is asked for.
    fn take(&mut self, emit_to: EmitTo, is_final: bool) -> Result<ArrayRef> {
        let mut taken = Vec::new();
        for log in emit_to.take_needed(&mut self.logs) {
            self.heap -= log.heap_size();
            taken.push(if is_final && !log.is_series() { series(&log)? } else { log });
        }
        // Growing by doubling would leave half of a large column empty.
        let size = taken.iter().map(|log| log.bytes().len()).sum();
        let mut column = LargeBinaryBuilder::with_capacity(taken.len(), size);
        taken.iter().for_each(|log| column.append_option((!log.is_empty()).then(|| log.bytes())));
        Ok(Arc::new(column.finish()))
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.logs.resize_with(total, CountLog::default);
        self.update(values, |row| groups[row], filter)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.logs.resize_with(total, CountLog::default);
        self.merge(states, |row| groups[row])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.take(emit_to, true)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.take(emit_to, false)?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut rows = Groups::default();
        rows.logs.resize_with(values[0].len(), CountLog::default);
        rows.update(values, |row| row, filter)?;
        GroupsAccumulator::state(&mut rows, EmitTo::All)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.logs.capacity() * size_of::<CountLog>() + self.heap
    }
}

/// The counts of a query without groups.
#[derive(Debug)]
struct Single(Groups);

impl Single {
    fn new() -> Self {
        Single(Groups { logs: vec![CountLog::default()], heap: 0 })
    }

    fn column(&mut self, is_final: bool) -> Result<ScalarValue> {
        let column = self.0.take(EmitTo::All, is_final)?;
        *self = Single::new();
        ScalarValue::try_from_array(&column, 0)
    }
}

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update(values, |_| 0, None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, |_| 0)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.column(true)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.column(false)?])
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }
}

impl AggregateUDFImpl for RequestSeries {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::LargeBinary)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "counts");
        Ok(vec![Arc::new(Field::new(name, DataType::LargeBinary, true))])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single::new()))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::default()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns requests counted by slots of time as one value: for each slot its number, its requests, errors and \
                 durations, and the sketch of its latencies, in about twenty bytes where there is one request. Several rows of \
                 a slot are added up and their sketches merged. The same bytes in any order of rows and at any number of \
                 threads. `request_points` makes rows of it.\n\n\
                 NULL when no row has a slot; rows without one are ignored, and NULL counts are 0. An error for a slot outside \
                 0 to 4294967295, for sums that leave bigint, and when bytes are not a sketch.",
                "request_series(slot, requests, errors, durations, latency) -> large binary",
            )
            .with_argument("slot", "bigint; the number of the slot, such as five minutes since 1970")
            .with_argument("requests", "bigint; how many there were")
            .with_argument("errors", "bigint; how many of them failed")
            .with_argument("durations", "bigint; how many of them have a duration")
            .with_argument("latency", "binary; the sketch of their latencies, or NULL")
            .with_sql_example(example(
                "with packed as (\n  select request_series(slot, requests, errors, 0, arrow_cast(null, 'Binary')) as series\n  from (values (2, 10, 1), (7, 5, 0), (2, 4, 1)) as t(slot, requests, errors)\n)\nselect point['slot'] as slot, point['requests'] as requests, point['errors'] as errors\nfrom (select unnest(request_points(series)) as point from packed);",
                "
+------+----------+--------+
| slot | requests | errors |
+------+----------+--------+
| 2    | 14       | 2      |
| 7    | 5        | 0      |
+------+----------+--------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
