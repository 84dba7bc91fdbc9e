//! A second engine recomputes what the SLO models say of a day: Polars counts the raw rows, and the rules of episodes,
//! corrections and burn-rate alerts are written out once more here, over its counts.

use std::collections::BTreeMap;

use polars::prelude::*;

use crate::oracle::table;
use crate::support::{DAY, demo, ok};

const MICROS: i64 = 1_000_000;
const SLOT: i64 = 300 * MICROS;
/// 2025-01-15T00:00:00Z.
const MIDNIGHT: i64 = 1_736_899_200 * MICROS;

/// Requests and failures by place, and in it by slot of five minutes since midnight.
type Counts = BTreeMap<String, BTreeMap<i64, (i64, i64)>>;

/// By region and service.
fn counts() -> Counts {
    counts_by(&["region", "service"])
}

fn counts_by(place: &[&str]) -> Counts {
    let logs = table(
        &demo().root.join("lake"),
        "logs",
        &["timestamp", "service", "route", "duration_ms", "status_code", "level", "error"],
    );
    let is_error = col("status_code").gt_eq(lit(500)).fill_null(false).or(col("status_code").is_null().and(
        col("level")
            .eq(lit("ERROR"))
            .or(col("level").eq(lit("FATAL")))
            .or(col("error").is_not_null())
            .fill_null(false),
    ));
    let counted = logs
        .lazy()
        .filter(col("duration_ms").is_not_null().or(col("status_code").is_not_null()))
        .with_column((col("timestamp").cast(DataType::Int64) / lit(SLOT)).alias("slot"))
        .group_by(place.iter().chain(&["slot"]).map(|name| col(*name)).collect::<Vec<_>>())
        .agg([
            len().cast(DataType::Int64).alias("requests"),
            is_error.cast(DataType::Int64).sum().alias("errors"),
        ])
        .collect()
        .unwrap();
    let mut found = Counts::new();
    for row in 0..counted.height() {
        let cell = |name: &str| counted.column(name).unwrap().get(row).unwrap();
        let whole = |name: &str| cell(name).try_extract::<i64>().unwrap();
        let names = place.iter().map(|name| cell(name).get_str().unwrap_or("(no route)").to_owned());
        let place = names.collect::<Vec<_>>().join(",");
        let slot = whole("slot") - MIDNIGHT / SLOT;
        found.entry(place).or_default().insert(slot, (whole("requests"), whole("errors")));
    }
    found
}

/// The rows of a query of the same day, as lines of CSV, sorted.
fn lines(sql: &str, config: Option<&std::path::Path>) -> Vec<String> {
    let mut args = vec!["sql", "--lake", "lake", "--date", DAY, "--format", "csv", "-q", "-c", sql];
    let config = config.map(|path| path.to_str().unwrap().to_owned());
    if let Some(path) = &config {
        args.extend(["--config", path]);
    }
    let mut lines: Vec<_> = ok(&demo().root, &args).lines().skip(1).map(str::to_owned).collect();
    lines.sort();
    lines
}

/// A time as microseconds since midnight, for SQL.
fn since_midnight(column: &str) -> String {
    format!("(cast({column} as bigint) - {MIDNIGHT})")
}

/// Episodes in which more than one request in twenty failed, as lines.
fn episodes(counts: Counts) -> Vec<String> {
    let mut wanted = Vec::new();
    for (place, slots) in counts {
        let mut episodes: Vec<(i64, i64, i64, i64, f64)> = Vec::new();
        for (slot, (requests, errors)) in slots {
            let share = errors as f64 / requests as f64;
            if share <= 0.05 {
                continue;
            }
            match episodes.last_mut() {
                // One good window between two bad ones does not end an episode.
                Some((_, end, windows, samples, worst)) if slot - *end <= 1 => {
                    *end = slot + 1;
                    *windows += 1;
                    *samples += requests;
                    *worst = worst.max(share);
                }
                _ => episodes.push((slot, slot + 1, 1, requests, share)),
            }
        }
        wanted.extend(episodes.into_iter().map(|(start, end, windows, samples, worst)| {
            let kind = if samples < 20 { "low_traffic" } else { "violation" };
            format!("{place},{kind},{},{},{windows},{samples},{worst:.6}", start * SLOT, end * SLOT)
        }));
    }
    wanted.sort();
    wanted
}

/// The same of the model.
fn told_episodes(place: &str, config: Option<&std::path::Path>) -> Vec<String> {
    let sql = format!(
        "select {place}, kind, {}, {}, windows, samples, round(worst, 6) from slo_episodes \
         where slo = 'error_rate' and kind in ('violation', 'low_traffic')",
        since_midnight("started_at"),
        since_midnight("ended_at")
    );
    let mut told: Vec<_> = lines(&sql, config)
        .iter()
        .map(|line| {
            let (rest, worst) = line.rsplit_once(',').unwrap();
            format!("{rest},{:.6}", worst.parse::<f64>().unwrap())
        })
        .collect();
    told.sort();
    told
}

#[test]
fn polars_agrees_on_the_episodes_in_which_too_many_requests_failed() {
    let wanted = episodes(counts());
    assert!(wanted.len() > 3, "the faults of the day are among them: {wanted:?}");
    assert_eq!(told_episodes("region, service", None), wanted);
}

