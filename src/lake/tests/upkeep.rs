//! Keeping a lake in order: what is merged, dropped, restored and deleted, and what must not change with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// Small enough that test files are neither all small nor all large.
const TARGET: u64 = 256 << 10;

fn compaction(target: u64) -> Compaction {
    Compaction { target, region: None, range: None, dry_run: false }
}

fn quiet(_: usize, _: usize) {}

/// Commits `count` lines, one second apart, from that second of the hour on.
async fn append(writer: &mut TableWriter, region: &str, second: i64, count: i64) {
    let times: Vec<_> = (0..count).map(|i| start() + (second + i) * 1_000_000).collect();
    writer.write(region, Hour::of_micros(start()), logs(&times)).await.unwrap();
    writer.commit(&[]).await.unwrap();
}

async fn newest(lake: &Lake) -> Snapshot {
    lake.snapshot("logs").await.unwrap().unwrap()
}

/// Rows, and the sum of a column, which no lost or doubled row leaves as it is.
async fn content(snapshot: &Snapshot) -> String {
    let ctx = SessionContext::new();
    ctx.register_table("t", snapshot.provider()).unwrap();
    values(&ctx, "select count(service), sum(status_code), min(timestamp), max(timestamp) from t").await
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn compaction_keeps_every_row_in_order_and_a_second_one_does_nothing() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for i in 0..20 {
        // Every third overlaps the one before.
        append(&mut writer, "eu", i * 100 - if i % 3 == 0 { 50 } else { 0 } + 50, 100).await;
    }
    append(&mut writer, "us", 0, 7).await;
    let before = newest(&lake).await;
    let compacted = lake.compact("logs", &compaction(TARGET), &quiet).await.unwrap();
    assert_eq!((compacted.partitions, compacted.files_before, compacted.files_after), (1, 20, 1));
    assert_eq!((compacted.rows, compacted.given_up), (2_000, 0));
    let after = newest(&lake).await;
    assert_eq!((after.files().len(), after.version()), (2, before.version() + 1));
    assert_eq!(content(&after).await, content(&before).await);
    assert_eq!(after.changes_since(before.version()).await.unwrap().unwrap(), Changes::default());
    // The merged file is sorted, and its statistics are those of its rows.
    let merged = after.files().iter().find(|f| f.region == "eu").unwrap();
    assert_eq!((merged.rows, merged.exact), (2_000, true));
    assert_eq!(merged.min_time, start());
    let ctx = SessionContext::new();
    ctx.register_table("t", after.provider_over(vec![merged.clone()])).unwrap();
    let plan = query(&ctx, "explain select timestamp from t order by timestamp").await;
    assert!(!plan.contains("SortExec"), "{plan}");
    let times = ctx.sql("select timestamp from t").await.unwrap().collect().await.unwrap();
    let times: Vec<i64> = times
        .iter()
        .flat_map(|b| {
            b.column(0).as_primitive::<arrow::datatypes::TimestampMicrosecondType>().values().to_vec()
        })
        .collect();
    assert!(times.is_sorted() && times.len() == 2_000);

    let again = lake.compact("logs", &compaction(TARGET), &quiet).await.unwrap();
    assert_eq!((again.partitions, again.version), (0, after.version()));
    assert_eq!(newest(&lake).await.version(), after.version());
    // The version from before is still there for who reads it.
    assert_eq!(content(&before).await, content(&after).await);
}

