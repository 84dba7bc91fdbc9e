//! The lake as its users see it: write, commit, read back, each in a directory of its own.

mod reading;
mod upkeep;
mod windows;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{Int64Type, SchemaRef};
use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{SessionConfig, SessionContext};
use tempfile::TempDir;

use super::delta::TableLog;
use super::storage::Storage;
use super::*;
use crate::contract::{self, Table};
use crate::domain::{Hour, MICROS_PER_HOUR, parse_timestamp};

/// The first microsecond of 2025-01-15T13.
fn start() -> i64 {
    parse_timestamp("2025-01-15T13:00:00Z").unwrap()
}

/// Log lines at these times; the status code counts them from 0.
fn rows(schema: &SchemaRef, times: &[i64]) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "timestamp" => Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC")),
            "service" => Arc::new(StringArray::from_iter_values(times.iter().map(|_| "api"))),
            "status_code" => Arc::new(Int32Array::from_iter_values(0..times.len() as i32)),
            _ => new_null_array(field.data_type(), times.len()),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

fn logs(times: &[i64]) -> RecordBatch {
    rows(&contract::table("logs").unwrap().file_schema(), times)
}

/// Writes `count` lines of an hour, one second apart, without committing them.
async fn write(writer: &mut TableWriter, region: &str, hour_offset: i64, count: i64) {
    let first = start() + hour_offset * MICROS_PER_HOUR;
    let times: Vec<_> = (0..count).map(|i| first + i * 1_000_000).collect();
    writer.write(region, Hour::of_micros(first), logs(&times)).await.unwrap();
}

fn txn(app_id: &str, version: i64) -> Transaction {
    Transaction { app_id: app_id.to_owned(), version }
}

async fn new_lake() -> (TempDir, Lake) {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::create(dir.path().join("lake").to_str().unwrap()).await.unwrap();
    (dir, lake)
}

async fn context(lake: &Lake) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(2);
    let ctx = SessionContext::new_with_config(config);
    let snapshot = lake.snapshot("logs").await.unwrap().unwrap();
    ctx.register_table("logs", snapshot.provider()).unwrap();
    ctx
}

async fn query(ctx: &SessionContext, sql: &str) -> String {
    let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&batches).unwrap().to_string()
}

/// The values of a result: rows joined by `;`, columns by `,`.
async fn values(ctx: &SessionContext, sql: &str) -> String {
    let text = query(ctx, sql).await;
    let rows = text.lines().filter(|l| l.starts_with('|')).skip(1);
    rows.map(|l| l.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join(","))
        .collect::<Vec<_>>()
        .join(";")
}

fn parquet_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().unwrap() != "_delta_log" {
                found.extend(parquet_files(&path));
            }
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn nothing_is_visible_before_the_commit_and_everything_after_it() {
    let (dir, lake) = new_lake().await;
    assert!(lake.snapshot("logs").await.unwrap().is_none());
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 10).await;
    write(&mut writer, "us", 0, 5).await;
    let before = lake.snapshot("logs").await.unwrap().unwrap();
    assert_eq!((before.version(), before.rows(), before.files().len()), (0, 0, 0));
    let committed = writer.commit(&[]).await.unwrap();
    assert_eq!((committed.version, committed.files, committed.rows), (1, 2, 15));
    let after = lake.snapshot("logs").await.unwrap().unwrap();
    assert_eq!((after.version(), after.rows(), after.bytes()), (1, 15, committed.bytes));
    assert_eq!(before.rows(), 0, "a snapshot does not change");
    assert_eq!(writer.commit(&[]).await.unwrap().version, 1, "nothing to commit is no commit");
    assert_eq!(lake.snapshot_at("logs", 0).await.unwrap().unwrap().rows(), 0);
    let error = lake.snapshot_at("logs", 7).await.unwrap_err().to_string();
    assert_eq!(error, "table `logs`: expected a version up to 1, got 7");
    assert_eq!(lake.snapshot("logs").await.unwrap().unwrap().version(), 1, "going back does not stick");
    std::fs::remove_dir_all(dir.path().join("lake/logs")).unwrap();
    assert!(lake.snapshot("logs").await.unwrap().is_none(), "what was seen is not believed forever");
    lake.writer("logs").await.unwrap();
    assert_eq!(lake.snapshot("logs").await.unwrap().unwrap().version(), 0);
}

