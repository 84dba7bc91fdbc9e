//! `burn_windows(bad, total, at, since, longs, shorts, shares)`: when too large a share of what lately happened was
//! bad, over a long and a short window at once.
//!
//! | rows | result |
//! |---|---|
//! | none, or none of them bad | an empty list |
//! | NULL in at or since | ignored |
//! | NULL in bad or total | as 0 |
//! | several at one time | one moment, in which all of them count |
//! | sums that leave bigint | an error |

use super::event_log::{Event, EventLog};
use crate::functions::Error;
use crate::functions::reference::{TRAILING, example};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, Int64Array, ListArray,
    PrimitiveArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type, Int64Type, TimeUnit};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

const NAME: &str = "burn_windows";
const MICROS: i64 = 1_000_000;

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct BurnWindows {
    signature: Signature,
}

impl Default for BurnWindows {
    fn default() -> Self {
        BurnWindows { signature: Signature::any(7, Volatility::Immutable) }
    }
}

/// Pairs of windows, in seconds, and the share from which on each is told.
#[derive(Debug, Clone, Default, PartialEq)]
struct Pairs {
    longs: Vec<i64>,
    shorts: Vec<i64>,
    shares: Vec<f64>,
}

impl Pairs {
    fn check(&self) -> Result<(), Error> {
        for (argument, seconds) in [("longs", &self.longs), ("shorts", &self.shorts)] {
            if let Some(wrong) = seconds.iter().find(|s| **s <= 0 || **s >= i64::MAX / MICROS) {
                return Err(refused(argument, "a list of whole seconds above 0", wrong.to_string()));
            }
        }
        if self.shares.iter().any(|share| share.is_nan()) {
            return Err(refused("shares", "a list of numbers", "NaN".to_owned()));
        }
        if self.longs.len() != self.shorts.len() || self.longs.len() != self.shares.len() {
            let got = format!("{}, {} and {}", self.longs.len(), self.shorts.len(), self.shares.len());
            return Err(refused("longs, shorts and shares", "lists of one length", got));
        }
        Ok(())
    }
}

/// The sums of the window of one length, while events go by.
#[derive(Debug, Default)]
struct Window {
    micros: i64,
    bad: i64,
    total: i64,
    oldest: usize,
}

impl Window {
    /// Takes in an event, and leaves out those that are too old for it; `None` when a sum is too large.
    fn advance(&mut self, events: &[Event], event: &Event) -> Option<()> {
        self.bad = self.bad.checked_add(event.bad)?;
        self.total = self.total.checked_add(event.total)?;
        while events[self.oldest].at <= event.at.saturating_sub(self.micros) {
            self.bad -= events[self.oldest].bad;
            self.total -= events[self.oldest].total;
            self.oldest += 1;
        }
        Some(())
    }

    fn reaches(&self, share: f64) -> bool {
        self.bad > 0 && self.bad as f64 / self.total as f64 >= share
    }
}

/// The events of a group, and what is asked of them.
#[derive(Debug, Default)]
struct Group {
    log: EventLog,
    /// `None` before the first row.
    asked: Option<Pairs>,
}

impl Group {
    /// What is asked has to be the same in every row.
    fn ask(&mut self, longs: &[i64], shorts: &[i64], shares: &[f64]) -> Result<(), Error> {
        match &self.asked {
            None => {
                let pairs = Pairs { longs: longs.to_vec(), shorts: shorts.to_vec(), shares: shares.to_vec() };
                pairs.check()?;
                self.asked = Some(pairs);
                Ok(())
            }
            Some(known) if known.longs == longs && known.shorts == shorts && known.shares == shares => Ok(()),
            Some(_) => Err(refused(
                "longs, shorts and shares",
                "the same lists in every row of a group",
                "lists that differ".to_owned(),
            )),
        }
    }