#[tokio::test]
async fn the_same_files_are_merged_to_the_same_bytes() {
    let (dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for i in 0..9 {
        // All of the same instants: only the order of the files tells the rows apart.
        append(&mut writer, "eu", 0, 50 + i).await;
    }
    let other = dir.path().join("other");
    copy(&dir.path().join("lake"), &other);
    let mut bytes = Vec::new();
    for place in [dir.path().join("lake"), other] {
        let lake = Lake::open(place.to_str().unwrap()).await.unwrap();
        lake.compact("logs", &compaction(TARGET), &quiet).await.unwrap();
        let snapshot = newest(&lake).await;
        assert_eq!(snapshot.files().len(), 1);
        bytes.push(std::fs::read(place.join("logs").join(&snapshot.files()[0].path)).unwrap());
    }
    assert!(bytes[0] == bytes[1], "the merged files differ");
}

#[tokio::test]
async fn much_data_becomes_several_files_of_about_the_target_and_stays_so() {
    let (dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for i in 0..30 {
        append(&mut writer, "eu", i * 100, 100).await;
    }
    let before = newest(&lake).await;
    let size = before.bytes() / 30;
    // Four files fit into one of the target size, if merging saved nothing.
    let target = size * 4;
    let compacted = lake.compact("logs", &compaction(target), &quiet).await.unwrap();
    assert_eq!(compacted.files_before, 30);
    let after = newest(&lake).await;
    assert_eq!(content(&after).await, content(&before).await);
    assert_eq!(after.files().len(), compacted.files_after);
    let small = after.files().iter().filter(|f| f.size < target / 2).count();
    assert!(small <= 1, "{:?}", after.files().iter().map(|f| f.size).collect::<Vec<_>>());
    assert_eq!(lake.compact("logs", &compaction(target), &quiet).await.unwrap().partitions, 0);
    // What was only a step on the way is not left behind.
    assert_eq!(parquet_files(&dir.path().join("lake/logs")).len(), 30 + after.files().len());
}

#[tokio::test]
async fn with_little_memory_files_are_merged_in_rounds_and_none_is_lost() {
    for count in [2, 3, 5, 9] {
        let (dir, lake) = new_lake().await;
        let mut writer = lake.writer("logs").await.unwrap();
        for i in 0..count {
            // Overlapping, so that no order of merging gives the rows in order by chance.
            append(&mut writer, "eu", i * 3, 50).await;
        }
        let before = newest(&lake).await;
        for target in [TARGET, before.bytes() / count as u64 * 2 + 100] {
            // Two files at a time: with an odd number, one waits for the next round.
            lake.compact_within(1, "logs", &compaction(target), &quiet).await.unwrap();
            let after = newest(&lake).await;
            assert_eq!(content(&after).await, content(&before).await, "{count} files, target {target}");
            for file in after.files().iter().chain(before.files()) {
                assert!(dir.path().join("lake/logs").join(&file.path).exists(), "{count} files");
            }
            let paths: BTreeSet<_> = after.files().iter().map(|f| &f.path).collect();
            assert_eq!(paths.len(), after.files().len());
            let again = lake.compact_within(1, "logs", &compaction(target), &quiet).await.unwrap();
            assert_eq!(again.partitions, 0, "{count} files, target {target}");
        }
    }
}

#[tokio::test]
async fn a_merge_that_fails_deletes_nothing_but_its_own_files() {
    let (dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for i in 0..7 {
        append(&mut writer, "eu", i * 3, 50).await;
    }
    let before = newest(&lake).await;
    let table = dir.path().join("lake/logs");
    // The third file in the order of time is damaged: the first two have been merged by then.
    let damaged = table.join(&before.files()[2].path);
    let whole = std::fs::read(&damaged).unwrap();
    std::fs::write(&damaged, b"PAR1").unwrap();
    let error = lake.compact_within(1, "logs", &compaction(TARGET), &quiet).await.unwrap_err();
    assert!(error.to_string().contains("logs"), "{error}");
    std::fs::write(&damaged, whole).unwrap();
    assert_eq!(parquet_files(&table).len(), 7, "what was merged is gone, what was there is not");
    assert_eq!(newest(&lake).await.version(), before.version());
    assert_eq!(content(&newest(&lake).await).await, content(&before).await);
}

#[tokio::test]
async fn region_range_and_dry_run_bound_a_compaction() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for _ in 0..3 {
        for region in ["eu", "us"] {
            for hour in 0..3 {
                write(&mut writer, region, hour, 5).await;
            }
        }
        writer.commit(&[]).await.unwrap();
    }
    let dry = Compaction { dry_run: true, ..compaction(TARGET) };
    let told = lake.compact("logs", &dry, &quiet).await.unwrap();
    assert_eq!((told.partitions, told.files_before, told.files_after, told.version), (6, 18, 6, 3));
    assert_eq!(newest(&lake).await.version(), 3);
    let hour =
        crate::domain::TimeRange::new(start() + MICROS_PER_HOUR, start() + 2 * MICROS_PER_HOUR).unwrap();
    let some = Compaction { region: Some("us".into()), range: Some(hour), ..compaction(TARGET) };
    let done = lake.compact("logs", &some, &quiet).await.unwrap();
    assert_eq!((done.partitions, done.files_before, done.rows), (1, 3, 15));
    assert_eq!(newest(&lake).await.files().len(), 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn appends_and_readers_go_on_while_files_are_merged() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    append(&mut writer, "eu", 0, 10).await;
    let first = newest(&lake).await;
    let place = lake.url().to_string();
    let done = Arc::new(AtomicBool::new(false));
    let appends = {
        let (place, done) = (place.clone(), done.clone());
        tokio::spawn(async move {
            let lake = Lake::open(&place).await.unwrap();
            let mut writer = lake.writer("logs").await.unwrap();
            for i in 1..40 {
                append(&mut writer, "eu", i * 10, 10).await;
            }
            done.store(true, Ordering::Relaxed);
        })
    };
    let reads = {
        let (place, done) = (place.clone(), done.clone());
        tokio::spawn(async move {
            let lake = Lake::open(&place).await.unwrap();
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) {
                let snapshot = newest(&lake).await;
                let rows: u64 = content(&snapshot).await.split(',').next().unwrap().parse().unwrap();
                assert!(rows >= seen && rows.is_multiple_of(10), "{rows} rows after {seen}");
                assert_eq!(rows, snapshot.rows());
                seen = rows;
            }
        })
    };
    let mut merges = 0;
    while !done.load(Ordering::Relaxed) {
        merges += lake.compact("logs", &compaction(TARGET), &quiet).await.unwrap().partitions;
    }
    appends.await.unwrap();
    reads.await.unwrap();
    merges += lake.compact("logs", &compaction(TARGET), &quiet).await.unwrap().partitions;
    assert!(merges > 0);
    let last = newest(&lake).await;
    assert_eq!((last.rows(), last.files().len()), (400, 1));
    // Ten rows with 0 to 9 in each append: 40 * 45.
    assert!(content(&last).await.starts_with("400,1800,"), "{}", content(&last).await);
    assert!(content(&first).await.starts_with("10,45,"), "a pinned version reads on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn of_two_compactions_at_once_each_file_is_merged_by_one() {
    for _ in 0..5 {
        let (_dir, lake) = new_lake().await;
        let mut writer = lake.writer("logs").await.unwrap();
        for i in 0..12 {
            append(&mut writer, "eu", i * 10, 10).await;
        }
        let before = content(&newest(&lake).await).await;
        let place = lake.url().to_string();
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let place = place.clone();
                tokio::spawn(async move {
                    let lake = Lake::open(&place).await.unwrap();
                    lake.compact("logs", &compaction(TARGET), &quiet).await.unwrap()
                })
            })
            .collect();
        let mut merged = 0;
        for task in tasks {
            merged += task.await.unwrap().files_before;
        }
        assert_eq!(merged, 12, "each file once");
        let after = newest(&lake).await;
        assert_eq!((content(&after).await, after.files().len()), (before, 1));
    }
}

#[tokio::test]
async fn retention_takes_whole_hours_that_have_ended_and_nothing_that_follows_from_them() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for hour in 0..4 {
        write(&mut writer, "eu", hour, 5).await;
        write(&mut writer, "us", hour, 5).await;
    }
    writer.commit(&[txn("s", 1)]).await.unwrap();
    // One microsecond before its end, the second hour is not over.
    let before = start() + 2 * MICROS_PER_HOUR - 1;
    let told = lake.retain("logs", before, true).await.unwrap();
    assert_eq!((told.partitions, told.rows, newest(&lake).await.version()), (2, 10, 1));
    let done = lake.retain("logs", before, false).await.unwrap();
    assert_eq!((done.partitions, done.files, done.rows, done.version), (2, 2, 10, 2));
    assert_eq!((done.first, done.last), (Some(Hour::of_micros(start())), Some(Hour::of_micros(start()))));
    let after = newest(&lake).await;
    assert_eq!(after.rows(), 30);
    assert_eq!(after.changes_since(1).await.unwrap().unwrap(), Changes::default());
    assert_eq!(after.transaction("s").await.unwrap(), Some(1));
    let again = lake.retain("logs", before, false).await.unwrap();
    assert_eq!((again.files, again.version), (0, 2));
    assert_eq!(lake.retain("logs", before + 1, false).await.unwrap().rows, 10);
}

