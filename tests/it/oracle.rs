//! A second engine recomputes the main models: Polars reads the lake's Parquet files as they are.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::*;

use crate::support::{DAY, demo, files_under, ok};

/// The rank of the sketch, ceil(q * n), so that nothing but its relative error is left between the two.
const SAME_RANK: QuantileMethod = QuantileMethod::Equiprobable;

/// All rows of a table's data files, with `region` from the path.
pub fn table(lake: &Path, name: &str, columns: &[&str]) -> DataFrame {
    let mut all: Option<DataFrame> = None;
    for path in files_under(&lake.join(name), ".parquet") {
        if path.components().any(|c| c.as_os_str() == "_delta_log") {
            continue;
        }
        let region = path
            .components()
            .find_map(|c| c.as_os_str().to_str().and_then(|c| c.strip_prefix("region=")).map(str::to_owned))
            .unwrap();
        let mut frame = ParquetReader::new(std::fs::File::open(&path).unwrap())
            .with_columns(Some(columns.iter().map(|c| c.to_string()).collect()))
            .finish()
            .unwrap();
        frame.with_column(Series::new("region".into(), vec![region; frame.height()]).into()).unwrap();
        match &mut all {
            Some(all) => {
                all.vstack_mut(&frame).unwrap();
            }
            None => all = Some(frame),
        }
    }
    all.unwrap()
}

/// A query's rows, by their first column.
fn rows(lake: &Path, sql: &str) -> BTreeMap<String, Vec<String>> {
    let csv = ok(
        lake.parent().unwrap(),
        &["sql", "--lake", lake.to_str().unwrap(), "--date", DAY, "--format", "csv", "-c", sql],
    );
    csv.lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split(',').map(str::to_owned);
            (cells.next().unwrap(), cells.collect())
        })
        .collect()
}

#[test]
fn polars_agrees_on_counts_error_rates_and_percentiles_per_region() {
    let lake = demo().root.join("lake");
    let logs = table(&lake, "logs", &["duration_ms", "status_code", "level", "error"]);
    let is_error = col("status_code").gt_eq(lit(500)).fill_null(false).or(col("status_code").is_null().and(
        col("level")
            .eq(lit("ERROR"))
            .or(col("level").eq(lit("FATAL")))
            .or(col("error").is_not_null())
            .fill_null(false),
    ));
    let expected = logs
        .lazy()
        .filter(col("duration_ms").is_not_null().or(col("status_code").is_not_null()))
        .group_by([col("region")])
        .agg([
            len().cast(DataType::Int64).alias("requests"),
            is_error.cast(DataType::Int64).sum().alias("errors"),
            col("duration_ms").quantile(lit(0.5), SAME_RANK).alias("p50"),
            col("duration_ms").quantile(lit(0.95), SAME_RANK).alias("p95"),
            col("duration_ms").quantile(lit(0.99), SAME_RANK).alias("p99"),
        ])
        .collect()
        .unwrap();
    let got =
        rows(&lake, "select region, requests, errors, p50_ms, p95_ms, p99_ms from region_kpis order by 1");
    assert_eq!(got.len(), 6, "{got:?}");
    for row in 0..expected.height() {
        let text = |name: &str| expected.column(name).unwrap().get(row).unwrap();
        let region = text("region").get_str().unwrap().to_owned();
        let cells = &got[&region];
        let number = |name: &str| text(name).try_extract::<f64>().unwrap();
        assert_eq!(cells[0].parse::<f64>().unwrap(), number("requests"), "{region}");
        assert_eq!(cells[1].parse::<f64>().unwrap(), number("errors"), "{region}");
        for (cell, name) in cells[2..].iter().zip(["p50", "p95", "p99"]) {
            let (sketch, exact): (f64, f64) = (cell.parse().unwrap(), number(name));
            assert!((sketch / exact - 1.0).abs() <= 0.01, "{region} {name}: sketch {sketch}, exact {exact}");
        }
    }
}

#[test]
fn polars_agrees_on_latency_windows() {
    let lake = demo().root.join("lake");
    let logs = table(&lake, "logs", &["timestamp", "service", "duration_ms"]);
    let window = 300_000_000i64;
    let expected = logs
        .lazy()
        .filter(col("duration_ms").is_not_null())
        .with_column((col("timestamp").cast(DataType::Int64) / lit(window)).alias("window"))
        .group_by([col("region"), col("service"), col("window")])
        .agg([
            len().cast(DataType::Int64).alias("samples"),
            col("duration_ms").quantile(lit(0.95), SAME_RANK).alias("p95"),
        ])
        .collect()
        .unwrap();
    let mut by_key = BTreeMap::new();
    for row in 0..expected.height() {
        let cell = |name: &str| expected.column(name).unwrap().get(row).unwrap();
        let key = format!(
            "{}/{}/{}",
            cell("region").get_str().unwrap(),
            cell("service").get_str().unwrap(),
            cell("window").try_extract::<i64>().unwrap()
        );
        by_key.insert(
            key,
            (cell("samples").try_extract::<i64>().unwrap(), cell("p95").try_extract::<f64>().unwrap()),
        );
    }
    let got = rows(
        &lake,
        "select region || '/' || service || '/' || \
         cast(arrow_cast(arrow_cast(window_start, 'Timestamp(Microsecond, None)'), 'Int64') / 300000000 as varchar) as k, \
         samples, observed from slo_windows where slo = 'api_latency_p95' and samples > 0",
    );
    assert_eq!(got.len(), by_key.len());
    for (key, cells) in &got {
        let (samples, p95) = by_key.get(key).unwrap_or_else(|| panic!("{key} is not in the raw rows"));
        assert_eq!(cells[0], samples.to_string(), "{key}");
        let observed: f64 = cells[1].parse().unwrap();
        assert!((observed / p95 - 1.0).abs() <= 0.01, "{key}: sketch {observed}, exact {p95}");
    }
}

