//! Arguments of SQL functions as typed arrays, and the signatures that say which types they take.

use super::series::{Interval, select, unpack};
use super::{Error, QuantileSketch};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, Float64Array, LargeBinaryArray,
    LargeBinaryBuilder, PrimitiveArray,
};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::{ColumnarValue, Signature, TypeSignature, Volatility};

/// A function of a sketch and `more` arguments; Parquet readers give binary columns in three types.
pub(super) fn sketch_signature(more: &[DataType]) -> Signature {
    let with =
        |first: DataType| TypeSignature::Exact(std::iter::once(first).chain(more.iter().cloned()).collect());
    Signature::one_of(
        [DataType::Binary, DataType::BinaryView, DataType::LargeBinary].map(with).into(),
        Volatility::Immutable,
    )
}

/// The arguments of a call, each with as many rows as the batch.
pub(super) fn arrays(arguments: &[ColumnarValue], rows: usize) -> Result<Vec<ArrayRef>> {
    arguments.iter().map(|argument| argument.to_array(rows)).collect()
}

/// An argument that the signature has made a column of doubles.
pub(super) fn doubles(array: &ArrayRef) -> Result<&Float64Array> {
    primitive::<Float64Type>(array)
}

/// An argument that the signature has made a column of one primitive type.
pub(super) fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<&PrimitiveArray<T>> {
    array.as_primitive_opt::<T>().ok_or_else(|| {
        exec_datafusion_err!("expected a column of type {}, got {}", T::DATA_TYPE, array.data_type())
    })
}

/// An argument of one of the binary types.
pub(super) fn binaries(array: &ArrayRef) -> Result<BinaryArray> {
    match array.as_binary_opt::<i32>() {
        Some(binary) => Ok(binary.clone()),
        None => Ok(arrow::compute::cast(array, &DataType::Binary)?.as_binary::<i32>().clone()),
    }
}

/// An argument that the signature has made a column of large binaries, as series are.
pub(super) fn large_binaries(array: &ArrayRef) -> Result<&LargeBinaryArray> {
    array
        .as_binary_opt::<i64>()
        .ok_or_else(|| exec_datafusion_err!("expected a column of large binaries, got {}", array.data_type()))
}

/// Reads a series argument.
pub(super) fn read_series(function: &'static str, bytes: &[u8]) -> Result<Vec<Interval>, Error> {
    unpack(bytes).map_err(|source| Error::Series { function, source })
}

/// A series of what `keep` makes of the intervals of a series argument.
pub(super) fn select_intervals(
    function: &'static str,
    bytes: &[u8],
    keep: impl FnMut(Interval) -> Option<Interval>,
) -> Result<Vec<u8>, Error> {
    select(bytes, keep).map_err(|source| Error::Series { function, source })
}

/// A column of series, each in its bytes.
pub(super) fn series_column(
    series: impl Iterator<Item = Result<Option<Vec<u8>>, Error>>,
) -> Result<LargeBinaryArray, Error> {
    let series = series.collect::<Result<Vec<_>, _>>()?;
    // Growing by doubling would leave half of a large column empty.
    let size = series.iter().flatten().map(Vec::len).sum();
    let mut column = LargeBinaryBuilder::with_capacity(series.len(), size);
    series.into_iter().for_each(|one| column.append_option(one));
    Ok(column.finish())
}

/// Reads a sketch argument.
pub(super) fn read_sketch(function: &'static str, bytes: &[u8]) -> Result<QuantileSketch, Error> {
    QuantileSketch::from_bytes(bytes).map_err(|source| Error::Sketch { function, source })
}

/// The one value of an argument that must not change within a partition.
pub(super) fn constant<T: ArrowPrimitiveType>(
    function: &'static str,
    argument: &'static str,
    array: &ArrayRef,
) -> Result<T::Native>
where
    T::Native: std::fmt::Display,
{
    let values = primitive::<T>(array)?;
    let refuse = |got| Error::Argument { function, argument, expected: "the same number in every row", got };
    if values.is_empty() || values.is_null(0) {
        return Err(refuse("NULL".to_owned()).into());
    }
    let first = values.value(0);
    match (1..values.len()).find(|row| values.is_null(*row) || values.value(*row) != first) {
        None => Ok(first),
        Some(row) if values.is_null(row) => Err(refuse(format!("{first} and NULL")).into()),
        Some(row) => Err(refuse(format!("{first} and {}", values.value(row))).into()),
    }
}