#[tokio::test]
async fn a_restore_brings_files_and_memory_back_as_a_new_version() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 5).await;
    writer.commit(&[txn("old", 3)]).await.unwrap();
    write(&mut writer, "eu", 1, 7).await;
    writer.commit(&[txn("old", 9), txn("new", 4)]).await.unwrap();
    let target = lake.snapshot_at("logs", 1).await.unwrap().unwrap();
    let told = lake.restore("logs", 1, true).await.unwrap();
    assert_eq!((told.files_removed, told.rows_removed, told.sources, told.version), (1, 7, 2, 2));
    let done = lake.restore("logs", 1, false).await.unwrap();
    assert_eq!((done.version, done.files_added), (3, 0));
    let after = newest(&lake).await;
    assert_eq!(after.files(), target.files());
    assert_eq!(after.transaction("old").await.unwrap(), Some(3));
    assert_eq!(after.transaction("new").await.unwrap(), Some(FORGOTTEN));
    // Whatever depends on those hours has to look at them anew.
    let changes = after.changes_since(2).await.unwrap().unwrap();
    let partitions: Vec<_> = changes.rewritten.iter().map(|(r, h)| format!("{r} {h}")).collect();
    assert_eq!(partitions, ["eu 2025-01-15T14"]);
    assert_eq!((changes.added.len(), changes.whole.len()), (0, 0));
    // An ingest that was under way does not go on as if nothing had happened.
    writer.refresh().await.unwrap();
    assert_eq!(writer.transaction("new").await.unwrap(), Some(FORGOTTEN));
    write(&mut writer, "eu", 1, 7).await;
    writer.commit(&[txn("new", 4)]).await.unwrap();
    assert_eq!(newest(&lake).await.rows(), 12);
    // Back again: the restore can be undone.
    let undone = lake.restore("logs", 2, false).await.unwrap();
    assert_eq!((undone.files_added, undone.files_removed), (1, 1));
    let back = newest(&lake).await;
    assert_eq!((back.rows(), back.transaction("old").await.unwrap()), (12, Some(9)));
    let again = lake.restore("logs", 2, false).await.unwrap();
    assert_eq!((again.files_added, again.files_removed, again.version), (0, 0, back.version()));
}

