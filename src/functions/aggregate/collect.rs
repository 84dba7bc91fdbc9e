//! Aggregates that need all their values at once: rank tests, medians, series.
//!
//! Each row brings a value and a key: which sample it belongs to, or when it was measured. Pairs are kept until the
//! group is complete and then sorted, so the order of rows and the way they were batched cannot matter. A group costs
//! 16 bytes for each row.

use crate::functions::Error;
use crate::functions::argument::doubles;
use crate::functions::statistics::sample::sorted;
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type, TimeUnit};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What a row brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    /// What was measured.
    pub(super) value: f64,
    /// 1 in the candidate's sample and 0 in the baseline's; or when it was measured, in microseconds or in the unit of
    /// a numeric key; or 0.
    pub(super) key: f64,
}

/// Where keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// There are none.
    Absent,
    /// The second argument, `is_candidate`.
    Sample,
    /// `order by` inside the call: a time or a number.
    Order,
    /// `order by` inside the call: a time.
    Time,
}

/// A function over collected pairs.
#[derive(Debug)]
pub(super) struct Collecting {
    pub(super) name: &'static str,
    pub(super) key: Key,
    /// Arguments after value and sample that are constants of the query, each a double.
    pub(super) parameters: &'static [&'static str],
    pub(super) returns: fn() -> DataType,
    pub(super) finish: fn(&Collection) -> Result<ScalarValue>,
    pub(super) documentation: fn() -> &'static Documentation,
}

/// Everything that a group brought.
#[derive(Debug)]
pub(super) struct Collection {
    pub(super) pairs: Vec<Pair>,
    /// Whether keys are microseconds of time.
    pub(super) is_timed: bool,
    pub(super) parameters: Vec<f64>,
}

impl Collection {
    /// The values of one sample, ascending.
    fn sample(&self, key: f64) -> Vec<f64> {
        sorted(self.pairs.iter().filter(|p| p.key == key).map(|p| p.value))
    }

    /// Baseline and candidate, each ascending.
    pub(super) fn samples(&self) -> (Vec<f64>, Vec<f64>) {
        (self.sample(0.0), self.sample(1.0))
    }
}

/// A result that is a double or NULL.
pub(super) fn double(value: Option<f64>) -> Result<ScalarValue> {
    Ok(ScalarValue::Float64(value))
}

/// The SQL function of a [`Collecting`].
#[derive(Debug, Clone)]
pub(super) struct Collected {
    function: &'static Collecting,
    signature: Signature,
}

impl PartialEq for Collected {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for Collected {}

impl Hash for Collected {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl Collected {
    pub(super) fn new(function: &'static Collecting) -> Collected {
        let mut types = vec![DataType::Float64];
        if function.key == Key::Sample {
            types.push(DataType::Boolean);
        }
        types.extend(function.parameters.iter().map(|_| DataType::Float64));
        Collected { function, signature: Signature::exact(types, Volatility::Immutable) }
    }

    fn is_ordered(&self) -> bool {
        matches!(self.function.key, Key::Order | Key::Time)
    }

    /// The constants of the query that follow value and sample.
    fn parameters(&self, args: &AccumulatorArgs) -> Result<Vec<f64>> {
        let own = args.exprs.len().saturating_sub(self.function.parameters.len());
        let expressions = args.exprs[own..].iter().zip(self.function.parameters);
        expressions
            .map(|(expression, name)| {
                let literal = expression.downcast_ref::<Literal>().map(Literal::value);
                match literal.and_then(|value| value.cast_to(&DataType::Float64).ok()) {
                    Some(ScalarValue::Float64(Some(number))) => Ok(number),
                    _ => Err(Error::Argument {
                        function: self.function.name,
                        argument: name,
                        expected: "a number that is the same for the whole query",
                        got: expression.to_string(),
                    }
                    .into()),
                }
            })
            .collect()
    }