#[tokio::test]
async fn a_filter_on_region_hour_or_time_reads_only_the_files_that_can_match() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for region in ["ap", "eu", "us"] {
        for hour in 0..4 {
            write(&mut writer, region, hour, 10).await;
        }
    }
    writer.commit(&[]).await.unwrap();
    let ctx = context(&lake).await;
    for (filter, files, count) in [
        ("true", 12, 120),
        ("region = 'eu'", 4, 40),
        ("region in ('eu', 'us') and hour = '2025-01-15T14'", 2, 20),
        ("upper(region) like 'E%'", 4, 40),
        ("hour >= '2025-01-15T15'", 6, 60),
        ("timestamp >= '2025-01-15T14:00:00Z' and timestamp < '2025-01-15T15:00:00Z'", 3, 30),
        ("timestamp >= '2025-01-15T14:00:08Z' and timestamp < '2025-01-15T15:00:01Z'", 6, 9),
        ("timestamp > '2025-01-15T16:00:09Z'", 0, 0),
        ("region = 'eu' or timestamp < '2025-01-15T14:00:00Z'", 6, 60),
        ("service = 'api' and region = 'us'", 4, 40),
        ("status_code = 3", 12, 12),
    ] {
        let sql = format!("select count(*), count(status_code) from logs where {filter}");
        assert_eq!(values(&ctx, &sql).await, format!("{count},{count}"), "{filter}");
        let plan = query(&ctx, &format!("explain analyze select service from logs where {filter}")).await;
        if files == 0 {
            assert!(plan.contains("EmptyExec"), "{plan}");
        } else {
            let pruned = format!("lake_files={} total → {files} matched", 12);
            assert!(plan.contains(&pruned), "{filter}: expected {pruned} in {plan}");
        }
    }
    // `explain` alone names the files.
    let plan =
        query(&ctx, "explain select service from logs where region = 'eu' and hour = '2025-01-15T14'").await;
    assert_eq!(plan.matches("/part-").count(), 1, "{plan}");
    assert!(plan.contains("logs/region=eu/hour=2025-01-15T14/part-"), "{plan}");
    assert!(!plan.contains("FilterExec"), "the scan itself filters: {plan}");
    let plan = query(&ctx, "explain select service from logs where status_code = 3").await;
    assert!(plan.contains("predicate=status_code") && !plan.contains("FilterExec"), "{plan}");
}