#[tokio::test]
async fn an_ingest_that_a_restore_overtakes_has_to_look_again() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 5).await;
    writer.commit(&[txn("s", 5)]).await.unwrap();
    let mut under_way = lake.writer("logs").await.unwrap();
    assert_eq!(under_way.transaction("s").await.unwrap(), Some(5));
    write(&mut under_way, "eu", 1, 5).await;
    lake.restore("logs", 0, false).await.unwrap();
    let error = under_way.commit(&[txn("s", 10)]).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyCommitted { .. }), "{error}");
    assert_eq!(newest(&lake).await.rows(), 0);
}

/// An instant far enough ahead that everything is old then.
fn later() -> i64 {
    parse_timestamp("2999-01-01T00:00:00Z").unwrap()
}

fn vacuum(keep_since: i64, written_before: i64) -> Vacuum {
    Vacuum { keep_since, written_before, dry_run: false }
}

#[tokio::test]
async fn a_vacuum_spares_what_pins_recent_versions_and_unfinished_work_need() {
    for place in ["disk", "memory:///lake"] {
        let (_dir, mut lake) = new_lake().await;
        if place != "disk" {
            lake = Lake::create(place).await.unwrap();
        }
        let mut writer = lake.writer("logs").await.unwrap();
        for i in 0..6 {
            append(&mut writer, "eu", i * 10, 10).await;
        }
        let versions = BTreeMap::from([("logs".to_owned(), 2)]);
        let pin = Pin::new("ga", versions).unwrap();
        lake.pin(&pin).await.unwrap();
        assert!(matches!(lake.pin(&pin).await, Err(Error::PinExists { .. })));
        assert_eq!(lake.pins().await.unwrap(), std::slice::from_ref(&pin));
        lake.compact("logs", &compaction(TARGET), &quiet).await.unwrap();
        // Stored by an ingest that has not committed yet.
        write(&mut writer, "us", 0, 3).await;
        assert_eq!(lake.unlisted("logs").await.unwrap().0, 7);

        let young = lake.vacuum("logs", vacuum(later(), 0)).await.unwrap();
        assert_eq!((young.files.len(), young.young), (0, 5), "{place}");
        let early = lake.vacuum("logs", vacuum(0, later())).await.unwrap();
        assert_eq!(early.files.len(), 1, "{place}: only the uncommitted file, which is old by that clock");
        let done = lake.vacuum("logs", Vacuum { dry_run: true, ..vacuum(later(), later()) }).await.unwrap();
        assert_eq!((done.files.len(), done.oldest), (4, 7), "{place}: all small files but those of the pin");
        assert_eq!(lake.vacuum("logs", vacuum(later(), later())).await.unwrap().files, done.files);
        let pinned = lake.as_of(&[AsOf::Pin("ga".into())]).await.unwrap();
        let snapshot = pinned.snapshot("logs").await.unwrap().unwrap();
        assert_eq!((snapshot.version(), snapshot.rows()), (2, 20));
        assert!(content(&snapshot).await.starts_with("20,90,"), "{place}");
        assert!(content(&newest(&lake).await).await.starts_with("60,270,"), "{place}");
        let Err(Error::FilesGone { files, .. }) = lake.restore("logs", 4, false).await else {
            panic!("{place}: restored a version whose files are gone")
        };
        assert_eq!(files.len(), 2);
        let gone = Pin::new("late", BTreeMap::from([("logs".to_owned(), 4)])).unwrap();
        assert!(matches!(lake.pin(&gone).await, Err(Error::FilesGone { .. })));
        assert_eq!(lake.pins().await.unwrap().len(), 1, "a pin that does not hold is not left behind");
        lake.unpin("ga").await.unwrap();
        assert!(matches!(lake.unpin("ga").await, Err(Error::NoPin { .. })));
        assert_eq!(lake.vacuum("logs", vacuum(later(), later())).await.unwrap().files.len(), 2);
        assert!(content(&newest(&lake).await).await.starts_with("60,270,"), "{place}");
    }
}