    /// Whether `order by` is a time, when it is what the function takes.
    fn order(&self, args: &AccumulatorArgs) -> Result<bool> {
        let name = self.function.name;
        if !self.is_ordered() {
            return Ok(false);
        }
        let [key] = args.order_bys else {
            return plan_err!(
                "{name}: expected one key to order by, as in `{name}(value order by timestamp)`, got {}",
                args.order_bys.len()
            );
        };
        let kind = key.expr.data_type(args.schema)?;
        let is_timed = matches!(kind, DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64);
        if is_timed || (self.function.key == Key::Order && (kind.is_numeric() || kind == DataType::Null)) {
            return Ok(is_timed);
        }
        let expected = if self.function.key == Key::Time { "a time" } else { "a time or a number" };
        plan_err!("{name}: order by: expected {expected}, got {kind}; cast it, as in `cast(x as timestamp)`")
    }
}

impl AggregateUDFImpl for Collected {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok((self.function.returns)())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = |name| {
            let item = Field::new_list_field(DataType::Float64, true);
            Arc::new(Field::new_list(format_state_name(args.name, name), item, true))
        };
        Ok(vec![list("values"), list("keys")])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!(
                "{0}: `distinct` is not supported; select distinct values in a subquery first",
                self.function.name
            );
        }
        let is_timed = self.order(&args)?;
        let parameters = self.parameters(&args)?;
        let collection = Collection { pairs: Vec::new(), is_timed, parameters };
        // Parameters out of range are an error also where there are no rows.
        (self.function.finish)(&collection)?;
        Ok(Box::new(Collector { function: self.function, collection }))
    }

    /// Any order will do, because pairs are sorted here; but the planner passes keys only to functions that
    /// may care.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        if self.is_ordered() {
            AggregateOrderSensitivity::Beneficial
        } else {
            AggregateOrderSensitivity::Insensitive
        }
    }

    fn with_beneficial_ordering(self: Arc<Self>, _: bool) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        Ok(Some(self))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some((self.function.documentation)())
    }
}

#[derive(Debug)]
struct Collector {
    function: &'static Collecting,
    collection: Collection,
}

/// Keys as doubles: times in microseconds (exact until the year 2255), samples as 0 and 1.
fn keys(array: &ArrayRef) -> Result<Float64Array> {
    let array = match array.data_type() {
        DataType::Timestamp(_, zone) => {
            cast(&cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?, &DataType::Int64)?
        }
        DataType::Date32 | DataType::Date64 => {
            cast(&cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?, &DataType::Int64)?
        }
        _ => Arc::clone(array),
    };
    if let Some(integers) = array.as_primitive_opt::<Int64Type>() {
        return Ok(integers.unary(|key| key as f64));
    }
    Ok(cast(&array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

impl Collector {
    fn push(&mut self, value: Option<f64>, key: Option<f64>) {
        if let (Some(value), Some(key)) = (value, key)
            && value.is_finite()
            && key.is_finite()
        {
            self.collection.pairs.push(Pair { value: value + 0.0, key: key + 0.0 });
        }
    }
}

impl Accumulator for Collector {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let values = doubles(&columns[0])?;
        // The key of an `order by` comes after all arguments.
        let key = match self.function.key {
            Key::Absent => None,
            Key::Sample => Some(&columns[1]),
            Key::Order | Key::Time => columns.last(),
        };
        match key.map(keys).transpose()? {
            Some(keys) => values.iter().zip(keys.iter()).for_each(|(value, key)| self.push(value, key)),
            None => values.iter().for_each(|value| self.push(value, Some(0.0))),
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let list = |state: &ArrayRef| {
            state.as_list_opt::<i32>().cloned().ok_or_else(|| {
                exec_datafusion_err!(
                    "expected lists between the stages of a query, got {}",
                    state.data_type()
                )
            })
        };
        let (values, keys) = (list(&states[0])?, list(&states[1])?);
        for (values, keys) in values.iter().zip(keys.iter()) {
            if let (Some(values), Some(keys)) = (values, keys) {
                let (values, keys) = (doubles(&values)?, doubles(&keys)?);
                values.iter().zip(keys.iter()).for_each(|(value, key)| self.push(value, key));
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |part: fn(&Pair) -> f64| {
            let numbers = Float64Array::from_iter_values(self.collection.pairs.iter().map(part));
            let item = Arc::new(Field::new_list_field(DataType::Float64, true));
            let lengths = OffsetBuffer::from_lengths([numbers.len()]);
            let list = ListArray::try_new(item, lengths, Arc::new(numbers), None)?;
            Ok::<_, DataFusionError>(ScalarValue::List(Arc::new(list)))
        };
        Ok(vec![list(|p| p.value)?, list(|p| p.key)?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let pairs = &mut self.collection.pairs;
        pairs.sort_unstable_by(|a, b| a.key.total_cmp(&b.key).then(a.value.total_cmp(&b.value)));
        (self.function.finish)(&self.collection)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.collection.pairs.capacity() * size_of::<Pair>()
    }
}