#[tokio::test]
async fn rows_in_order_of_time_are_not_sorted_again() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for hour in [2, 0, 1] {
        write(&mut writer, "eu", hour, 10).await;
        write(&mut writer, "us", hour, 10).await;
    }
    writer.commit(&[]).await.unwrap();
    let ctx = context(&lake).await;
    let one = "select timestamp from logs where region = 'eu' order by timestamp";
    let plan = query(&ctx, &format!("explain {one}")).await;
    assert!(plan.contains("output_ordering=[timestamp") && !plan.contains("SortExec"), "{plan}");
    let all = "select timestamp from logs order by timestamp";
    let plan = query(&ctx, &format!("explain {all}")).await;
    assert!(plan.contains("SortExec"), "two regions overlap in time: {plan}");
    for sql in [one, all] {
        let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
        let times: Vec<i64> = batches
            .iter()
            .flat_map(|b| {
                b.column(0).as_primitive::<arrow::datatypes::TimestampMicrosecondType>().values().to_vec()
            })
            .collect();
        assert!(times.is_sorted() && times.len() >= 30, "{sql}");
    }
    let newest = "select timestamp from logs order by timestamp desc limit 1";
    assert_eq!(values(&ctx, newest).await, "2025-01-15T15:00:09Z");
    let plan = query(&ctx, "explain analyze select service from logs limit 5").await;
    assert!(plan.contains("lake_files=6 total → 1 matched"), "a limit needs one file: {plan}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_all_land() {
    let (dir, lake) = new_lake().await;
    let place = dir.path().join("lake");
    let tasks: Vec<_> = (0..8)
        .map(|i| {
            let place = place.to_str().unwrap().to_owned();
            tokio::spawn(async move {
                // Its own store, as another process would have; the first of them make the table.
                let lake = Lake::create(&place).await.unwrap();
                let mut writer = lake.writer("logs").await.unwrap();
                for round in 0..3 {
                    write(&mut writer, "eu", i, 10).await;
                    writer.commit(&[txn(&format!("source-{i}"), round)]).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let snapshot = lake.snapshot("logs").await.unwrap().unwrap();
    assert_eq!((snapshot.version(), snapshot.rows(), snapshot.files().len()), (24, 240, 24));
    for i in 0..8 {
        assert_eq!(snapshot.transaction(&format!("source-{i}")).await.unwrap(), Some(2));
    }
    assert_eq!(
        values(&context(&lake).await, "select count(*), count(distinct hour) from logs").await,
        "240,8"
    );
}

#[tokio::test]
async fn a_source_that_was_landed_is_not_landed_again() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    assert_eq!(writer.transaction("a.log").await.unwrap(), None);
    write(&mut writer, "eu", 0, 10).await;
    writer.commit(&[txn("a.log", 100), txn("b.log", 7)]).await.unwrap();
    // A replay.
    let mut replay = lake.writer("logs").await.unwrap();
    assert_eq!(replay.transaction("a.log").await.unwrap(), Some(100));
    write(&mut replay, "eu", 0, 10).await;
    let error = replay.commit(&[txn("a.log", 100)]).await.unwrap_err();
    assert!(
        matches!(&error, Error::AlreadyCommitted { app_id, recorded: 100, .. } if app_id == "a.log"),
        "{error}"
    );
    let snapshot = lake.snapshot("logs").await.unwrap().unwrap();
    assert_eq!((snapshot.version(), snapshot.rows()), (1, 10));
    assert_eq!(snapshot.transaction("b.log").await.unwrap(), Some(7));
    assert_eq!(snapshot.transaction("c.log").await.unwrap(), None);
    assert!(replay.pending().is_empty());
    // Progress without rows is recorded too.
    assert_eq!(replay.commit(&[txn("b.log", 8)]).await.unwrap().version, 2);
    assert_eq!(lake.snapshot("logs").await.unwrap().unwrap().transaction("b.log").await.unwrap(), Some(8));
}

#[tokio::test]
async fn of_two_writers_of_one_source_the_second_is_told_and_can_go_on() {
    let (dir, lake) = new_lake().await;
    let (mut first, mut second) = (lake.writer("logs").await.unwrap(), lake.writer("logs").await.unwrap());
    write(&mut first, "eu", 0, 10).await;
    write(&mut second, "eu", 0, 20).await;
    first.commit(&[txn("a.log", 100)]).await.unwrap();
    // It read the same bytes and 100 more, so landing them would land the first half twice.
    let error = second.commit(&[txn("a.log", 200)]).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyCommitted { recorded: 100, got: 200, .. }), "{error}");
    assert!(error.hint().unwrap().contains("go on from there"));
    assert_eq!(parquet_files(&dir.path().join("lake/logs")).len(), 1, "the loser's file is gone");
    second.refresh().await.unwrap();
    assert_eq!(second.transaction("a.log").await.unwrap(), Some(100));
    write(&mut second, "eu", 0, 10).await;
    second.commit(&[txn("a.log", 200)]).await.unwrap();
    assert_eq!(lake.snapshot("logs").await.unwrap().unwrap().rows(), 20);
}

#[tokio::test]
async fn a_commit_of_its_own_does_not_hide_what_others_recorded_before_it() {
    let (_dir, lake) = new_lake().await;
    let (mut first, mut second) = (lake.writer("logs").await.unwrap(), lake.writer("logs").await.unwrap());
    first.commit(&[txn("a.log", 100)]).await.unwrap();
    write(&mut second, "eu", 0, 10).await;
    second.commit(&[]).await.unwrap();
    assert_eq!(second.version(), 2);
    let error = second.commit(&[txn("a.log", 200)]).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyCommitted { recorded: 100, .. }), "{error}");
}

