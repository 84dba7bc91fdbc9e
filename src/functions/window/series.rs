//! What the window functions share: a series value by value in, one number for each row out, and the checks of
//! their arguments.
//!
//! The frame of the window (`rows between …`) is ignored on purpose: what a row may look at is fixed (the rows
//! before it), and a default frame would silently include the row itself. Because nothing later is looked at, rows
//! are judged as they come, and no more of a partition than its current batch is held in memory.

use crate::functions::Error;
use crate::functions::argument::{constant, doubles};
use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The most periods a window may look back. A row costs one addition for each.
const MAX_PERIODS: i64 = 100_000;

/// What a value is judged as by those before it; called once for each row, in order.
pub(super) type Judge = Box<dyn FnMut(Option<f64>) -> Option<f64> + Send>;

/// Begins a series; given the arrays of the other arguments, which it checks.
pub(super) type Begin = fn(&[ArrayRef]) -> Result<Judge>;

/// Judges the rows of a partition.
struct Series {
    function: &'static str,
    begin: Begin,
    /// The judge and the parameters that it began with.
    begun: Option<(Judge, Vec<Option<f64>>)>,
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series").field("function", &self.function).finish_non_exhaustive()
    }
}

impl PartitionEvaluator for Series {
    fn evaluate_all(&mut self, arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        if rows == 0 {
            return Ok(Arc::new(Float64Array::from(Vec::<f64>::new())));
        }
        let judge = (self.begin)(&arguments[1..])?;
        Ok(Arc::new(doubles(&arguments[0])?.iter().map(judge).collect::<Float64Array>()))
    }

    fn evaluate(&mut self, arguments: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        let (row, parameters) = (range.start, &arguments[1..]);
        let begun = match &mut self.begun {
            Some(begun) => begun,
            none => {
                let first: Vec<ArrayRef> = parameters.iter().map(|p| p.slice(row, 1)).collect();
                let numbers = first.iter().map(|p| number(p, 0)).collect();
                none.insert(((self.begin)(&first)?, numbers))
            }
        };
        if parameters.iter().zip(&begun.1).any(|(p, first)| number(p, row) != *first) {
            // The check of the whole column says which.
            drop((self.begin)(parameters)?);
        }
        let values = doubles(&arguments[0])?;
        Ok(ScalarValue::Float64((begun.0)(values.is_valid(row).then(|| values.value(row)))))
    }

    fn uses_window_frame(&self) -> bool {
        false
    }

    fn supports_bounded_execution(&self) -> bool {
        true
    }

    fn is_causal(&self) -> bool {
        true
    }
}

/// A parameter in a row; whole ones are small.
fn number(array: &ArrayRef, row: usize) -> Option<f64> {
    if array.is_null(row) {
        return None;
    }
    match array.as_primitive_opt::<Int64Type>() {
        Some(whole) => Some(whole.value(row) as f64),
        None => array.as_primitive_opt::<Float64Type>().map(|array| array.value(row)),
    }
}

/// An evaluator; arguments that are constants of the query are checked now, before any row is read.
pub(super) fn evaluator(
    function: &'static str,
    begin: Begin,
    args: &PartitionEvaluatorArgs,
) -> Result<Box<dyn PartitionEvaluator>> {
    let parameters = args.input_exprs().iter().skip(1);
    let literals: Option<Vec<_>> = parameters.map(|e| e.downcast_ref::<Literal>()).collect();
    if let Some(literals) = literals {
        let arrays = literals.iter().map(|l| l.value().to_array()).collect::<Result<Vec<_>>>()?;
        drop(begin(&arrays)?);
    }
    Ok(Box::new(Series { function, begin, begun: None }))
}

pub(super) fn field(args: &WindowUDFFieldArgs) -> FieldRef {
    Arc::new(Field::new(args.name(), DataType::Float64, true))
}

/// A double, then arguments of these types.
pub(super) fn signature(parameters: &[DataType]) -> Signature {
    let types = std::iter::once(DataType::Float64).chain(parameters.iter().cloned()).collect();
    Signature::exact(types, Volatility::Immutable)
}

/// The smoothing factor of a moving average.
pub(super) fn alpha(function: &'static str, array: &ArrayRef) -> Result<f64> {
    let alpha = constant::<Float64Type>(function, "alpha", array)?;
    if alpha > 0.0 && alpha <= 1.0 {
        return Ok(alpha);
    }
    let expected = "above 0 and at most 1 (0.3 forgets half of the past in two rows, 1 remembers one row)";
    Err(Error::Argument { function, argument: "alpha", expected, got: alpha.to_string() }.into())
}

/// How many values to look back at.
pub(super) fn periods(function: &'static str, array: &ArrayRef) -> Result<usize> {
    let periods = constant::<Int64Type>(function, "periods", array)?;
    if (2..=MAX_PERIODS).contains(&periods) {
        return Ok(periods as usize);
    }
    let expected = "a whole number from 2 to 100000 (20 is usual)";
    Err(Error::Argument { function, argument: "periods", expected, got: periods.to_string() }.into())
}

/// The width of a band, in standard deviations.
pub(super) fn width(function: &'static str, array: &ArrayRef) -> Result<f64> {
    let width = constant::<Float64Type>(function, "width", array)?;
    if width >= 0.0 && width.is_finite() {
        return Ok(width);
    }
    let expected = "a finite number of standard deviations, 0 or more (2 is usual)";
    Err(Error::Argument { function, argument: "width", expected, got: width.to_string() }.into())
}
