//! The charts of `tars slo`: error budgets over time, and each latency SLO with its band.

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMicrosecondType};

use super::output::write_whole;
use crate::engine;
use crate::error::Error;
use crate::pipeline::Run;
use crate::report::chart::{Chart, Line};

/// Series that a chart of budgets shows: those that spent most.
const SHOWN: usize = 5;

/// Share of the budget that is left, hour by hour, of the newest period of the series that spent most.
const BUDGETS: &str = "
    with worst as (
        select slo, region, service, route, period_start, consumed,
            row_number() over (
                partition by slo order by consumed desc nulls last, region, service, route
            ) as place
        from slo_status where events > 0
    )
    select events.slo as slo, worst.place as place,
        worst.region || ' ' || worst.service || coalesce(' ' || worst.route, '') as series,
        max(events.slot) as time,
        1.0 - max(events.spent) / nullif((1.0 - max(slos.objective)) * max(events.whole), 0.0) as left_share
    from (
        select slo_events.*,
            cast(sum(case when is_corrected then 0 else bad end) over (
                partition by slo_events.series, slo_events.period_start order by slot
                rows between unbounded preceding and current row
            ) as double) as spent,
            cast(sum(case when is_corrected then 0 else total end) over (
                partition by slo_events.series, slo_events.period_start
            ) as double) as whole
        from slo_events
        join worst on slo_events.slo = worst.slo and slo_events.region = worst.region
            and slo_events.service = worst.service
            and coalesce(slo_events.route, '') = coalesce(worst.route, '')
            and slo_events.period_start = worst.period_start
        where worst.place <= 5
    ) as events
    join worst on events.slo = worst.slo and events.region = worst.region
        and events.service = worst.service and coalesce(events.route, '') = coalesce(worst.route, '')
        and events.period_start = worst.period_start
    join settings_slos as slos on events.slo = slos.name
    where worst.place <= 5
    group by events.slo, worst.place, worst.region, worst.service, worst.route,
        cast(events.slot as bigint) / 3600000000
    order by slo, place, time";

/// The worst series of each latency SLO with its band and its violated windows.
const LATENCIES: &str = "
    with worst as (
        select slo, region, service, route,
            row_number() over (
                partition by slo order by violations desc, consumed desc nulls last, region, service, route
            ) as place
        from slo_status where type = 'latency' and events > 0
    )
    select bands.slo as slo, 1 as place,
        bands.region || ' ' || bands.service || coalesce(' ' || bands.route, '') as series,
        bands.window_start as time, bands.observed as observed, bands.lower as lower, bands.upper as upper,
        case when bands.is_violated or bands.is_anomaly then bands.observed end as mark,
        bands.target as target, bands.threshold as threshold
    from slo_bands as bands
    join worst on bands.slo = worst.slo and bands.region = worst.region and bands.service = worst.service
        and coalesce(bands.route, '') = coalesce(worst.route, '')
    where worst.place = 1
    order by slo, time";

/// Writes every chart into a folder; returns where.
pub(super) async fn write(run: &Run, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut charts: Vec<(String, Chart)> = Vec::new();
    for batch in run.rows(BUDGETS).await? {
        let rows = Rows::of(&batch)?;
        let left = rows.numbers("left_share")?;
        for row in 0..batch.num_rows() {
            let chart = rows.chart(&mut charts, row, "budget", |slo| Chart {
                title: format!("{slo}: error budget left"),
                value: "share of the budget".into(),
                limits: vec![("exhausted".into(), 0.0)],
                ..Chart::default()
            });
            let value = left.is_valid(row).then(|| left.value(row));
            push(chart, &rows.series[row], (rows.times[row], value));
        }
    }
    for batch in run.rows(LATENCIES).await? {
        let rows = Rows::of(&batch)?;
        let [observed, lower, upper, mark, target, threshold] = [
            rows.numbers("observed")?,
            rows.numbers("lower")?,
            rows.numbers("upper")?,
            rows.numbers("mark")?,
            rows.numbers("target")?,
            rows.numbers("threshold")?,
        ];
        for row in 0..batch.num_rows() {
            let chart = rows.chart(&mut charts, row, "latency", |slo| Chart {
                title: format!("{slo}: observed, usual band, violations"),
                value: "ms".into(),
                limits: vec![
                    ("target".into(), target.value(row)),
                    ("threshold".into(), threshold.value(row)),
                ],
                ..Chart::default()
            });
            let time = rows.times[row];
            push(chart, &rows.series[row], (time, observed.is_valid(row).then(|| observed.value(row))));
            if lower.is_valid(row) && upper.is_valid(row) {
                chart.band.push((time, lower.value(row).max(0.0), upper.value(row)));
            }
            if mark.is_valid(row) {
                chart.marks.push((time, mark.value(row)));
            }
        }
    }
    let mut written = Vec::with_capacity(charts.len());
    for (name, chart) in charts {
        let path = folder.join(name);
        write_whole(&path, chart.to_svg().as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

fn push(chart: &mut Chart, series: &str, point: (i64, Option<f64>)) {
    if chart.lines.last().is_none_or(|line| line.label != series) && chart.lines.len() < SHOWN {
        chart.lines.push(Line { label: series.to_owned(), points: Vec::new() });
    }
    if let Some(line) = chart.lines.last_mut().filter(|line| line.label == series) {
        line.points.push(point);
    }
}

/// The columns that both queries have.
struct Rows<'b> {
    batch: &'b RecordBatch,
    slos: Vec<String>,
    series: Vec<String>,
    times: Vec<i64>,
}

impl<'b> Rows<'b> {
    fn of(batch: &'b RecordBatch) -> Result<Self, Error> {
        let texts = |name| -> Result<Vec<String>, Error> {
            let column = column(batch, name, &DataType::Utf8)?;
            Ok(column.as_string::<i32>().iter().map(|t| t.unwrap_or_default().to_owned()).collect())
        };
        let times = column(batch, "time", &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
        Ok(Rows {
            batch,
            slos: texts("slo")?,
            series: texts("series")?,
            times: times.as_primitive::<TimestampMicrosecondType>().values().to_vec(),
        })
    }

    fn numbers(&self, name: &str) -> Result<Float64Array, Error> {
        Ok(column(self.batch, name, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
    }

    /// The chart of a row's SLO, made when it is the first of it.
    fn chart<'c>(
        &self,
        charts: &'c mut Vec<(String, Chart)>,
        row: usize,
        what: &str,
        new: impl FnOnce(&str) -> Chart,
    ) -> &'c mut Chart {
        let slo = &self.slos[row];
        let name = format!("{}-{what}.svg", file_name(slo));
        let at = charts.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            charts.push((name, new(slo)));
            charts.len() - 1
        });
        &mut charts[at].1
    }
}

fn column(batch: &RecordBatch, name: &str, kind: &DataType) -> Result<arrow::array::ArrayRef, Error> {
    let fail = |e: arrow::error::ArrowError| engine::Error::from(datafusion::error::DataFusionError::from(e));
    let index = batch.schema().index_of(name).map_err(fail)?;
    Ok(cast(batch.column(index), kind).map_err(fail)?)
}

/// A name that no file system objects to.
fn file_name(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).collect()
}
