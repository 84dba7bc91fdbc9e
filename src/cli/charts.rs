//! The charts of `tars slo`: error budgets over time, and each latency SLO with its band.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, Float64Array, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};

use super::output::write_whole;
use crate::engine;
use crate::error::Error;
use crate::pipeline::Run;
use crate::report::chart::{Chart, Line};

/// Series that a chart of budgets shows: those that spent most.
const SHOWN: i64 = 5;

/// The series of each SLO: how many there are, and which come first by what they spent and by how often they violated.
const RANKED: &str = "
    select series.series as series, status.slo as slo, status.type as type,
        status.region || ' ' || status.service || coalesce(' ' || status.route, '') as name,
        count(*) over (partition by status.slo) as count,
        row_number() over (
            partition by status.slo
            order by status.consumed desc nulls last, status.region, status.service, status.route
        ) as by_budget,
        row_number() over (
            partition by status.slo
            order by status.violations desc, status.consumed desc nulls last, status.region, status.service,
                status.route
        ) as by_violations
    from slo_status as status
    join slo_series as series on status.slo = series.slo and status.region = series.region
        and status.service = series.service and coalesce(status.route, '') = coalesce(series.route, '')
    where status.events > 0
    order by slo, by_budget";

/// Share of the budget that is left, hour by hour, of the newest period of some series.
const BUDGETS: &str = "
    select slo, series, max(slot) as time,
        1.0 - max(spent) / nullif((1.0 - max(objective)) * max(whole), 0.0) as left_share
    from (
        select events.slo as slo, events.series as series, events.slot as slot, slos.objective as objective,
            cast(sum(case when events.is_corrected then 0 else events.bad end) over (
                partition by events.series, events.period_start order by events.slot
                rows between unbounded preceding and current row
            ) as double) as spent,
            cast(sum(case when events.is_corrected then 0 else events.total end) over (
                partition by events.series, events.period_start
            ) as double) as whole
        from slo_events as events
        join (
            select series, max(period_start) as period_start from slo_periods
            where series in ({series}) group by series
        ) as newest on events.series = newest.series and events.period_start = newest.period_start
        join slo_objectives as slos on events.slo = slos.name
        where events.series in ({series})
    ) as spending
    group by slo, series, cast(slot as bigint) / 3600000000
    order by slo, series, time";

/// What some series observed, with the band and the windows that are notable; windows without data have no value.
const LATENCIES: &str = "
    select grid.slo as slo, grid.series as series,
        arrow_cast(cast($from as bigint) + grid.position * grid.window_seconds * 1000000,
            'Timestamp(Microsecond, Some(\"UTC\"))') as time,
        bands.observed as observed, bands.lower as lower, bands.upper as upper,
        case when bands.is_violated or bands.is_anomaly then bands.observed end as mark,
        grid.target as target, grid.threshold as threshold
    from (
        select *, unnest(range(0, (cast($to as bigint) - cast($from as bigint) + window_seconds * 1000000 - 1)
            / (window_seconds * 1000000))) as position
        from slo_series where series in ({series})
    ) as grid
    left join (select * from slo_expected where series in ({series})) as bands
        on grid.series = bands.series and grid.position = bands.position
    order by slo, time";

/// A series that is drawn.
struct Drawn {
    number: i64,
    slo: String,
    name: String,
    /// How many series its SLO has.
    count: i64,
}

