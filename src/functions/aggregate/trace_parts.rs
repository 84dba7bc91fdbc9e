//! `trace_parts(region, span_id, parent_span_id, peer_region, is_error, is_judged)`: whether the spans of a trace hang
//! together.
//!
//! | rows | result |
//! |---|---|
//! | none, or none that is judged | an empty list |
//! | NULL in `is_error` or `is_judged` | counts as false |
//! | a span without `span_id` | counts, and is nobody's parent |
//! | the same span several times | counts once |

use crate::functions::reference::{TRACES, example};
use crate::functions::span_lists::SpanLists;
use crate::functions::trace::{Span, SpanRow, Texts, parts};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, BooleanBuilder, Int64Builder, ListArray,
    StringViewArray, StringViewBuilder, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue, internal_datafusion_err, plan_err, resources_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "trace_parts";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct TraceParts {
    signature: Signature,
}

impl Default for TraceParts {
    fn default() -> Self {
        let texts = std::iter::repeat_n(DataType::Utf8View, 4);
        let types = texts.chain([DataType::Boolean, DataType::Boolean]).collect();
        TraceParts { signature: Signature::exact(types, Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    let count = |name: &str| Field::new(name, DataType::Int64, true);
    let flag = |name: &str| Field::new(name, DataType::Boolean, true);
    Fields::from(vec![
        Field::new("region", DataType::Utf8View, true),
        count("spans"),
        count("child_spans"),
        count("orphans"),
        count("links_abroad"),
        flag("is_rootless"),
        flag("is_cross_region"),
        flag("is_broken"),
    ])
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}

impl AggregateUDFImpl for TraceParts {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(item()))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "spans"), DataType::Binary, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(&args)?;
        Ok(Box::new(Whole { traces: Traces::default() }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        refuse_distinct(&args)?;
        Ok(Box::new(Traces::default()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                TRACES,
                "Returns what the judged spans of a trace come to, as a list: a row for each region, in the order of their names, and \
                 one with `region` NULL for the whole trace. `spans` are different ones, `child_spans` those that name a parent, \
                 `orphans` those whose parent is not among the rows, `links_abroad` those whose parent ran in another region. Three \
                 flags are of the whole trace: `is_rootless` when every span names a parent, `is_cross_region` when it touches two \
                 regions or calls another, `is_broken` when it does and has an orphan, or a call to another region that succeeded and \
                 that no span names as its parent.\n\n\
                 Rows that are not judged are parents and answers only; without a judged row the list is empty. Use it with \
                 `group by trace_id`.",
                "trace_parts(region, span_id, parent_span_id, peer_region, is_error, is_judged) -> list",
            )
            .with_argument("region", "text; where the span ran")
            .with_argument("span_id", "text; its identifier")
            .with_argument("parent_span_id", "text; that of its parent, NULL for a root")
            .with_argument("peer_region", "text; the region that it called, NULL for none")
            .with_argument("is_error", "boolean; whether it failed")
            .with_argument("is_judged", "boolean; whether it is counted")
            .with_sql_example(example(
                "select p['region'] as region, p['spans'] as spans, p['orphans'] as orphans, p['is_broken'] as broken\nfrom (\n  select unnest(trace_parts(region, span, parent, null, false, true)) as p\n  from (values ('eu', '1', null), ('eu', '2', '1'), ('us', '3', '9')) as t(region, span, parent)\n);",
                "
+--------+-------+---------+--------+
| region | spans | orphans | broken |
+--------+-------+---------+--------+
| eu     | 2     | 0       | true   |
| us     | 1     | 1       | true   |
|        | 3     | 1       | true   |
+--------+-------+---------+--------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

fn refuse_distinct(args: &AccumulatorArgs) -> Result<()> {
    if args.is_distinct {
        return plan_err!("{NAME}: `distinct` is not supported; the same span counts once as it is");
    }
    Ok(())
}

/// The spans of each group.
#[derive(Debug, Default)]
struct Traces {
    texts: Texts,
    groups: SpanLists,
}

impl Traces {
    fn push(&mut self, group: usize, span: &Span) -> Result<()> {
        let too_many = || resources_datafusion_err!("{NAME}: expected up to four billion spans at a time");
        self.groups.push(group, span).ok_or_else(too_many)
    }

    fn add(
        &mut self,
        values: &[ArrayRef],
        group_of: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let rows = Rows::of(values)?;
        for row in (0..rows.len()).filter(|row| passes(filter, *row)) {
            let span = self.texts.span(&rows.row(row));
            self.push(group_of(row), &span)?;
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], group_of: impl Fn(usize) -> usize) -> Result<()> {
        let states = states[0].as_binary_opt::<i32>();
        let states = states.ok_or_else(|| internal_datafusion_err!("{NAME}: a state that is not binary"))?;
        for (row, bytes) in states.iter().enumerate() {
            let mut rest = bytes.unwrap_or_default();
            while !rest.is_empty() {
                let span = self.texts.read(&mut rest);
                let span =
                    span.ok_or_else(|| internal_datafusion_err!("{NAME}: a state that holds no spans"))?;
                self.push(group_of(row), &span)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> SpanLists {
        match emit_to {
            EmitTo::All => std::mem::take(&mut self.groups),
            EmitTo::First(groups) => self.groups.take_first(groups),
        }
    }

    fn states(&self, groups: &SpanLists) -> ArrayRef {
        let mut column = BinaryBuilder::with_capacity(groups.len(), 0);
        let mut bytes = Vec::new();
        for group in 0..groups.len() {
            bytes.clear();
            groups.list(group).for_each(|span| self.texts.write(&span, &mut bytes));
            column.append_value(&bytes);
        }
        Arc::new(column.finish())
    }

    fn results(&self, groups: &SpanLists) -> Result<ListArray> {
        let mut region = StringViewBuilder::new();
        let mut counts: [Int64Builder; 4] = std::array::from_fn(|_| Int64Builder::new());
        let mut flags: [BooleanBuilder; 3] = std::array::from_fn(|_| BooleanBuilder::new());
        let mut lengths = Vec::with_capacity(groups.len());
        let mut spans = Vec::new();
        for group in 0..groups.len() {
            spans.clear();
            spans.extend(groups.list(group));
            let found = parts(&spans, &self.texts);
            lengths.push(found.len());
            for part in &found {
                region.append_option(part.region);
                let of_part = [part.spans, part.child_spans, part.orphans, part.links_abroad];
                counts.iter_mut().zip(of_part).for_each(|(column, count)| column.append_value(count));
                let of_trace = [part.is_rootless, part.is_cross_region, part.is_broken];
                flags.iter_mut().zip(of_trace).for_each(|(column, flag)| column.append_value(flag));
            }
        }
        let mut columns: Vec<ArrayRef> = vec![Arc::new(region.finish())];
        columns.extend(counts.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.extend(flags.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        let rows = StructArray::try_new(fields(), columns, None)?;
        Ok(ListArray::try_new(item(), OffsetBuffer::from_lengths(lengths), Arc::new(rows), None)?)
    }

    fn heap_size(&self) -> usize {
        self.texts.heap_size() + self.groups.heap_size()
    }
}

/// The columns of a batch.
struct Rows<'a> {
    texts: [&'a StringViewArray; 4],
    is_error: &'a BooleanArray,
    is_judged: &'a BooleanArray,
}

impl<'a> Rows<'a> {
    fn of(values: &'a [ArrayRef]) -> Result<Self> {
        let wrong = || internal_datafusion_err!("{NAME}: arguments that its signature does not allow");
        let text = |i: usize| values.get(i).and_then(|v| v.as_string_view_opt()).ok_or_else(wrong);
        let flag = |i: usize| values.get(i).and_then(|v| v.as_boolean_opt()).ok_or_else(wrong);
        let texts = [text(0)?, text(1)?, text(2)?, text(3)?];
        Ok(Rows { texts, is_error: flag(4)?, is_judged: flag(5)? })
    }

    fn len(&self) -> usize {
        self.is_error.len()
    }

    fn row(&self, row: usize) -> SpanRow<'a> {
        let [region, id, parent, peer_region] =
            self.texts.map(|column| column.is_valid(row).then(|| column.value(row)));
        let flag = |column: &BooleanArray| column.is_valid(row) && column.value(row);
        let (is_error, is_judged) = (flag(self.is_error), flag(self.is_judged));
        SpanRow { region, id, parent, peer_region, is_error, is_judged }
    }
}

/// A row counts when there is no filter, or the filter is true for it (not NULL).
fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl GroupsAccumulator for Traces {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.groups.resize(total);
        self.add(values, |row| groups[row], filter)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.groups.resize(total);
        self.merge(values, |row| groups[row])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = self.take(emit_to);
        Ok(Arc::new(self.results(&groups)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = self.take(emit_to);
        Ok(vec![self.states(&groups)])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut alone = Traces::default();
        alone.groups.resize(values.first().map_or(0, |v| v.len()));
        alone.add(values, |row| row, filter)?;
        Ok(vec![alone.states(&alone.groups)])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.heap_size()
    }
}

/// The same where there is one group.
#[derive(Debug)]
struct Whole {
    traces: Traces,
}

impl Whole {
    fn traces(&mut self) -> &mut Traces {
        self.traces.groups.resize(1);
        &mut self.traces
    }
}

impl Accumulator for Whole {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.traces().add(values, |_| 0, None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.traces().merge(states, |_| 0)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let traces = self.traces();
        Ok(ScalarValue::List(Arc::new(traces.results(&traces.groups)?)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let traces = self.traces();
        Ok(vec![ScalarValue::try_from_array(&traces.states(&traces.groups), 0)?])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.traces.heap_size()
    }
}
