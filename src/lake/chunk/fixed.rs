//! The rows of a column of numbers or truth values as a column chunk.

use std::collections::HashMap;

use ::parquet::basic::{Encoding, Type, ZstdLevel};
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::statistics::Statistics;
use ::parquet::schema::types::ColumnDescPtr;
use arrow::array::{Array, AsArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use bytes::Bytes;
use zstd::bulk::Compressor;

use super::column::{Chunk, NULL, PAGE_ROWS, PageBounds, Valid, pays};

/// Writes a column of numbers or truth values: the row `row` of the array `at` for each `(at, row)`, in that order. `None`
/// for a column of another type.
pub(crate) fn fixed(
    column: ColumnDescPtr,
    kind: &DataType,
    arrays: &[&dyn Array],
    rows: &[(u32, u32)],
    level: ZstdLevel,
    compressor: &mut Compressor<'static>,
) -> Option<Result<(Bytes, ColumnCloseResult)>> {
    Some(match kind {
        DataType::Int32 => write::<i32>(column, arrays, rows, level, compressor),
        DataType::Int64 => write::<i64>(column, arrays, rows, level, compressor),
        DataType::Float64 => write::<f64>(column, arrays, rows, level, compressor),
        DataType::Boolean => write::<bool>(column, arrays, rows, level, compressor),
        _ => return None,
    })
}

/// A type of values that all take the same room.
trait Fixed: Copy {
    const TYPE: Type;
    /// Whether values are few enough to try a dictionary. Codes and counters are; measured values are not.
    const FEW: bool = false;
    /// The values of an array.
    type Values<'a>;
    fn values(array: &dyn Array) -> Option<Self::Values<'_>>;
    fn get(values: &Self::Values<'_>, row: usize) -> Self;
    /// Bits that tell any two values apart.
    fn bits(self) -> u64;
    /// Appends values as plain pages hold them.
    fn put_all(values: &[Self], out: &mut Vec<u8>);
    /// Whether it has a place in the order; not a number has none.
    fn is_ordered(self) -> bool {
        true
    }
    fn is_less(self, other: Self) -> bool;
    /// The bounds as they are to be written.
    fn bounds(least: Self, greatest: Self) -> (Self, Self) {
        (least, greatest)
    }
    fn statistics(bounds: Option<(Self, Self)>, nulls: u64) -> Statistics;
}

macro_rules! number {
    ($type:ty, $arrow:ty, $kind:expr, $few:expr, $statistics:path, |$value:ident| $bits:expr) => {
        const TYPE: Type = $kind;
        const FEW: bool = $few;
        type Values<'a> = &'a [$type];

        fn values(array: &dyn Array) -> Option<&[$type]> {
            array.as_primitive_opt::<$arrow>().map(|array| array.values().as_ref())
        }

        #[inline]
        fn get(values: &&[$type], row: usize) -> $type {
            values[row]
        }

        #[inline]
        fn bits(self) -> u64 {
            let $value = self;
            $bits
        }

        fn put_all(values: &[$type], out: &mut Vec<u8>) {
            out.reserve(size_of_val(values));
            values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
        }

        #[inline]
        fn is_less(self, other: $type) -> bool {
            self < other
        }

        fn statistics(bounds: Option<($type, $type)>, nulls: u64) -> Statistics {
            let (least, greatest) = bounds.unzip();
            $statistics(least, greatest, None, Some(nulls), false)
        }
    };
}

impl Fixed for i32 {
    number!(i32, Int32Type, Type::INT32, true, Statistics::int32, |value| u64::from(value.cast_unsigned()));
}

impl Fixed for i64 {
    number!(i64, Int64Type, Type::INT64, false, Statistics::int64, |value| value.cast_unsigned());
}

impl Fixed for f64 {
    number!(f64, Float64Type, Type::DOUBLE, false, Statistics::double, |value| value.to_bits());

    #[inline]
    fn is_ordered(self) -> bool {
        !self.is_nan()
    }

    /// The specification has a least zero negative and a greatest one positive, since both stand for either.
    fn bounds(least: f64, greatest: f64) -> (f64, f64) {
        (if least == 0.0 { -0.0 } else { least }, if greatest == 0.0 { 0.0 } else { greatest })
    }
}

impl Fixed for bool {
    const TYPE: Type = Type::BOOLEAN;
    type Values<'a> = &'a BooleanBuffer;

    fn values(array: &dyn Array) -> Option<&BooleanBuffer> {
        array.as_boolean_opt().map(|array| array.values())
    }

    #[inline]
    fn get(values: &&BooleanBuffer, row: usize) -> bool {
        values.value(row)
    }

    fn bits(self) -> u64 {
        u64::from(self)
    }

    /// Eight in a byte, the first in its lowest bit.
    fn put_all(values: &[bool], out: &mut Vec<u8>) {
        let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        out.extend(values.chunks(8).map(byte));
    }

    #[inline]
    fn is_less(self, other: bool) -> bool {
        !self & other
    }

    fn statistics(bounds: Option<(bool, bool)>, nulls: u64) -> Statistics {
        let (least, greatest) = bounds.unzip();
        Statistics::boolean(least, greatest, None, Some(nulls), false)
    }
}

/// Least and greatest of some values, of those that have an order.
#[derive(Clone, Copy)]
struct Bounds<T>(Option<(T, T)>);

impl<T: Fixed> Bounds<T> {
    #[inline]
    fn add(&mut self, value: T) {
        self.0 = match self.0 {
            _ if !value.is_ordered() => return,
            None => Some((value, value)),
            Some((least, greatest)) => Some((
                if value.is_less(least) { value } else { least },
                if greatest.is_less(value) { value } else { greatest },
            )),
        };
    }

    fn join(&mut self, other: Bounds<T>) {
        if let Some((least, greatest)) = other.0 {
            self.add(least);
            self.add(greatest);
        }
    }

    fn written(self) -> Option<(T, T)> {
        self.0.map(|(least, greatest)| T::bounds(least, greatest))
    }

    fn page(self) -> PageBounds {
        let plain = |value: T| {
            let mut bytes = Vec::new();
            T::put_all(&[value], &mut bytes);
            bytes
        };
        self.written().map_or_else(Default::default, |(least, greatest)| (plain(least), plain(greatest)))
    }
}

fn write<T: Fixed>(
    column: ColumnDescPtr,
    arrays: &[&dyn Array],
    rows: &[(u32, u32)],
    level: ZstdLevel,
    compressor: &mut Compressor<'static>,
) -> Result<(Bytes, ColumnCloseResult)> {
    let source = |array: &&dyn Array| array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
    let nulls: Vec<Option<NullBuffer>> = arrays.iter().map(source).collect();
    let values: Option<Vec<T::Values<'_>>> = arrays.iter().map(|array| T::values(*array)).collect();
    let Some(values) = values else {
        return Err(ParquetError::General(format!("expected an array of {}, got another one", T::TYPE)));
    };
    let value = |(at, row): &(u32, u32)| match &nulls[*at as usize] {
        Some(nulls) if nulls.is_null(*row as usize) => None,
        _ => Some(T::get(&values[*at as usize], *row as usize)),
    };
    let mut chunk = Chunk::new(column, T::TYPE, true, rows.len(), level, compressor);
    let mut all = Bounds(None);
    // A page of values that have no order has no bounds, and then the chunk has no index.
    let mut is_indexed = true;
    match if T::FEW { dictionary(rows.iter().map(value)) } else { None } {
        Some((words, places)) => {
            chunk.body.clear();
            T::put_all(&words, &mut chunk.body);
            chunk.with_dictionary(words.len(), &places, |met| {
                let mut bounds = Bounds(None);
                met.iter().for_each(|place| bounds.add(words[*place as usize]));
                all.join(bounds);
                is_indexed &= met.is_empty() || bounds.0.is_some();
                bounds.page()
            })?;
        }
        None => {
            let (mut valid, mut page) = (Valid::default(), Vec::new());
            for rows in rows.chunks(PAGE_ROWS) {
                let mut bounds = Bounds(None);
                valid.clear();
                page.clear();
                for value in rows.iter().map(value) {
                    valid.push(value.is_some());
                    if let Some(value) = value {
                        bounds.add(value);
                        page.push(value);
                    }
                }
                chunk.begin(&valid);
                T::put_all(&page, &mut chunk.body);
                all.join(bounds);
                is_indexed &= page.is_empty() || bounds.0.is_some();
                chunk.page(&valid, Encoding::PLAIN, || bounds.page())?;
            }
        }
    }
    let Chunk { pages, index, nulls, .. } = chunk;
    pages.close(T::statistics(all.written(), nulls as u64), None, index.filter(|_| is_indexed))
}

/// The distinct values in the order in which they turn up, and the place of each row's among them; `None` when there are too
/// many for that to pay.
fn dictionary<T: Fixed>(rows: impl ExactSizeIterator<Item = Option<T>>) -> Option<(Vec<T>, Vec<u32>)> {
    let (mut words, mut known) = (Vec::new(), HashMap::new());
    let mut places = Vec::with_capacity(rows.len());
    // The values met last, by their lowest bits: codes and counters are mostly the same few.
    const RECENT: usize = 64;
    let mut recent = [(0u64, NULL); RECENT];
    let mut values = 0;
    for row in rows {
        let Some(value) = row else {
            places.push(NULL);
            continue;
        };
        let bits = value.bits();
        let slot = &mut recent[bits as usize % RECENT];
        if slot.0 != bits || slot.1 == NULL {
            let place = *known.entry(bits).or_insert_with(|| {
                words.push(value);
                words.len() as u32 - 1
            });
            *slot = (bits, place);
        }
        places.push(slot.1);
        values += 1;
    }
    pays(words.len(), values).then_some((words, places))
}