    /// The moments at which both windows of a pair hold enough that is bad, each with that pair.
    fn moments(&self) -> Result<Moments> {
        let too_large = || too_large_or_broken("a sum is too large for bigint");
        let mut found = Moments::default();
        let Some(pairs) = &self.asked else { return Ok(found) };
        let events = self.log.sorted().map_err(too_large_or_broken)?;
        let lengths: BTreeSet<i64> = pairs.longs.iter().chain(&pairs.shorts).copied().collect();
        let place = |seconds: &i64| lengths.range(..seconds).count();
        let places: Vec<_> = pairs.longs.iter().map(place).zip(pairs.shorts.iter().map(place)).collect();
        let window = |seconds: &i64| Window { micros: seconds * MICROS, ..Window::default() };
        let mut windows: Vec<Window> = lengths.iter().map(window).collect();
        let (mut since, mut spent) = (None, 0i64);
        for event in &events {
            if since.replace(event.since) != Some(event.since) {
                spent = 0;
            }
            spent = spent.checked_add(event.bad).ok_or_else(too_large)?;
            for window in &mut windows {
                window.advance(&events, event).ok_or_else(too_large)?;
            }
            for (pair, ((long, short), share)) in places.iter().zip(&pairs.shares).enumerate() {
                let (long, short) = (&windows[*long], &windows[*short]);
                if long.reaches(*share) && short.reaches(*share) {
                    let sums = [long.bad, long.total, short.bad, short.total];
                    found.push([event.at, event.since, spent, pair as i64 + 1], sums);
                }
            }
        }
        Ok(found)
    }
}

fn too_large_or_broken(reason: &'static str) -> DataFusionError {
    exec_datafusion_err!("{NAME}: {reason}")
}

fn refused(argument: &'static str, expected: &'static str, got: String) -> Error {
    Error::Argument { function: NAME, argument, expected, got }
}

/// Columns of the result, of one group or several, in the order of [`NAMES`].
#[derive(Debug, Default)]
struct Moments([Vec<i64>; NAMES.len()]);

/// What is told of a moment; the first two are times.
const NAMES: [&str; 8] =
    ["at", "since", "spent", "pair", "long_bad", "long_total", "short_bad", "short_total"];

impl Moments {
    fn push(&mut self, moment: [i64; 4], sums: [i64; 4]) {
        self.0.iter_mut().zip(moment.into_iter().chain(sums)).for_each(|(column, value)| column.push(value));
    }

    fn len(&self) -> usize {
        self.0[0].len()
    }

    fn append(&mut self, mut other: Moments) {
        self.0.iter_mut().zip(&mut other.0).for_each(|(column, more)| column.append(more));
    }

    /// One list for each group; `counts` are their lengths.
    fn into_lists(self, counts: Vec<usize>) -> Result<ListArray> {
        let fields = fields();
        let columns = self.0.into_iter().zip(&fields);
        let columns = columns.map(|(values, field)| Ok(cast(&Int64Array::from(values), field.data_type())?));
        let columns = columns.collect::<Result<_>>()?;
        let moments = StructArray::try_new(fields, columns, None)?;
        Ok(ListArray::try_new(moment(), OffsetBuffer::from_lengths(counts), Arc::new(moments), None)?)
    }
}

/// A list of what is asked of each group, or of each row.
fn list<T: ArrowPrimitiveType>(rows: &[&[T::Native]]) -> Result<ArrayRef> {
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.len()));
    let values = PrimitiveArray::<T>::from_iter_values(rows.iter().flat_map(|row| row.iter().copied()));
    let item = Arc::new(Field::new_list_field(T::DATA_TYPE, true));
    Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(values), None)?))
}

fn fields() -> Fields {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let kinds = std::iter::repeat_n(time, 2).chain(std::iter::repeat(DataType::Int64));
    NAMES.into_iter().zip(kinds).map(|(name, kind)| Field::new(name, kind, true)).collect()
}

fn moment() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}

/// A list of numbers in each row.
struct Lists<T: ArrowPrimitiveType> {
    argument: &'static str,
    lists: ListArray,
    values: PrimitiveArray<T>,
}