#[test]
fn a_pin_has_a_name_that_stays_in_its_folder() {
    for name in ["", "../x", "a/b", ".hidden", "ä", "a b", &"x".repeat(101)] {
        assert!(Pin::new(name, BTreeMap::new()).is_err(), "{name}");
    }
    assert!(Pin::new("ga-2025_01.15", BTreeMap::new()).is_ok());
}

#[tokio::test]
async fn a_time_leads_to_the_version_that_stood_then() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for i in 0..5 {
        append(&mut writer, "eu", i * 10, 10).await;
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    }
    let history = lake.history("logs", 100).await.unwrap().unwrap();
    let versions: Vec<u64> = history.iter().map(|c| c.version).collect();
    assert_eq!(versions, [5, 4, 3, 2, 1, 0]);
    assert_eq!(history[5].operation, "CREATE TABLE");
    assert_eq!(
        (history[0].operation.as_str(), history[0].rows_added, history[0].rows_removed),
        ("WRITE", 10, Some(0))
    );
    for commit in &history {
        let time = commit.time.unwrap();
        assert_eq!(lake.version_at("logs", time).await.unwrap(), Some(commit.version));
        let past = lake.as_of(&[AsOf::Time(time)]).await.unwrap();
        assert_eq!(past.snapshot("logs").await.unwrap().unwrap().rows(), commit.version * 10);
        assert!(past.snapshot("spans").await.unwrap().is_none());
        assert!(matches!(past.writer("logs").await, Err(Error::Past { .. })));
    }
    assert_eq!(lake.version_at("logs", history[5].time.unwrap() - 1).await.unwrap(), None);
    assert_eq!(lake.version_at("logs", later()).await.unwrap(), Some(5));
    let past = lake.as_of(&[AsOf::Time(later()), AsOf::Table("logs".into(), 2)]).await.unwrap();
    assert_eq!(past.snapshot("logs").await.unwrap().unwrap().rows(), 20);
    assert_eq!(
        lake.as_of(&[AsOf::Version(3)]).await.unwrap().snapshot("logs").await.unwrap().unwrap().rows(),
        30
    );
    assert!(matches!(lake.as_of(&[AsOf::Version(9)]).await, Err(Error::Version { .. })));
    lake.writer("spans").await.unwrap();
    assert!(matches!(lake.as_of(&[AsOf::Version(3)]).await, Err(Error::AsOfWhich { .. })));
    lake.compact("logs", &compaction(TARGET), &quiet).await.unwrap();
    let merge = &lake.history("logs", 1).await.unwrap().unwrap()[0];
    assert_eq!((merge.operation.as_str(), merge.files_added, merge.files_removed), ("OPTIMIZE", 1, 5));
    assert_eq!((merge.rows_added, merge.rows_removed), (50, Some(50)));
    assert!(lake.history("metrics", 1).await.unwrap().is_none());
}

