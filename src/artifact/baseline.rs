//! Kept baselines: named, versioned rows of the table `baselines`, which later windows are compared with.

use std::path::Path;

use super::intervals::time;
use super::rows::Rows;
use super::{Error, Intervals};
use crate::domain::TimeRange;
use crate::engine::{Engine, EngineOptions, Params};
use crate::lake::{Lake, Transaction};
use crate::pipeline::{self, Run, append};
use crate::settings::Settings;

/// The table, and how messages call it.
const TABLE: &str = "baselines";

/// Names that mean a stretch of time instead of a kept baseline.
pub const RESERVED: [&str; 3] = ["previous", "last-week", "first"];

/// Longest name.
const LONGEST_NAME: usize = 100;

/// Enough to read one small table.
const MEMORY: u64 = 256 << 20;

/// What the models of a baseline share, computed once.
const HELD: [&str; 7] = [
    "request_minutes",
    "request_intervals",
    "baseline_series",
    "current_series",
    "place_series",
    "drift_requests",
    "request_series",
];

/// Every column but the version and the origin, in the order of the table.
const COLUMNS: &str = "window_start, window_end, region, service, name, version, interval_seconds, seasons, season, \
    measure, value, unit, center, spread, intervals, events, trials, sketch, route, slow_from, pooled, origin";

/// The columns that rows of an older version lack, and their types.
const NEWER: [(&str, &str); 3] = [("route", "varchar"), ("slow_from", "double"), ("pooled", "bigint")];

/// A version of a baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Its version, counted from 1.
    pub version: i64,
    /// First instant of its window, UTC microseconds.
    pub from: i64,
    /// First instant after it.
    pub to: i64,
    /// Length of its intervals.
    pub interval_seconds: i64,
    /// Which hours it tells apart.
    pub seasons: String,
    /// How many figures it holds.
    pub figures: i64,
    /// Where it came from.
    pub origin: String,
}

impl Kept {
    /// The window that it was measured over.
    pub fn window(&self) -> Result<TimeRange, Error> {
        TimeRange::new(self.from, self.to).map_err(|e| refused(format!("baseline `{}`: {e}", self.name)))
    }
}

/// `NAME` or `NAME@VERSION`.
pub fn parse(text: &str) -> Result<(String, Option<i64>), Error> {
    let (name, version) = match text.split_once('@') {
        None => (text, None),
        Some((name, version)) => match version.parse::<i64>() {
            Ok(number) if number > 0 => (name, Some(number)),
            _ => {
                return Err(refused(format!(
                    "baseline `{text}`: expected a version such as {name}@2, got `{version}`"
                )));
            }
        },
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) {
        return Err(refused(format!(
            "baseline `{text}`: expected a name of at most {LONGEST_NAME} letters, digits, `.`, `_` and `-`, got `{name}`"
        )));
    }
    Ok((name.to_owned(), version))
}

fn refused(message: String) -> Error {
    Error::Baseline { message }
}

/// Every version of every baseline, by name and version.
pub async fn list(lake: &Lake) -> Result<Vec<Kept>, Error> {
    if lake.snapshot(TABLE).await.map_err(pipeline::Error::from).map_err(read)?.is_none() {
        return Ok(Vec::new());
    }
    let engine = Engine::new(&EngineOptions { memory_limit: MEMORY, threads: 1 }, &Settings::default())?;
    crate::engine::register_lake(engine.context(), lake).await?;
    let run = Run::without_lake(engine);
    let sql = "select name, version, min(window_start) as since, max(window_end) as until, \
               max(interval_seconds) as interval_seconds, min(seasons) as seasons, count(*) as figures, \
               max(origin) as origin from baselines group by name, version order by name, version";
    let rows = Rows::of(&run, TABLE, sql).await?;
    let (names, versions) = (rows.texts("name")?, rows.integers("version")?);
    let (since, until) = (rows.times("since")?, rows.times("until")?);
    let (steps, seasons) = (rows.integers("interval_seconds")?, rows.texts("seasons")?);
    let (figures, origins) = (rows.integers("figures")?, rows.texts("origin")?);
    let text = |cells: &super::rows::Cells, row| cells.text(row).unwrap_or_default().to_owned();
    Ok((0..rows.len())
        .map(|row| Kept {
            name: text(&names, row),
            version: versions.integer(row).unwrap_or_default(),
            from: since.time(row).unwrap_or_default(),
            to: until.time(row).unwrap_or_default(),
            interval_seconds: steps.integer(row).unwrap_or_default(),
            seasons: text(&seasons, row),
            figures: figures.integer(row).unwrap_or_default(),
            origin: text(&origins, row),
        })
        .collect())
}