/// Writes every chart into a folder; returns where.
///
/// Which series are drawn is asked first: of an SLO by route there are thousands, and their windows are tens of millions.
pub(super) async fn write(run: &Run, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let (mut spent, mut violated) = (Vec::new(), Vec::new());
    for batch in run.rows(RANKED).await? {
        let [slos, kinds, names] = [texts(&batch, "slo")?, texts(&batch, "type")?, texts(&batch, "name")?];
        let whole = |name| -> Result<Int64Array, Error> {
            Ok(column(&batch, name, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
        };
        let [series, count] = [whole("series")?, whole("count")?];
        let [by_budget, by_violations] = [whole("by_budget")?, whole("by_violations")?];
        for row in 0..batch.num_rows() {
            let drawn = || Drawn {
                number: series.value(row),
                slo: slos[row].clone(),
                name: names[row].clone(),
                count: count.value(row),
            };
            if by_budget.value(row) <= SHOWN {
                spent.push(drawn());
            }
            if by_violations.value(row) == 1 && kinds[row] == "latency" {
                violated.push(drawn());
            }
        }
    }
    let mut charts = budgets(run, &spent).await?;
    charts.extend(latencies(run, &violated).await?);
    let mut written = Vec::with_capacity(charts.len());
    for (name, chart) in charts {
        let path = folder.join(name);
        write_whole(&path, chart.to_svg().as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

/// The rows of a query about some series.
async fn rows(run: &Run, sql: &str, drawn: &[Drawn]) -> Result<Vec<RecordBatch>, Error> {
    if drawn.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<String> = drawn.iter().map(|one| one.number.to_string()).collect();
    Ok(run.rows(&sql.replace("{series}", &numbers.join(", "))).await?)
}

/// For each SLO the budgets of the series that spent most.
async fn budgets(run: &Run, drawn: &[Drawn]) -> Result<Vec<(String, Chart)>, Error> {
    let mut lines: BTreeMap<i64, Vec<(i64, Option<f64>)>> = BTreeMap::new();
    for batch in rows(run, BUDGETS, drawn).await? {
        let points = Points::of(&batch)?;
        let left = points.numbers("left_share")?;
        for row in 0..batch.num_rows() {
            let line = lines.entry(points.series.value(row)).or_default();
            line.push((points.times[row], value(&left, row)));
        }
    }
    let mut charts: Vec<(String, Chart)> = Vec::new();
    for one in drawn {
        let name = file_name(&one.slo, "budget");
        let at = charts.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            let of = if one.count > SHOWN {
                format!(", the {SHOWN} of {} series that spent most", one.count)
            } else {
                String::new()
            };
            let chart = Chart {
                title: format!("{}: error budget left{of}", one.slo),
                value: "share of the budget".into(),
                limits: vec![("exhausted".into(), 0.0)],
                ..Chart::default()
            };
            charts.push((name, chart));
            charts.len() - 1
        });
        let points = lines.remove(&one.number).unwrap_or_default();
        charts[at].1.lines.push(Line { label: one.name.clone(), points });
    }
    Ok(charts)
}

/// For each latency SLO the series that violated it most often, with its band.
async fn latencies(run: &Run, drawn: &[Drawn]) -> Result<Vec<(String, Chart)>, Error> {
    let mut charts: BTreeMap<i64, Chart> = BTreeMap::new();
    for batch in rows(run, LATENCIES, drawn).await? {
        let points = Points::of(&batch)?;
        let [observed, lower, upper, mark, target, threshold] = [
            points.numbers("observed")?,
            points.numbers("lower")?,
            points.numbers("upper")?,
            points.numbers("mark")?,
            points.numbers("target")?,
            points.numbers("threshold")?,
        ];
        for row in 0..batch.num_rows() {
            let chart = charts.entry(points.series.value(row)).or_insert_with(|| Chart {
                value: "ms".into(),
                limits: vec![
                    ("target".into(), target.value(row)),
                    ("threshold".into(), threshold.value(row)),
                ],
                lines: vec![Line { label: String::new(), points: Vec::new() }],
                ..Chart::default()
            });
            let time = points.times[row];
            chart.lines[0].points.push((time, value(&observed, row)));
            if let Some((lower, upper)) = value(&lower, row).zip(value(&upper, row)) {
                chart.band.push((time, lower.max(0.0), upper));
            }
            chart.marks.extend(value(&mark, row).map(|mark| (time, mark)));
        }
    }
    let named = drawn.iter().filter_map(|one| {
        let mut chart = charts.remove(&one.number)?;
        let of = if one.count > 1 { format!(", worst of {} series", one.count) } else { String::new() };
        chart.title = format!("{}: observed, usual band, violations{of}", one.slo);
        chart.lines[0].label.clone_from(&one.name);
        Some((file_name(&one.slo, "latency"), chart))
    });
    Ok(named.collect())
}

fn value(numbers: &Float64Array, row: usize) -> Option<f64> {
    numbers.is_valid(row).then(|| numbers.value(row))
}

/// The columns that both queries have.
struct Points<'b> {
    batch: &'b RecordBatch,
    series: Int64Array,
    times: Vec<i64>,
}

impl<'b> Points<'b> {
    fn of(batch: &'b RecordBatch) -> Result<Self, Error> {
        let times = column(batch, "time", &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
        Ok(Points {
            batch,
            series: column(batch, "series", &DataType::Int64)?.as_primitive::<Int64Type>().clone(),
            times: times.as_primitive::<TimestampMicrosecondType>().values().to_vec(),
        })
    }

    fn numbers(&self, name: &str) -> Result<Float64Array, Error> {
        Ok(column(self.batch, name, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
    }
}

fn texts(batch: &RecordBatch, name: &str) -> Result<Vec<String>, Error> {
    let column = column(batch, name, &DataType::Utf8)?;
    Ok(column.as_string::<i32>().iter().map(|t| t.unwrap_or_default().to_owned()).collect())
}

fn column(batch: &RecordBatch, name: &str, kind: &DataType) -> Result<arrow::array::ArrayRef, Error> {
    let fail = |e: arrow::error::ArrowError| engine::Error::from(datafusion::error::DataFusionError::from(e));
    let index = batch.schema().index_of(name).map_err(fail)?;
    Ok(cast(batch.column(index), kind).map_err(fail)?)
}

/// A name that no file system objects to.
fn file_name(slo: &str, what: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    format!("{}-{what}.svg", slo.chars().map(plain).collect::<String>())
}
