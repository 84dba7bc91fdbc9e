//! `change_points(value order by time)`: when the level of a series changed.
//!
//! | rows | result |
//! |---|---|
//! | fewer than ten different times with a value | NULL: too few to say |
//! | NULL, NaN or infinite in value; NULL in time | ignored |
//! | several at one time | their median |
//! | a constant, or noise around one level | an empty list |
//! | a spike of up to two points | no change |
//! | a ramp, or a season as smooth as that of a day | no change |
//! | a step without any noise | one change of confidence 1 |

use super::collect::{Collected, Collecting, Collection, Key, Pair};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::change_points::{ChangePoint, MIN_SEGMENT, change_points};
use crate::functions::statistics::sample::median;
use arrow::array::{ArrayRef, BooleanArray, Float64Array, ListArray, StructArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::{Arc, LazyLock};

static FUNCTION: Collecting = Collecting {
    name: "change_points",
    key: Key::Time,
    parameters: &[],
    returns: || DataType::List(item()),
    finish: found,
    documentation,
};

/// The SQL function.
pub fn function() -> AggregateUDF {
    Collected::new(&FUNCTION).into()
}

fn fields() -> Fields {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Fields::from(vec![
        Field::new("time", time.clone(), true),
        Field::new("before", DataType::Float64, true),
        Field::new("after", DataType::Float64, true),
        Field::new("confidence", DataType::Float64, true),
        Field::new("provisional", DataType::Boolean, true),
        Field::new("went_away", DataType::Boolean, true),
        Field::new("went_away_at", time, true),
    ])
}

fn item() -> Arc<Field> {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}

/// The changes of a collected series, whose pairs are in the order of time.
fn found(collection: &Collection) -> Result<ScalarValue> {
    let at_once = |pairs: &[Pair]| median(&pairs.iter().map(|p| p.value).collect::<Vec<_>>());
    let (times, values): (Vec<f64>, Vec<f64>) = collection
        .pairs
        .chunk_by(|a, b| a.key == b.key)
        .filter_map(|pairs| Some((pairs.first()?.key, at_once(pairs)?)))
        .unzip();
    if values.len() < 2 * MIN_SEGMENT {
        return Ok(ScalarValue::List(Arc::new(ListArray::new_null(item(), 1))));
    }
    let changes = change_points(&values);
    let list = ListArray::try_new(
        item(),
        OffsetBuffer::from_lengths([changes.len()]),
        Arc::new(rows(&changes, &times)?),
        None,
    )?;
    Ok(ScalarValue::List(Arc::new(list)))
}

fn rows(changes: &[ChangePoint], times: &[f64]) -> Result<StructArray> {
    let instants = |positions: Vec<Option<usize>>| -> ArrayRef {
        let micros = positions.into_iter().map(|position| position.map(|p| times[p] as i64));
        Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    let doubles = |part: fn(&ChangePoint) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(changes.iter().map(part)))
    };
    let flags = |part: fn(&ChangePoint) -> bool| -> ArrayRef {
        Arc::new(changes.iter().map(|c| Some(part(c))).collect::<BooleanArray>())
    };
    let columns = vec![
        instants(changes.iter().map(|c| Some(c.position)).collect()),
        doubles(|c| c.before),
        doubles(|c| c.after),
        doubles(|c| c.confidence),
        flags(|c| c.is_provisional),
        flags(|c| c.returned_at.is_some()),
        instants(changes.iter().map(|c| c.returned_at).collect()),
    ];
    Ok(StructArray::try_new(fields(), columns, None)?)
}

fn documentation() -> &'static Documentation {
    static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
        Documentation::builder(
            CHANGE,
            "Returns where the level of a series changed, as a list in the order of time: `time` of the first value of the new level, \
             the medians `before` and `after`, `confidence` (1 less the probability of such a difference anywhere in a series \
             without change; at least 0.999), `provisional` when a level next to the edge of the series has fewer than ten \
             points, so that more data may tell otherwise, `went_away` when the level later came back to what it was (to within a quarter of \
             the change), and `went_away_at`. A level lasts five points at least; spikes are no level, and the pieces of a ramp or of a smooth season are none. Values are taken as \
             evenly spaced. Deterministic, without random numbers; O(n log n) steps.\n\n\
             NULL when fewer than ten different times have a value. NULL, NaN and infinite values are ignored; values of one \
             time count as their median. An error without `order by` a time.\n\n\
             Source: Kovács, Bühlmann, Li, Munk, \"Seeded binary segmentation\", Biometrika 2023; Baranowski, Chen, Fryzlewicz, \
             \"Narrowest-over-threshold detection\", J. R. Statist. Soc. B 2019.",
            "change_points(value order by time) -> list",
        )
        .with_argument("value", "double; the series")
        .with_argument("time", "timestamp or date; when it was measured")
        .with_sql_example(example(
            "with series as (\n  select to_timestamp_micros(1736899200000000 + k * 300000000) as at,\n    case when k >= 40 then 140 else 100 end + k * 37 % 11 as ms\n  from generate_series(0, 99) as t(k)\n)\nselect c['time'] as time, c['before'] as before, c['after'] as after, c['went_away'] as went_away\nfrom (select unnest(change_points(ms order by at)) as c from series);",
            "
+----------------------+--------+-------+-----------+
| time                 | before | after | went_away |
+----------------------+--------+-------+-----------+
| 2025-01-15T03:20:00Z | 105.0  | 145.0 | false     |
+----------------------+--------+-------+-----------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