#[tokio::test]
async fn regions_tell_their_hours_and_the_gaps_between_them() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for hour in [0, 1, 4, 6] {
        write(&mut writer, "eu", hour, 2).await;
    }
    write(&mut writer, "us", 3, 5).await;
    writer.commit(&[]).await.unwrap();
    let regions = newest(&lake).await.regions(1 << 30);
    assert_eq!(regions.len(), 2);
    let eu = &regions[0];
    assert_eq!((eu.region.as_str(), eu.files, eu.small_files, eu.rows, eu.hours), ("eu", 4, 4, 8, 4));
    let gaps: Vec<_> = eu.gaps.iter().map(|(a, b)| format!("{a}..{b}")).collect();
    assert_eq!(gaps, ["2025-01-15T15..2025-01-15T16", "2025-01-15T18..2025-01-15T18"]);
    assert_eq!(
        (eu.missing_hours(), eu.first, eu.last),
        (3, start(), start() + 6 * MICROS_PER_HOUR + 1_000_000)
    );
    assert_eq!((regions[1].missing_hours(), regions[1].rows), (0, 5));
    assert_eq!(newest(&lake).await.regions(0)[0].small_files, 0);
}

#[tokio::test]
async fn what_was_written_down_is_finished_once_by_whoever_finds_it() {
    let (_dir, lake) = new_lake().await;
    assert_eq!((lake.next_pending().await.unwrap(), lake.finish_pending().await.unwrap()), (1, None));
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 5).await;
    let logs = writer.take_pending();
    let mut other = lake.writer("log_minutes").await.unwrap();
    let schema = contract::table("log_minutes").unwrap().file_schema();
    let minute = |times: &[i64]| {
        let columns = schema.fields().iter().map(|f| -> ArrayRef {
            match (f.name().as_str(), f.is_nullable()) {
                ("minute", _) => {
                    Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC"))
                }
                (_, true) => new_null_array(f.data_type(), times.len()),
                _ => arrow::compute::cast(&Int32Array::from(vec![0; times.len()]), f.data_type())
                    .unwrap_or_else(|_| panic!("{f}")),
            }
        });
        RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
    };
    other.write("eu", Hour::of_micros(start()), minute(&[start()])).await.unwrap();
    let tables =
        BTreeMap::from([("log_minutes".to_owned(), other.take_pending()), ("logs".to_owned(), logs.clone())]);
    let pending = Pending { number: 1, tables: by_table(tables, "log_minutes") };
    assert_eq!(pending.tables[0].0, "logs", "the last table comes last");
    lake.begin(&pending).await.unwrap();
    // A vacuum in between must not take the files away.
    let spared = lake.vacuum("logs", vacuum(later(), later())).await.unwrap();
    assert_eq!(spared.files, Vec::<String>::new());
    assert!(matches!(lake.begin(&pending).await, Err(Error::NumberTaken { number: 1 })));
    // Killed between the two tables.
    let half = Pending { number: 1, tables: pending.tables[..1].to_vec() };
    lake.finish(&half).await.unwrap();
    assert_eq!(newest(&lake).await.rows(), 5);
    assert_eq!(lake.finish_pending().await.unwrap(), Some(1));
    assert_eq!(lake.finish_pending().await.unwrap(), None);
    lake.finish(&pending).await.unwrap();
    assert_eq!((newest(&lake).await.rows(), newest(&lake).await.files().to_vec()), (5, logs));
    assert_eq!(lake.snapshot("log_minutes").await.unwrap().unwrap().rows(), 1);
    assert_eq!(lake.next_pending().await.unwrap(), 2);
}

#[tokio::test]
async fn a_change_that_only_takes_away_is_known_again_by_what_it_records() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 10).await;
    writer.commit(&[txn("model", 1)]).await.unwrap();
    // A store that loses an answer is asked again, and refuses because of what it did the first time: the same commit on the
    // same version, twice.
    let (mut once, mut again) = (lake.writer("logs").await.unwrap(), lake.writer("logs").await.unwrap());
    let hours = BTreeSet::from([("eu".to_owned(), Hour::of_micros(start()))]);
    once.commit_replacing(&hours, &[txn("model", 2)]).await.unwrap();
    let repeated = again.commit_replacing(&hours, &[txn("model", 2)]).await.unwrap();
    assert_eq!((repeated.files, lake.snapshot("logs").await.unwrap().unwrap().rows()), (0, 0));
    let other = again.commit_replacing(&hours, &[txn("model", 2)]).await.unwrap_err();
    assert!(matches!(other, Error::AlreadyCommitted { recorded: 2, .. }), "{other}");
}