impl<T: ArrowPrimitiveType> Lists<T> {
    fn of(argument: &'static str, array: &ArrayRef) -> Result<Self> {
        let lists = array.as_list_opt::<i32>().ok_or_else(|| {
            refused(
                argument,
                "a list of numbers, the same in every row of a group",
                array.data_type().to_string(),
            )
        })?;
        let values = cast(lists.values(), &T::DATA_TYPE)?.as_primitive::<T>().clone();
        Ok(Lists { argument, lists: lists.clone(), values })
    }

    fn row(&self, row: usize) -> Result<&[T::Native], Error> {
        let (offsets, nulls) = (self.lists.value_offsets(), self.values.null_count());
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        if self.lists.is_null(row) || (nulls > 0 && range.clone().any(|i| self.values.is_null(i))) {
            return Err(refused(self.argument, "a list of numbers", "NULL".to_owned()));
        }
        Ok(&self.values.values()[range])
    }
}

/// The events of many groups.
#[derive(Debug, Default)]
struct Groups(Vec<Group>);

impl Groups {
    fn update(
        &mut self,
        values: &[ArrayRef],
        group: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let whole = |i: usize| -> Result<Int64Array> {
            Ok(cast(&values[i], &DataType::Int64)?.as_primitive::<Int64Type>().clone())
        };
        let time = |i: usize| -> Result<Int64Array> {
            let micros = cast(&values[i], &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            Ok(cast(&micros, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
        };
        let (bad, total, at, since) = (whole(0)?, whole(1)?, time(2)?, time(3)?);
        let lists =
            [Lists::<Int64Type>::of("longs", &values[4])?, Lists::<Int64Type>::of("shorts", &values[5])?];
        let shares = Lists::<Float64Type>::of("shares", &values[6])?;
        let value = |array: &Int64Array, row| if array.is_null(row) { 0 } else { array.value(row) };
        for row in 0..at.len() {
            let passes = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if !passes || at.is_null(row) || since.is_null(row) {
                continue;
            }
            let group = &mut self.0[group(row)];
            group.ask(lists[0].row(row)?, lists[1].row(row)?, shares.row(row)?)?;
            group.log.push(Event {
                at: at.value(row),
                since: since.value(row),
                bad: value(&bad, row),
                total: value(&total, row),
            });
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], group: impl Fn(usize) -> usize) -> Result<()> {
        let logs = states[0].as_binary_opt::<i32>();
        let logs =
            logs.ok_or_else(|| too_large_or_broken("unexpected columns between the stages of a query"))?;
        let (longs, shorts) =
            (Lists::<Int64Type>::of("longs", &states[1])?, Lists::<Int64Type>::of("shorts", &states[2])?);
        let shares = Lists::<Float64Type>::of("shares", &states[3])?;
        for row in (0..logs.len()).filter(|row| logs.is_valid(*row)) {
            let group = &mut self.0[group(row)];
            group.ask(longs.row(row)?, shorts.row(row)?, shares.row(row)?)?;
            group.log.append(logs.value(row)).map_err(too_large_or_broken)?;
        }
        Ok(())
    }

    fn finish(groups: &[Group]) -> Result<ListArray> {
        let (mut all, mut counts) = (Moments::default(), Vec::with_capacity(groups.len()));
        for group in groups {
            let moments = group.moments()?;
            counts.push(moments.len());
            all.append(moments);
        }
        all.into_lists(counts)
    }

    fn states(groups: &[Group]) -> Result<Vec<ArrayRef>> {
        let logs: BinaryArray = groups.iter().map(|g| g.asked.is_some().then(|| g.log.bytes())).collect();
        let none = Pairs::default();
        let asked: Vec<&Pairs> = groups.iter().map(|g| g.asked.as_ref().unwrap_or(&none)).collect();
        Ok(vec![
            Arc::new(logs),
            list::<Int64Type>(&asked.iter().map(|pairs| &pairs.longs[..]).collect::<Vec<_>>())?,
            list::<Int64Type>(&asked.iter().map(|pairs| &pairs.shorts[..]).collect::<Vec<_>>())?,
            list::<Float64Type>(&asked.iter().map(|pairs| &pairs.shares[..]).collect::<Vec<_>>())?,
        ])
    }

    fn size(&self) -> usize {
        size_of_val(self)
            + self.0.capacity() * size_of::<Group>()
            + self.0.iter().map(|group| group.log.heap_size()).sum::<usize>()
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.0.resize_with(count, Group::default);
        self.update(values, |row| groups[row], filter)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.0.resize_with(count, Group::default);
        self.merge(states, |row| groups[row])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(Groups::finish(&emit_to.take_needed(&mut self.0))?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Groups::states(&emit_to.take_needed(&mut self.0))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut rows = Groups::default();
        rows.0.resize_with(values[0].len(), Group::default);
        rows.update(values, |row| row, filter)?;
        Groups::states(&rows.0)
    }

    fn size(&self) -> usize {
        Groups::size(self)
    }
}

/// The events of a query without groups.
#[derive(Debug)]
struct Single(Groups);

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update(values, |_| 0, None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, |_| 0)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&Groups::finish(&self.0.0)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Groups::states(&self.0.0)?.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

impl AggregateUDFImpl for BurnWindows {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(moment()))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |name, kind| Arc::new(Field::new(format_state_name(args.name, name), kind, true));
        Ok(vec![
            field("events", DataType::Binary),
            field("longs", DataType::new_list(DataType::Int64, true)),
            field("shorts", DataType::new_list(DataType::Int64, true)),
            field("shares", DataType::new_list(DataType::Float64, true)),
        ])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single(Groups(vec![Group::default()]))))
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
                TRAILING,
                "Returns the moments `at` at which, for one of several pairs of windows, at least the pair's share of `total` was \
                 bad, and anything was, both over its long and over its short window: what a burn-rate alert on an error budget \
                 looks at. A window holds the rows after the moment minus its length and up to the moment. Told are the sums \
                 of both windows, which pair it is (`pair`, the place in the lists, from 1), the start of the budget's period \
                 (`since`) and what was bad in that period so far (`spent`); in the order of time, then of pairs. Rows \
                 may come in any order and take about ten bytes each, so that months of many series fit into memory.\n\n\
                 Rows without `at` or `since` are ignored. Without anything bad the list is empty.\n\n\
                 Source: Beyer et al., \"The Site Reliability Workbook\", 2018, chapter 5 (multiwindow, multi-burn-rate alerts).",
                "burn_windows(bad, total, at, since, longs, shorts, shares) -> struct(at, since, spent, pair, long_bad, long_total, short_bad, short_total)[]",
            )
            .with_argument("bad", "bigint; what counts against a budget")
            .with_argument("total", "bigint; what it is part of")
            .with_argument("at", "timestamp; when it was")
            .with_argument("since", "timestamp; when the period of the budget began")
            .with_argument("longs", "bigint[]; seconds of the long window of each pair; the same in every row of a group")
            .with_argument("shorts", "bigint[]; seconds of the short window of each pair; the same in every row of a group")
            .with_argument("shares", "double[]; the share from which on each pair is told; the same in every row of a group")
            .with_sql_example(example(
                "with burns as (\n  select unnest(burn_windows(bad, 10, t, timestamp '2025-01-15 00:00:00', [3600, 7200], [300, 600], [0.2, 0.5])) as burn\n  from (values (timestamp '2025-01-15 10:00:00', 0), (timestamp '2025-01-15 10:05:00', 4), (timestamp '2025-01-15 10:10:00', 1)) as s(t, bad)\n)\nselect burn['at'] as at, burn['pair'] as pair, burn['long_bad'] as bad, burn['long_total'] as total, burn['spent'] as spent from burns;",
                "
+----------------------+------+-----+-------+-------+
| at                   | pair | bad | total | spent |
+----------------------+------+-----+-------+-------+
| 2025-01-15T10:05:00Z | 1    | 4   | 20    | 4     |
+----------------------+------+-----+-------+-------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