fn read(source: pipeline::Error) -> Error {
    Error::Query { document: TABLE, source }
}

/// The version asked for with `NAME` or `NAME@VERSION`, else the newest.
pub async fn find(lake: &Lake, text: &str) -> Result<Kept, Error> {
    let (name, version) = parse(text)?;
    let all = list(lake).await?;
    let found = all.iter().rfind(|k| k.name == name && version.is_none_or(|v| v == k.version));
    found.cloned().ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|k| format!("{}@{}", k.name, k.version)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        refused(format!("baseline `{text}`: expected one that the lake keeps, which are: {known}"))
    })
}

/// The number of the next version of a name.
async fn next_version(lake: &Lake, name: &str) -> Result<i64, Error> {
    if parse(name)?.1.is_some() || RESERVED.contains(&name) {
        let reserved = RESERVED.join(", ");
        return Err(refused(format!(
            "baseline `{name}`: expected a name without a version, other than {reserved}"
        )));
    }
    let newest = list(lake).await?.into_iter().filter(|k| k.name == name).map(|k| k.version).max();
    Ok(newest.unwrap_or_default() + 1)
}

/// Keeps rows that a query gives as the next version of a name.
async fn append_version(run: &Run, lake: &Lake, name: &str, version: i64, sql: &str) -> Result<i64, Error> {
    let batches = run.rows(sql).await.map_err(read)?;
    if batches.iter().all(|batch| batch.num_rows() == 0) {
        return Err(refused(format!(
            "baseline `{name}`: expected figures to keep, got none: nothing was measured"
        )));
    }
    let done = Transaction { app_id: format!("tars-baseline:{name}"), version };
    append(lake, TABLE, batches, done).await.map_err(read)?;
    Ok(version)
}

/// Keeps the figures of the run's baseline window as the next version of `name`.
pub async fn keep(run: &Run, lake: &Lake, name: &str) -> Result<i64, Error> {
    let version = next_version(lake, name).await?;
    let seconds = Intervals::of(run.params())?.seconds();
    run.hold_only(&HELD).await.map_err(read)?;
    let sql = format!(
        "select $baseline_from as window_start, $baseline_to as window_end, region, service, '{name}' as name, \
         cast({version} as bigint) as version, cast({seconds} as bigint) as interval_seconds, \
         baseline.seasons as seasons, baseline.season as season, baseline.name as measure, value, unit, center, spread, \
         intervals, events, trials, latency as sketch, null as route, null as slow_from, null as pooled, \
         'lake' as origin \
         from drift_baseline as baseline \
         where value is not null \
         union all \
         select $baseline_from as window_start, $baseline_to as window_end, region, service, '{name}' as name, \
         cast({version} as bigint) as version, cast({seconds} as bigint) as interval_seconds, 'none' as seasons, \
         cast(0 as bigint) as season, 'route_slow_requests' as measure, share as value, '1' as unit, center, spread, \
         intervals, share * trials as events, trials, null as sketch, route, slow_from, pooled, 'lake' as origin \
         from drift_route_baseline \
         order by region, service, measure, season, route"
    );
    append_version(run, lake, name, version, &sql).await
}

/// Makes an older version the newest again, as a copy.
pub async fn roll_back(run: &Run, lake: &Lake, name: &str, to: i64) -> Result<i64, Error> {
    find(lake, &format!("{name}@{to}")).await?;
    let version = next_version(lake, name).await?;
    let columns = COLUMNS.replace(" version,", &format!(" cast({version} as bigint) as version,"));
    let columns = columns.replace(" origin", &format!(" 'version {to}' as origin"));
    let sql = format!(
        "select {columns} from baselines as kept where kept.name = '{name}' and kept.version = {to} \
         order by region, service, measure, season, route"
    );
    append_version(run, lake, name, version, &sql).await
}

/// The rows of a version, for a file.
pub fn export_sql(kept: &Kept) -> String {
    format!(
        "select {COLUMNS} from baselines where name = '{}' and version = {} \
         order by region, service, measure, season, route",
        kept.name, kept.version
    )
}

