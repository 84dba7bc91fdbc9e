//! Runs every `.slt` file under `tests/slt`, each in a fresh session.
//!
//! The session holds every function, the settings as tables (the defaults, and over them those of a `.toml` beside the
//! file), every contract table empty and writable, and every model as a view over them, for the day 2025-01-15 compared
//! with the day before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use datafusion::datasource::MemTable;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType};
use tars::contract;
use tars::domain::TimeRange;
use tars::engine::{Engine, EngineOptions, Params};
use tars::pipeline::{Built, Models, register_models};
use tars::settings::Settings;

const MEMORY: u64 = 1 << 30;

struct Session {
    engine: Engine,
    params: Params,
    models: Models,
}

/// An error as a user sees it, with its hint, so that `statement error` can match either.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Shown(String);

impl From<tars::engine::Error> for Shown {
    fn from(error: tars::engine::Error) -> Self {
        let hint = error.hint().map(|h| format!(" (hint: {h})")).unwrap_or_default();
        Shown(format!("{error}{hint}"))
    }
}

impl Session {
    async fn new(settings: Settings) -> Result<Self, Shown> {
        let options = EngineOptions { memory_limit: MEMORY, threads: 2 };
        let engine = Engine::new(&options, &settings)?;
        for table in contract::tables() {
            // `hour` follows from the time in a lake; here rows are inserted without it.
            let fields = table
                .table_schema()
                .fields()
                .iter()
                .map(|f| f.as_ref().clone().with_nullable(true))
                .collect::<Vec<_>>();
            let empty = MemTable::try_new(Arc::new(Schema::new(fields)), vec![vec![]])
                .map_err(|e| Shown(e.to_string()))?;
            engine
                .context()
                .register_table(table.name.as_str(), Arc::new(empty))
                .map_err(|e| Shown(e.to_string()))?;
        }
        let day = TimeRange::day("2025-01-15").map_err(|e| Shown(e.to_string()))?;
        let params = Params::new(day, day.previous());
        let models = register_models(engine.context(), &params, Built::AsViews);
        let models = models.await.map_err(|e| Shown(e.to_string()))?;
        Ok(Session { engine, params, models })
    }
}

#[async_trait]
impl AsyncDB for Session {
    type Error = Shown;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Shown> {
        let frame = self.engine.sql(&self.params.bind(sql)?).await?;
        let types = frame.schema().fields().iter().map(|f| column_type(f.data_type())).collect();
        let batches = frame.collect().await.map_err(|e| Shown::from(tars::engine::Error::from(e)))?;
        if is_statement(sql) {
            // It may have inserted rows.
            self.models.forget();
            return Ok(DBOutput::StatementComplete(0));
        }
        let options = FormatOptions::new().with_null("NULL");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|c| ArrayFormatter::try_new(c, &options).map_err(|e| Shown(e.to_string())))
                .collect::<Result<_, _>>()?;
            for row in 0..batch.num_rows() {
                let cell = |c: &ArrayFormatter<'_>| {
                    let text = c.value(row).to_string();
                    if text.is_empty() { "(empty)".to_owned() } else { text }
                };
                rows.push(columns.iter().map(cell).collect());
            }
        }
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}
}

fn column_type(kind: &DataType) -> DefaultColumnType {
    match kind {
        k if k.is_integer() => DefaultColumnType::Integer,
        k if k.is_floating() => DefaultColumnType::FloatingPoint,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => DefaultColumnType::Text,
        _ => DefaultColumnType::Any,
    }
}

fn is_statement(sql: &str) -> bool {
    let word = sql.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    matches!(word.as_str(), "insert" | "create" | "drop" | "set")
}

fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_under(&path, found);
        } else if path.extension().is_some_and(|e| e == "slt") {
            found.push(path);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_slt_file_passes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files = Vec::new();
    files_under(&root, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no .slt file under {}", root.display());
    let mut failures = Vec::new();
    for file in &files {
        let own = file.with_extension("toml");
        let settings = match own.exists() {
            true => Settings::load(Some(&own)).unwrap(),
            false => Settings::default(),
        };
        let mut runner = sqllogictest::Runner::new(|| Session::new(settings.clone()));
        if let Err(error) = runner.run_file_async(file).await {
            failures.push(error.display(false).to_string());
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} files fail:\n{}",
        failures.len(),
        files.len(),
        failures.join("\n\n")
    );
}