#[tokio::test]
async fn a_writer_opened_late_takes_what_its_caller_did_not_know_as_news() {
    let (_dir, lake) = new_lake().await;
    let mut other = lake.writer("logs").await.unwrap();
    other.commit(&[txn("a.log", 100)]).await.unwrap();
    other.commit(&[txn("b.log", 100)]).await.unwrap();
    for (known, source, lands) in [
        (None, "a.log", false),
        (Some(0), "a.log", false),
        (Some(1), "b.log", false),
        (Some(1), "a.log", true),
    ] {
        let mut late = lake.writer("logs").await.unwrap().since(known);
        assert_eq!(late.commit(&[txn(source, 200)]).await.is_ok(), lands, "{known:?} {source}");
    }
}

#[tokio::test]
async fn transactions_survive_checkpoints() {
    let (dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 10).await;
    for i in 0..45 {
        writer.commit(&[txn(&format!("source-{i}"), i)]).await.unwrap();
    }
    let log = std::fs::read_dir(dir.path().join("lake/logs/_delta_log")).unwrap();
    let checkpoints = log
        .filter(|e| e.as_ref().unwrap().file_name().to_str().unwrap().ends_with(".checkpoint.parquet"))
        .count();
    assert_eq!(checkpoints, 2);
    let snapshot = lake.snapshot("logs").await.unwrap().unwrap();
    assert_eq!((snapshot.version(), snapshot.rows(), snapshot.files()[0].exact), (45, 10, true));
    let table = TableLog::new(
        contract::table("logs").unwrap(),
        Storage::parse(lake.url().as_str()).unwrap().below("logs"),
    );
    let state = table.load(None).await.unwrap().unwrap();
    for i in 0..45 {
        let app_id = format!("source-{i}");
        assert_eq!(snapshot.transaction(&app_id).await.unwrap(), Some(i));
        // The format's own reader agrees.
        assert_eq!(table.transaction(&state, &app_id).await.unwrap(), Some(i));
    }
    let old = lake.snapshot_at("logs", 30).await.unwrap().unwrap();
    assert_eq!(old.transaction("source-29").await.unwrap(), Some(29));
    assert_eq!(old.transaction("source-30").await.unwrap(), None);
}

#[tokio::test]
async fn hostile_regions_come_back_as_they_were_and_stay_below_the_table() {
    let (dir, lake) = new_lake().await;
    let long = "é".repeat(300);
    let regions = [
        "..",
        "../../../x",
        "a/b",
        "a=b",
        "hour=x",
        "100% &?#",
        "tab\tnew\nline",
        " ",
        "ünï",
        "%2F",
        "a'b",
        &long,
    ];
    let mut writer = lake.writer("logs").await.unwrap();
    for region in regions {
        write(&mut writer, region, 0, 3).await;
    }
    writer.commit(&[]).await.unwrap();
    write(&mut writer, "", 0, 2).await;
    writer.commit(&[]).await.unwrap();
    let ctx = context(&lake).await;
    for region in regions {
        let sql =
            format!("select count(status_code) from logs where region = '{}'", region.replace('\'', "''"));
        assert_eq!(values(&ctx, &sql).await, "3", "{region}");
    }
    assert_eq!(values(&ctx, "select count(status_code) from logs where region = 'unknown'").await, "2");
    let batches = ctx.sql("select distinct region from logs").await.unwrap().collect().await.unwrap();
    let mut found: Vec<String> = batches
        .iter()
        .flat_map(|b| b.column(0).as_string_view().iter().map(|v| v.unwrap().to_owned()))
        .collect();
    let mut expected: Vec<String> = regions.iter().map(|r| r.to_string()).chain(["unknown".into()]).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(parquet_files(dir.path()).len(), regions.len() + 1);
    for file in parquet_files(dir.path()) {
        let inside = file.strip_prefix(dir.path().join("lake/logs")).unwrap();
        let plain = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
        assert!(inside.components().count() == 3 && inside.components().all(plain), "{inside:?}");
    }
}