/// Keeps what a file holds: Parquet of an export, or a `baseline_metrics.json`, which has values only, so that drift from it
/// is judged by size alone.
pub async fn import(run: &Run, lake: &Lake, name: &str, file: &Path) -> Result<i64, Error> {
    let version = next_version(lake, name).await?;
    let shown = file.display().to_string().replace('\'', "''");
    if file.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) {
        let sql = document_sql(name, version, file, &shown)?;
        return append_version(run, lake, name, version, &sql).await;
    }
    let is_parquet = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet"));
    if !is_parquet || !file.is_file() {
        let got = if file.is_file() { "a file of another kind" } else { "no such file" };
        return Err(refused(format!(
            "baseline file `{}`: expected Parquet of `tars baseline export` (.parquet) or a baseline_metrics.json (.json), got {got}",
            file.display()
        )));
    }
    let columns = COLUMNS.replace(" name,", &format!(" '{name}' as name,"));
    let columns = columns.replace(" version,", &format!(" cast({version} as bigint) as version,"));
    let columns = columns.replace(" origin", &format!(" '{shown}' as origin"));
    let held = run.engine().sql(&format!("select * from '{shown}' limit 0")).await?;
    let lacks = |column: &str| held.schema().field_with_unqualified_name(column).is_err();
    let columns =
        NEWER.iter().filter(|(column, _)| lacks(column)).fold(columns, |columns, (column, kind)| {
            columns.replace(&format!(" {column},"), &format!(" cast(null as {kind}) as {column},"))
        });
    let sql = format!("select {columns} from '{shown}' order by region, service, measure, season, route");
    append_version(run, lake, name, version, &sql).await
}

/// The rows of a `baseline_metrics.json`.
fn document_sql(name: &str, version: i64, file: &Path, shown: &str) -> Result<String, Error> {
    let wrong = |what: String| refused(format!("baseline file `{}`: {what}", file.display()));
    let text = std::fs::read(file).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    let document: serde_json::Value =
        serde_json::from_slice(&text).map_err(|e| wrong(format!("expected JSON, got: {e}")))?;
    let at = |key: &str| {
        let text = document["window"][key].as_str().unwrap_or_default();
        crate::domain::parse_timestamp(text)
            .ok_or_else(|| wrong(format!("expected a time as window.{key}, got `{text}`")))
    };
    let window = TimeRange::new(at("from")?, at("to")?).map_err(|e| wrong(e.to_string()))?;
    let metrics =
        document["metrics"].as_object().ok_or_else(|| wrong("expected an object `metrics`".into()))?;
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let mut rows = Vec::new();
    for (measure, value) in metrics.iter().filter(|(_, value)| !value.is_null()) {
        match value.as_f64() {
            Some(value) if plain(measure) => rows.push(format!("('{measure}', cast({value:e} as double))")),
            _ => return Err(wrong(format!("expected a number as metrics.{measure}, got {value}"))),
        }
    }
    if rows.is_empty() {
        return Err(wrong("expected figures under `metrics`, got none".into()));
    }
    let params = Params::new(window, window);
    let seconds = (window.to() - window.from()) / crate::domain::MICROS_PER_SECOND;
    let sql = format!(
        "select $from as window_start, $to as window_end, 'all' as region, 'all' as service, '{name}' as name, \
         cast({version} as bigint) as version, cast({seconds} as bigint) as interval_seconds, 'none' as seasons, \
         cast(0 as bigint) as season, measure, value, null as unit, null as center, null as spread, null as intervals, \
         null as events, null as trials, null as sketch, null as route, null as slow_from, null as pooled, '{shown}' as origin \
         from (values {}) as listed (measure, value) order by measure",
        rows.join(", ")
    );
    Ok(params.bind(&sql)?)
}

/// How a version is told to people.
pub fn described(kept: &Kept) -> String {
    format!("baseline {}@{} of {} to {}", kept.name, kept.version, time(kept.from), time(kept.to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_and_a_version_a_number_above_zero() {
        assert_eq!(parse("ga").unwrap(), ("ga".to_owned(), None));
        assert_eq!(parse("ga-day.1@12").unwrap(), ("ga-day.1".to_owned(), Some(12)));
        for text in ["", "@1", "a b", "ga@", "ga@0", "ga@x", "a'; drop"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains("expected") && error.contains("got"), "{error}");
        }
    }
}