#[test]
fn polars_agrees_on_the_episodes_and_budgets_of_single_routes() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tars.toml");
    let by = "[[slo]]\nname = \"error_rate\"\nby = [\"region\", \"service\", \"route\"]\n";
    std::fs::write(&config, by).unwrap();
    let counts = counts_by(&["region", "service", "route"]);
    let mut wanted: Vec<String> = Vec::new();
    for (place, slots) in &counts {
        let (events, bad) = slots.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        wanted.push(format!("{place},{events},{bad},{}", slots.len() * 300));
    }
    wanted.sort();
    let sql = "select budgets.region, budgets.service, budgets.route, cast(max(budgets.events) as bigint), \
               cast(max(budgets.bad_events) as bigint), sum(events.seconds) from slo_budgets as budgets \
               join slo_events as events on budgets.slo = events.slo and budgets.region = events.region \
               and budgets.service = events.service and budgets.route = events.route \
               where budgets.slo = 'error_rate' group by 1, 2, 3";
    assert!(wanted.len() > 10, "services of the day serve several routes: {wanted:?}");
    assert_eq!(lines(sql, Some(&config)), wanted);
    let wanted = episodes(counts);
    assert!(wanted.len() > 3, "the faults of the day are among them: {wanted:?}");
    assert_eq!(told_episodes("region, service, route", Some(&config)), wanted);
}

#[test]
fn polars_agrees_on_budgets_with_and_without_what_a_correction_covers() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tars.toml");
    let counts = counts();
    let place = counts.keys().next().unwrap().clone();
    let (region, service) = place.split_once(',').unwrap();
    let text = format!(
        "[[correction]]\nname = \"upgrade\"\nfrom = \"2025-01-15T06:02:00Z\"\nto = \"2025-01-15T09:00:00Z\"\n\
         reason = \"planned\"\nauthor = \"sre\"\nregion = \"{region}\"\nservice = \"{service}\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut wanted = Vec::new();
    for (other, slots) in &counts {
        // A slot is covered when it begins within the correction: 6:05 is the first, 9:00 is not.
        let is_covered = |slot: &i64| *other == place && (73..108).contains(slot);
        let sum = |all: bool| {
            let counted = slots.iter().filter(|(slot, _)| all || !is_covered(slot));
            counted.fold((0, 0), |(n, bad), (_, (requests, errors))| (n + requests, bad + errors))
        };
        let ((raw, raw_bad), (events, bad)) = (sum(true), sum(false));
        let covered = slots.keys().filter(|slot| is_covered(slot)).count() * 300;
        let (consumed, raw_consumed) =
            (bad as f64 / (0.01 * events as f64), raw_bad as f64 / (0.01 * raw as f64));
        wanted.push(format!("{other},{events},{bad},{consumed:.6},{raw_bad},{raw_consumed:.6},{covered}"));
    }
    let sql = "select region, service, cast(events as bigint), cast(bad_events as bigint), consumed, \
               cast(raw_bad_events as bigint), raw_consumed, corrected_seconds from slo_budgets where slo = 'error_rate'";
    let got: Vec<_> = lines(sql, Some(&config))
        .iter()
        .map(|line| {
            let mut cells: Vec<_> = line.split(',').map(str::to_owned).collect();
            for i in [4, 6] {
                cells[i] = format!("{:.6}", cells[i].parse::<f64>().unwrap());
            }
            cells.join(",")
        })
        .collect();
    wanted.sort();
    assert!(wanted.iter().any(|line| !line.ends_with(",0")), "{wanted:?}");
    assert_eq!(got, wanted);
}

/// Lower end of Wilson's interval at 95 % (Wilson 1927, J. Am. Stat. Assoc. 22:209).
fn wilson_lower(bad: f64, n: f64) -> f64 {
    let (p, z2) = (bad / n, 1.96 * 1.96);
    (p + z2 / (2.0 * n) - 1.96 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt()) / (1.0 + z2 / n)
}

#[test]
fn polars_agrees_on_the_burn_rate_alerts_that_would_have_fired() {
    // An objective of which the few requests of a small day fall short: one in a thousand may fail.
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tars.toml");
    std::fs::write(&config, "[[slo]]\nname = \"error_rate\"\nobjective = 0.999\n").unwrap();
    // Long and short windows in slots, and the share of a budget of 28 days.
    const TIERS: [(i64, i64, f64); 4] = [(12, 1, 0.02), (72, 6, 0.05), (288, 24, 0.1), (864, 72, 0.1)];
    let mut wanted = Vec::new();
    for (place, slots) in counts() {
        let sum = |from: i64, to: i64| {
            slots
                .range(from + 1..=to)
                .fold((0, 0), |(n, bad), (_, (requests, errors))| (n + requests, bad + errors))
        };
        let mut last: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
        for slot in slots.keys() {
            let firing = TIERS.iter().position(|(long, short, share)| {
                let limit = (share * 28.0 * 288.0 / *long as f64).max(1.0) * 0.001;
                let ((long_n, long_bad), (short_n, short_bad)) =
                    (sum(slot - long, *slot), sum(slot - short, *slot));
                short_bad > 0
                    && long_n >= 20
                    && long_bad as f64 / long_n as f64 >= limit
                    && short_bad as f64 / short_n as f64 >= limit
                    && wilson_lower(long_bad as f64, long_n as f64) >= limit
            });
            let Some(tier) = firing else { continue };
            let stretch = last.entry(tier).or_insert((*slot, *slot));
            if slot - stretch.1 > 6 {
                wanted.push(format!("{place},{},{},{}", tier + 1, stretch.0 * SLOT, (stretch.1 + 1) * SLOT));
                *stretch = (*slot, *slot);
            }
            stretch.1 = *slot;
        }
        for (tier, (first, end)) in last {
            wanted.push(format!("{place},{},{},{}", tier + 1, first * SLOT, (end + 1) * SLOT));
        }
    }
    wanted.sort();
    let sql = format!(
        "select region, service, tier, {}, {} from slo_alerts where slo = 'error_rate'",
        since_midnight("started_at"),
        since_midnight("ended_at")
    );
    assert!(wanted.len() > 3, "the faults of the day are among them: {wanted:?}");
    assert_eq!(lines(&sql, Some(&config)), wanted);
}
