//! `series_profile(series, start, seconds, season)`: what a series is like at each hour.
//!
//! | arguments | result |
//! |---|---|
//! | any NULL | NULL |
//! | a series of no interval | an empty list |
//! | season `none` | one element, season −1 |
//! | season `hour_of_day` or `hour_of_week` | season −1 for all intervals, then each hour that has any |
//! | another season, or `seconds` below 1 | error |
//! | other bytes | error |

use crate::functions::Error;
use crate::functions::argument::{arrays, large_binaries, primitive, read_series};
use crate::functions::reference::{SERIES, example};
use crate::functions::series::{Season, SeasonProfile, profile};
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "series_profile";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SeriesProfile {
    signature: Signature,
}

impl Default for SeriesProfile {
    fn default() -> Self {
        let arguments = vec![DataType::LargeBinary, DataType::Int64, DataType::Int64, DataType::Utf8];
        SeriesProfile { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    let number = |name| Field::new(name, DataType::Float64, true);
    let count = |name| Field::new(name, DataType::Int64, false);
    Fields::from(vec![
        count("season"),
        number("center"),
        number("spread"),
        count("intervals"),
        number("newest"),
        number("total"),
        count("samples"),
    ])
}

fn columns(profiles: &[SeasonProfile]) -> Vec<ArrayRef> {
    let number = |of: fn(&SeasonProfile) -> Option<f64>| {
        Arc::new(profiles.iter().map(of).collect::<Float64Array>()) as ArrayRef
    };
    let count = |of: fn(&SeasonProfile) -> u64| {
        let counts = profiles.iter().map(|p| i64::try_from(of(p)).unwrap_or(i64::MAX));
        Arc::new(Int64Array::from_iter_values(counts)) as ArrayRef
    };
    vec![
        Arc::new(Int64Array::from_iter_values(profiles.iter().map(|p| p.season))),
        number(|p| Some(p.center)),
        number(|p| p.spread),
        count(|p| p.intervals),
        number(|p| Some(p.newest)),
        number(|p| Some(p.total)),
        count(|p| p.samples),
    ]
}

fn season(word: &str) -> Result<Season, Error> {
    Season::parse(word).ok_or_else(|| Error::Argument {
        function: NAME,
        argument: "season",
        expected: "none, hour_of_day or hour_of_week",
        got: word.to_owned(),
    })
}

impl ScalarUDFImpl for SeriesProfile {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Struct(fields()), true))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let series = large_binaries(&arguments[0])?;
        let (starts, seconds) =
            (primitive::<Int64Type>(&arguments[1])?, primitive::<Int64Type>(&arguments[2])?);
        let seasons = arguments[3].as_string::<i32>();
        let (mut all, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..args.number_rows {
            let is_known = arguments.iter().all(|argument| argument.is_valid(row));
            let before = all.len();
            if is_known {
                let season = season(seasons.value(row))?;
                if seconds.value(row) < 1 {
                    let got = seconds.value(row).to_string();
                    let expected = "1 or more";
                    return Err(Error::Argument { function: NAME, argument: "seconds", expected, got }.into());
                }
                let intervals = read_series(NAME, series.value(row))?;
                all.extend(profile(&intervals, starts.value(row), seconds.value(row), season));
            }
            lengths.push(all.len() - before);
            known.push(is_known);
        }
        let profiles = StructArray::try_new(fields(), columns(&all), None)?;
        let item = Arc::new(Field::new_list_field(DataType::Struct(fields()), true));
        let (offsets, nulls) = (OffsetBuffer::from_lengths(lengths), NullBuffer::from(known));
        let lists = ListArray::try_new(item, offsets, Arc::new(profiles), Some(nulls))?;
        Ok(ColumnarValue::Array(Arc::new(lists)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns what a series is like, as a list with an element for all intervals (season -1) and, with seasons, one for \
                 each hour of the day or week that has any. Its `center` is the median of the means of its intervals; of a season \
                 the median of its own median and those of its two neighbours, so that a fault of an hour is not taken for the \
                 rhythm of the day. `spread` is 1.4826 times the median absolute deviation of what intervals lie off the center of \
                 their season; where more than half are equal, the root mean square of it. With seasons it is the same share of \
                 each center. `intervals` are those behind the spread; `newest` is the mean of the newest interval, `total` and \
                 `samples` count all samples of the season.\n\n\
                 NULL when an argument is NULL; an error for another season or when bytes are not a series.\n\n\
                 Source: Hampel, \"The influence curve and its role in robust estimation\", JASA 1974.",
                "series_profile(series, start, seconds, season) -> list of struct(season, center, spread, intervals, newest, total, samples)",
            )
            .with_argument("series", "large binary; made by `interval_series` or another series function")
            .with_argument("start", "bigint; when interval 0 began, in seconds since 1970, UTC")
            .with_argument("seconds", "bigint; how long intervals last")
            .with_argument("season", "text; `none`, `hour_of_day` or `hour_of_week` (which begins on Sunday)")
            .with_sql_example(example(
                "with packed as (\n  select interval_series(slot, cpu) as series\n  from (values (0, 40.0), (1, 42.0), (12, 50.0), (13, 54.0)) as t(slot, cpu)\n)\nselect level['season'] as season, level['center'] as center, round(level['spread'], 3) as spread\nfrom (select unnest(series_profile(series, 0, 300, 'hour_of_day')) as level from packed);",
                "
+--------+--------+--------+
| season | center | spread |
+--------+--------+--------+
| -1     | 46.0   | 7.333  |
| 0      | 46.5   | 7.413  |
| 1      | 46.5   | 7.413  |
+--------+--------+--------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