#[tokio::test]
async fn late_rows_land_in_their_own_hour() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 10).await;
    writer.commit(&[]).await.unwrap();
    write(&mut writer, "eu", -50, 4).await;
    writer.commit(&[]).await.unwrap();
    write(&mut writer, "eu", 0, 1).await;
    writer.commit(&[]).await.unwrap();
    let ctx = context(&lake).await;
    let sql = "select hour, count(*) from logs group by hour order by hour";
    assert_eq!(values(&ctx, sql).await, "2025-01-13T11,4;2025-01-15T13,11");
    let sorted = "select timestamp, status_code from logs order by timestamp, status_code limit 6";
    assert!(values(&ctx, sorted).await.ends_with("2025-01-15T13:00:00Z,0;2025-01-15T13:00:00Z,0"));
}

#[tokio::test]
async fn files_added_since_a_version_are_told_until_the_log_forgets() {
    let (dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for (commit, regions) in [["ap", "eu"].as_slice(), &["us"], &[], &["eu", "sa", "us"]].iter().enumerate() {
        for region in *regions {
            write(&mut writer, region, 0, commit as i64 + 1).await;
        }
        writer.commit(&[txn("s", commit as i64)]).await.unwrap();
    }
    let snapshot = lake.snapshot("logs").await.unwrap().unwrap();
    let added = |since| {
        let snapshot = snapshot.clone();
        async move {
            let files = snapshot.changes_since(since).await.unwrap()?.added;
            Some(files.iter().map(|f| format!("{}:{}", f.region, f.rows)).collect::<Vec<_>>().join(" "))
        }
    };
    assert_eq!(added(0).await.unwrap(), "ap:1 eu:1 us:2 eu:4 sa:4 us:4");
    assert_eq!(added(1).await.unwrap(), "us:2 eu:4 sa:4 us:4");
    assert_eq!(added(2).await.unwrap(), "eu:4 sa:4 us:4");
    assert_eq!(added(4).await.unwrap(), "");
    assert_eq!(added(5).await, None, "a version that this table never had");
    // Only those files, as a table.
    let files = snapshot.changes_since(2).await.unwrap().unwrap().added;
    let ctx = SessionContext::new();
    ctx.register_table("added", snapshot.provider_over(files)).unwrap();
    assert_eq!(values(&ctx, "select count(*), count(status_code) from added").await, "12,12");
    // A merge: the file is replaced by another one that holds the same rows.
    let merged = snapshot.files().iter().find(|f| f.region == "sa").unwrap();
    let copy = merged.path.replace("part-", "merged-");
    let table = dir.path().join("lake/logs");
    std::fs::copy(table.join(&merged.path), table.join(&copy)).unwrap();
    let partition = r#""partitionValues":{"region":"sa","hour":"2025-01-15T13"}"#;
    let size = merged.size;
    let merge = format!(
        r#"{{"remove":{{"path":"{}","deletionTimestamp":0,"dataChange":false,"extendedFileMetadata":true,{partition},"size":{size}}}}}
{{"add":{{"path":"{copy}",{partition},"size":{size},"modificationTime":0,"dataChange":false,"stats":"{{\"numRecords\":4}}"}}}}"#,
        merged.path
    );
    std::fs::write(table.join("_delta_log/00000000000000000005.json"), merge).unwrap();
    let after = lake.snapshot("logs").await.unwrap().unwrap();
    assert_eq!((after.version(), after.rows(), after.files().len()), (5, 16, 6));
    let names = |files: Vec<DataFile>| files.into_iter().map(|f| f.path).collect::<Vec<_>>();
    let since = names(after.changes_since(2).await.unwrap().unwrap().added);
    assert!(since.contains(&merged.path) && !since.contains(&copy), "new rows once, wherever they are now");
    assert_eq!(names(after.changes_since(4).await.unwrap().unwrap().added), Vec::<String>::new());
    std::fs::remove_file(table.join(&merged.path)).unwrap();
    assert_eq!(after.changes_since(2).await.unwrap(), None, "vacuumed");
    // The hour bounds what a file without times may hold.
    let bare = after.files().iter().find(|f| f.path == copy).unwrap();
    assert_eq!((bare.min_time, bare.max_time, bare.exact), (start(), start() + MICROS_PER_HOUR - 1, false));
    std::fs::remove_file(table.join("_delta_log/00000000000000000002.json")).unwrap();
    assert_eq!(snapshot.changes_since(1).await.unwrap(), None, "the log forgot");
}

/// The contract of `logs` as it was before it had these columns.
fn older_contract(without: &[&str]) -> &'static Table {
    let mut table = contract::table("logs").unwrap().clone();
    table.columns.retain(|c| !without.contains(&c.name.as_str()));
    Box::leak(Box::new(table))
}