#[test]
fn polars_agrees_on_the_events_and_the_budget_of_the_error_rate() {
    let lake = demo().root.join("lake");
    let logs = table(&lake, "logs", &["duration_ms", "status_code", "level", "error"]);
    let is_error = col("status_code").gt_eq(lit(500)).fill_null(false).or(col("status_code").is_null().and(
        col("level")
            .eq(lit("ERROR"))
            .or(col("level").eq(lit("FATAL")))
            .or(col("error").is_not_null())
            .fill_null(false),
    ));
    let expected = logs
        .lazy()
        .filter(col("duration_ms").is_not_null().or(col("status_code").is_not_null()))
        .group_by([col("region")])
        .agg([
            len().cast(DataType::Float64).alias("events"),
            is_error.cast(DataType::Float64).sum().alias("bad"),
        ])
        .collect()
        .unwrap();
    let got = rows(
        &lake,
        "select region, sum(events), sum(bad_events), sum(budget_events), sum(remaining_events) \
         from slo_budgets where slo = 'error_rate' group by region",
    );
    assert_eq!(got.len(), expected.height());
    for row in 0..expected.height() {
        let cell = |name: &str| expected.column(name).unwrap().get(row).unwrap();
        let region = cell("region").get_str().unwrap().to_owned();
        let (events, bad): (f64, f64) =
            (cell("events").try_extract().unwrap(), cell("bad").try_extract().unwrap());
        // The default objective of an error rate of at most 1 % is 99 %.
        let wanted = [events, bad, 0.01 * events, 0.01 * events - bad];
        for (cell, wanted) in got[&region].iter().zip(wanted) {
            let cell: f64 = cell.parse().unwrap();
            assert!((cell - wanted).abs() < 1e-6 * events, "{region}: {cell} is not {wanted}");
        }
    }
}

#[test]
fn polars_agrees_on_the_key_figures_of_every_interval_and_region() {
    let lake = demo().root.join("lake");
    let logs = table(&lake, "logs", &["timestamp", "duration_ms", "status_code", "level", "error"]);
    let is_error = col("status_code").gt_eq(lit(500)).fill_null(false).or(col("status_code").is_null().and(
        col("level")
            .eq(lit("ERROR"))
            .or(col("level").eq(lit("FATAL")))
            .or(col("error").is_not_null())
            .fill_null(false),
    ));
    // 2025-01-15T00:00:00Z is a multiple of five minutes.
    let interval = 300_000_000i64;
    let day = 1_736_899_200_000_000 / interval;
    let expected = logs
        .lazy()
        .filter(col("duration_ms").is_not_null().or(col("status_code").is_not_null()))
        .with_column((col("timestamp").cast(DataType::Int64) / lit(interval)).alias("slot"))
        .group_by([col("region"), col("slot")])
        .agg([
            len().cast(DataType::Int64).alias("requests"),
            is_error.cast(DataType::Int64).sum().alias("errors"),
            col("duration_ms").quantile(lit(0.95), SAME_RANK).alias("p95"),
        ])
        .collect()
        .unwrap();
    let got = rows(
        &lake,
        "select region || '/' || cast(slot as varchar) as k, requests, errors, p95_ms \
         from kpi_regions where region <> 'all' and requests > 0",
    );
    assert_eq!(got.len(), expected.height());
    for row in 0..expected.height() {
        let cell = |name: &str| expected.column(name).unwrap().get(row).unwrap();
        let slot = cell("slot").try_extract::<i64>().unwrap() - day;
        let key = format!("{}/{slot}", cell("region").get_str().unwrap());
        let cells = got.get(&key).unwrap_or_else(|| panic!("{key} is not in the model"));
        assert_eq!(cells[0], cell("requests").try_extract::<i64>().unwrap().to_string(), "{key}");
        assert_eq!(cells[1], cell("errors").try_extract::<i64>().unwrap().to_string(), "{key}");
        let (sketch, exact): (f64, f64) = (cells[2].parse().unwrap(), cell("p95").try_extract().unwrap());
        assert!((sketch / exact - 1.0).abs() <= 0.01, "{key}: sketch {sketch}, exact {exact}");
    }
}
