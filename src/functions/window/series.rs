//! What the window functions share: a whole partition in, one number for each row out, and the checks of
//! their arguments.
//!
//! The frame of the window (`rows between …`) is ignored on purpose: what a row may look at is fixed (the rows
//! before it), and a default frame would silently include the row itself.

use crate::functions::Error;
use crate::functions::argument::{constant, doubles};
use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;
use std::sync::Arc;

/// The most periods a window may look back. A row costs one addition for each.
const MAX_PERIODS: i64 = 100_000;

/// From the values of a partition and the arrays of the other arguments to one result for each value.
pub(super) type Judge = fn(&[Option<f64>], &[ArrayRef]) -> Result<Vec<Option<f64>>>;

/// Evaluates a partition at once.
#[derive(Debug)]
struct Series {
    judge: Judge,
}

impl PartitionEvaluator for Series {
    fn evaluate_all(&mut self, arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        if rows == 0 {
            return Ok(Arc::new(Float64Array::from(Vec::<f64>::new())));
        }
        let values: Vec<Option<f64>> = doubles(&arguments[0])?.iter().collect();
        Ok(Arc::new((self.judge)(&values, &arguments[1..])?.into_iter().collect::<Float64Array>()))
    }

    fn uses_window_frame(&self) -> bool {
        false
    }
}

/// An evaluator; arguments that are constants of the query are checked now, before any row is read.
pub(super) fn evaluator(judge: Judge, args: &PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
    let parameters = args.input_exprs().iter().skip(1);
    let literals: Option<Vec<_>> = parameters.map(|e| e.downcast_ref::<Literal>()).collect();
    if let Some(literals) = literals {
        let arrays = literals.iter().map(|l| l.value().to_array()).collect::<Result<Vec<_>>>()?;
        judge(&[], &arrays)?;
    }
    Ok(Box::new(Series { judge }))
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