#[tokio::test]
async fn a_table_written_before_the_contract_grew_reads_with_nulls_and_grows_with_the_next_commit() {
    let (_dir, lake) = new_lake().await;
    let old = older_contract(&["event", "attributes", "bytes_sent"]);
    let storage = || Storage::parse(lake.url().as_str()).unwrap().below("logs");
    let mut writer = TableWriter::open(TableLog::new(old, storage())).await.unwrap();
    let batch = rows(&old.file_schema(), &[start(), start() + 1]);
    writer.write("eu", Hour::of_micros(start()), batch.clone()).await.unwrap();
    writer.commit(&[]).await.unwrap();

    let sql = "select count(*), count(event), count(attributes['k']), count(status_code) from logs";
    assert_eq!(values(&context(&lake).await, sql).await, "2,0,0,2");
    assert_eq!(values(&context(&lake).await, "select count(*) from logs where event is null").await, "2");
    let mut newer = lake.writer("logs").await.unwrap();
    write(&mut newer, "eu", 1, 3).await;
    newer.commit(&[]).await.unwrap();
    assert_eq!(values(&context(&lake).await, sql).await, "5,0,0,5");
    let log = TableLog::new(contract::table("logs").unwrap(), storage());
    assert_eq!(log.entry(2).await.unwrap().unwrap().added.len(), 1);
    // The old program was at work when the table grew; its commit lands all the same.
    writer.write("eu", Hour::of_micros(start()), batch).await.unwrap();
    assert_eq!(writer.commit(&[]).await.unwrap().version, 3);
    assert_eq!(values(&context(&lake).await, sql).await, "7,0,0,7");
}

#[tokio::test]
async fn a_table_of_another_shape_is_refused_with_the_column() {
    let (_dir, lake) = new_lake().await;
    let mut other = contract::table("logs").unwrap().clone();
    other.columns.iter_mut().find(|c| c.name == "status_code").unwrap().kind = contract::ColumnType::String;
    let storage = Storage::parse(lake.url().as_str()).unwrap().below("logs");
    TableWriter::open(TableLog::new(Box::leak(Box::new(other)), storage)).await.unwrap();
    let error = lake.snapshot("logs").await.unwrap_err().to_string();
    assert_eq!(error, "table `logs`, column `status_code`: expected integer, got string in the lake");
}

