//! End-to-end tests over a lake in a temporary directory.

mod aws;
mod containers;
mod apis;
mod follow;
mod formats;
mod grown;
mod hostile;
mod loggers;
mod once;
mod series;
mod tables;
mod traces;
mod pulls;
pub(crate) mod server;

use std::fs;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::json::LineDelimitedWriter;
use datafusion::prelude::SessionContext;
use serde_json::{Map, Value};

use super::options::Options;
use super::run::{run, settings};
use super::source::resolve;
use super::stats::{Silent, Summary};
use crate::contract;
use crate::domain::parse_timestamp;
use crate::lake::Lake;

/// A lake and a place for inputs, both temporary.
pub(super) struct Bench {
    dir: tempfile::TempDir,
    pub(super) lake: Lake,
}

impl Bench {
    pub(super) async fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::create(dir.path().join("lake").to_str().unwrap()).await.unwrap();
        Bench { dir, lake }
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = PathBuf::from(self.path(name));
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Ingests and checks that the sums add up.
    pub(super) async fn ingest(&self, inputs: &[&str], options: &Options) -> Summary {
        let inputs: Vec<String> = inputs.iter().map(|i| (*i).to_owned()).collect();
        let summary = super::ingest(&self.lake, &inputs, options, &Silent).await.unwrap();
        check_sums(&summary);
        summary
    }

    /// Ingests with small buffers; with `crash_after` it stops after so many commits of a flush, as a crash would.
    pub(super) async fn ingest_in_steps(
        &self,
        input: &str,
        buffer_limit: usize,
        crash_after: Option<usize>,
    ) -> Option<Summary> {
        let checked = Options::default().check().unwrap();
        let mut settings = settings(&checked);
        settings.buffer_limit = buffer_limit;
        settings.crash_after = crash_after;
        let sources = resolve(&[input.to_owned()]).await.unwrap();
        let result = run(&self.lake, sources, checked, settings, &Silent).await;
        result.ok().inspect(check_sums)
    }

    /// Writes one input and ingests it as it is.
    pub(super) async fn land(&self, name: &str, text: impl AsRef<[u8]>) -> Summary {
        let path = self.write(name, text);
        self.ingest(&[&path], &Options::default()).await
    }

    /// All rows of a table as JSON objects, NULLs left out, in the order of time and then of text.
    pub(super) async fn rows(&self, table: &str) -> Vec<Map<String, Value>> {
        let Some(snapshot) = self.lake.snapshot(table).await.unwrap() else { return Vec::new() };
        let ctx = SessionContext::new();
        ctx.register_table("t", snapshot.provider()).unwrap();
        let time = &contract::table(table).unwrap().time;
        let order = ctx.sql(&format!("select * from t order by \"{time}\"")).await.unwrap();
        let batches = order.collect().await.unwrap();
        let mut rows = json(&batches);
        rows.sort_by_key(|r| (r[time].as_str().and_then(parse_timestamp), serde_json::to_string(r).unwrap()));
        rows
    }

    /// The only row of a table.
    pub(super) async fn row(&self, table: &str) -> Map<String, Value> {
        let mut rows = self.rows(table).await;
        assert_eq!(rows.len(), 1, "{rows:#?}");
        rows.remove(0)
    }
}

fn check_sums(summary: &Summary) {
    assert_eq!(summary.read, summary.landed + summary.rejected + summary.already_landed, "{summary:#?}");
    let sources: u64 = summary.sources.iter().map(|s| s.read).sum();
    assert_eq!(summary.read, sources, "{summary:#?}");
    let rows: u64 = summary.tables.values().map(|t| t.rows).sum();
    assert_eq!(summary.landed + summary.rejected, rows, "{summary:#?}");
    assert_eq!(summary.rejected, summary.reasons.values().sum::<u64>());
}

fn json(batches: &[RecordBatch]) -> Vec<Map<String, Value>> {
    let Some(first) = batches.first() else { return Vec::new() };
    let whole = concat_batches(&first.schema(), batches).unwrap();
    // arrow's JSON writer spells bytes as hex, maps as objects.
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(&whole).unwrap();
    writer.finish().unwrap();
    let text = String::from_utf8(writer.into_inner()).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Checks some fields of a row; `null` means absent, keys with a dot after `attributes` or `labels` go into the map.
pub(super) fn check(row: &Map<String, Value>, expected: &[(&str, Value)]) {
    for (key, value) in expected {
        let found = match key.split_once('/') {
            Some((map, key)) => row.get(map).and_then(|m| m.get(key)),
            None => row.get(*key),
        };
        assert_eq!(found.unwrap_or(&Value::Null), value, "{key} in {row:#?}");
    }
}
