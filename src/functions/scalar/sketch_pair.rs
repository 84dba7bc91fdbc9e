//! Functions that compare two quantile sketches: both are read as distributions, and compared.

use crate::functions::argument::{arrays, binaries, read_sketch};
use crate::functions::statistics::distribution::Distribution;
use crate::functions::{Error, QuantileSketch};
use arrow::array::Float64Array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A comparison of two sketches.
#[derive(Debug)]
pub(super) struct SketchPair {
    pub(super) name: &'static str,
    /// How a sketch becomes a distribution.
    pub(super) atoms: fn(&QuantileSketch) -> Option<Distribution>,
    pub(super) compare: fn(&Distribution, &Distribution) -> f64,
    pub(super) documentation: fn() -> &'static Documentation,
}

impl SketchPair {
    fn compare(&self, baseline: &[u8], candidate: &[u8]) -> Result<Option<f64>, Error> {
        let read = |bytes| Ok((self.atoms)(&read_sketch(self.name, bytes)?));
        Ok(read(baseline)?.zip(read(candidate)?).map(|(b, c)| (self.compare)(&b, &c)))
    }
}

/// The SQL function of a [`SketchPair`].
#[derive(Debug)]
pub(super) struct SketchPairFunction {
    function: &'static SketchPair,
    signature: Signature,
}

impl PartialEq for SketchPairFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for SketchPairFunction {}

impl Hash for SketchPairFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl SketchPairFunction {
    pub(super) fn new(function: &'static SketchPair) -> SketchPairFunction {
        // Parquet readers give binary columns in three types.
        let kinds = [DataType::Binary, DataType::BinaryView, DataType::LargeBinary];
        let both =
            kinds.iter().flat_map(|a| kinds.iter().map(|b| TypeSignature::Exact(vec![a.clone(), b.clone()])));
        SketchPairFunction { function, signature: Signature::one_of(both.collect(), Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for SketchPairFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let (baselines, candidates) = (binaries(&arguments[0])?, binaries(&arguments[1])?);
        let compare = |sketches: (Option<&[u8]>, Option<&[u8]>)| match sketches {
            (Some(baseline), Some(candidate)) => self.function.compare(baseline, candidate),
            _ => Ok(None),
        };
        let compared =
            baselines.iter().zip(candidates.iter()).map(compare).collect::<Result<Float64Array, Error>>()?;
        Ok(ColumnarValue::Array(Arc::new(compared)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some((self.function.documentation)())
    }
}