#[tokio::test]
async fn opening_what_is_no_lake_says_what_is_there_instead() {
    let (dir, lake) = new_lake().await;
    let check = |place: std::path::PathBuf, expected: &'static str| async move {
        let error = Lake::open(place.to_str().unwrap()).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.hint().is_some());
    };
    check(dir.path().join("nowhere"), "expected a directory, got nothing there").await;
    check(dir.path().join("lake"), "expected at least one table").await;
    std::fs::write(dir.path().join("file"), "x").unwrap();
    check(dir.path().join("file"), "got a file").await;
    check(dir.path().join("file/below"), "got a file").await;
    std::fs::create_dir_all(dir.path().join("lake/logs")).unwrap();
    std::fs::create_dir_all(dir.path().join("lake/holiday_photos")).unwrap();
    check(dir.path().join("lake"), "expected at least one table").await;
    assert!(Lake::create(dir.path().join("file").to_str().unwrap()).await.is_err());
    assert!(lake.snapshot("log").await.unwrap_err().to_string().contains("unknown table `log`"));
    lake.writer("logs").await.unwrap();
    let opened = Lake::open(dir.path().join("lake").to_str().unwrap()).await.unwrap();
    assert_eq!(opened.tables().await.unwrap(), ["logs"]);
}

#[tokio::test]
async fn a_lake_in_memory_works_like_one_on_disk() {
    let lake = Lake::create("memory:///somewhere/lake").await.unwrap();
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "a/b", 0, 10).await;
    writer.commit(&[txn("s", 1)]).await.unwrap();
    assert_eq!(lake.tables().await.unwrap(), ["logs"]);
    let ctx = context(&lake).await;
    lake.register(&ctx).unwrap();
    assert_eq!(values(&ctx, "select region, count(status_code) from logs group by region").await, "a/b,10");
}

#[tokio::test]
async fn another_engine_reads_the_files_as_they_are() {
    use polars::prelude::{LazyFrame, PlRefPath, ScanArgsParquet};

    let (dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 1234).await;
    writer.commit(&[]).await.unwrap();
    let file = parquet_files(&dir.path().join("lake/logs")).remove(0);
    let path = PlRefPath::new(file.to_str().unwrap());
    let frame = LazyFrame::scan_parquet(path, ScanArgsParquet::default()).unwrap();
    // A thread of its own: it refuses to work inside this test's runtime.
    let frame = std::thread::spawn(|| frame.collect().unwrap()).join().unwrap();
    assert_eq!(frame.height(), 1234);
    assert_eq!(frame.get_column_names()[0].as_str(), "timestamp");
    let sum: i32 = frame.column("status_code").unwrap().i32().unwrap().into_no_null_iter().sum();
    // python3 -c 'print(sum(range(1234)))'
    assert_eq!(sum, 760_761);
    let ours =
        context(&lake).await.sql("select sum(status_code) from logs").await.unwrap().collect().await.unwrap();
    assert_eq!(ours[0].column(0).as_primitive::<Int64Type>().value(0), 760_761);
}

#[tokio::test]
async fn the_log_is_plain_and_names_the_tool_but_nobody_else() {
    let (dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 1).await;
    writer.commit(&[]).await.unwrap();
    let log = dir.path().join("lake/logs/_delta_log");
    let first = std::fs::read_to_string(log.join("00000000000000000000.json")).unwrap();
    assert!(first.contains(r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#), "{first}");
    let second = std::fs::read_to_string(log.join("00000000000000000001.json")).unwrap();
    let info: serde_json::Value = serde_json::from_str(second.lines().next().unwrap()).unwrap();
    let mut keys: Vec<_> = info["commitInfo"].as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["engineInfo", "isBlindAppend", "operation", "timestamp"]);
    assert_eq!(info["commitInfo"]["engineInfo"], concat!("tars/", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn files_given_up_are_deleted() {
    let (dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 1).await;
    write(&mut writer, "us", 0, 1).await;
    assert_eq!(parquet_files(&dir.path().join("lake/logs")).len(), 2);
    writer.abort().await;
    assert!(parquet_files(&dir.path().join("lake/logs")).is_empty());
    assert_eq!(writer.commit(&[]).await.unwrap(), Committed { version: 0, ..Committed::default() });
}
