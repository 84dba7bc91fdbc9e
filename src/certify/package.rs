//! The package: every document of a certification, made from one run, sealed by a manifest and, where there
//! is a key, by a signature.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use serde_json::{Value as Json, json};

use super::attest::statement;
use super::criteria::{Criterion, Outcome, Verdict};
use super::dsse::Envelope;
use super::email::{self, EMAIL};
use super::html::{self, VALIDATION};
use super::key::PrivateKey;
use super::manifest::{self, Files, MANIFEST, digest};
use super::metadata::{METADATA, Metadata, Pinned, Tool, Window, model_digests, pinned};
use super::placeholders::{self, Filled, Values};
use super::template::{DEFAULT_TEMPLATE, Template};
use super::{Error, PUBLIC_KEY, SIGNATURE};
use crate::artifact::{self, Artifact};
use crate::domain::{MICROS_PER_DAY, TimeRange, format_timestamp};
use crate::engine;
use crate::pipeline::Run;
use crate::report::{Value, markdown_to_pdf};
use crate::settings::Settings;

/// The report's names.
const REPORT: &str = "GA_DAY_REPORT.md";
const REPORT_PDF: &str = "GA_DAY_REPORT.pdf";
/// What of the documents of other modules is part of a package.
const KPI_SUMMARY: &str = "ga_kpi_summary.json";
const DRIFT_ANALYSIS: &str = "drift_analysis.json";

/// Models that several placeholders and documents read: computed once.
const HELD: [&str; 15] = [
    "kpi_summary",
    "region_kpis",
    "hourly_requests",
    "top_errors",
    "slo_observed",
    "slo_violations",
    "slo_episodes",
    "drift_measures",
    "drift_checks",
    "ws_health",
    "trace_continuity",
    "check_observations",
    "criteria_results",
    "validation_checks",
    "canary_health",
];

/// What a package is asked to be.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The settings of the run.
    pub settings: &'a Settings,
    /// Hash of the model that judges windows, or `rules`.
    pub judge: String,
    /// In words, which period the baseline is.
    pub baseline_choice: String,
    /// The template of the report; the default one when none is given.
    pub template: Option<&'a str>,
    /// Whether missing data is printed as `no data` instead of being an error.
    pub allow_missing: bool,
    /// As of when the package is (UTC microseconds); the window's end when nothing is given.
    pub generated_at: Option<i64>,
    /// Whether nothing is asked of the run after this, so that rows of models can be given up on the way.
    pub is_last: bool,
}

/// A package before it is sealed.
#[derive(Debug, Clone)]
pub struct Content {
    /// What was judged.
    pub outcome: Outcome,
    /// Everything that there was no data for.
    pub missing: Vec<String>,
    files: Files,
    configuration: Vec<(String, String)>,
}

impl Content {
    /// Makes all documents.
    pub async fn build(run: &Run, request: &Request<'_>) -> Result<Self, Error> {
        let template_text = request.template.unwrap_or(DEFAULT_TEMPLATE);
        let template = Template::parse(template_text)?;
        let window = run.params().window()?;
        let mut files = Files::new();
        let kpis = artifact::kpi::collect(run).await?;
        take(&mut files, kpis, KPI_SUMMARY);
        let drifts = artifact::drift::analyse(run).await?;
        take(&mut files, drifts, DRIFT_ANALYSIS);
        let websockets = artifact::websocket::health(run).await?;
        files.insert(websockets.name, websockets.bytes);
        // Drift keeps a good deal of what led to its figures. The rest reads the figures only.
        if request.is_last {
            let mut queries = placeholders::queries();
            queries.extend(HELD.map(|model| format!("select * from {model}")));
            run.release_unread(&queries)?;
        }
        run.hold_only(&HELD).await?;

        let outcome = Outcome::read(run, request.settings.certification.min_coverage).await?;
        let tables = pinned(run.versions());
        let facts = Facts::new(run, request, template_text, &outcome, window, &tables);
        facts.register(run)?;
        let mut wanted: BTreeSet<String> = template.names();
        wanted.extend(email::needed().map(str::to_owned));
        let values = placeholders::fill(run, &wanted).await?;
        let missing = missing(&values, &outcome);
        if !missing.is_empty() && !request.allow_missing {
            return Err(Error::Missing { missing });
        }

        let title = title(window);
        let report = template.fill(&values);
        files.insert(REPORT_PDF.to_owned(), markdown_to_pdf(&title, &report)?);
        files.insert(REPORT.to_owned(), report.into_bytes());
        files.insert(VALIDATION.to_owned(), html::render(&title, &outcome).into_bytes());
        files.insert(EMAIL.to_owned(), email::render(&title, &outcome, &values).into_bytes());
        let configuration = facts.configuration();
        let metadata = facts.metadata(run, request, &outcome, &values, tables)?;
        files.insert(METADATA.to_owned(), metadata.to_json().into_bytes());
        Ok(Content { outcome, missing, files, configuration })
    }

    /// The documents with their manifest, as a package holds them that was signed with this key (SPKI PEM).
    pub fn with_manifest(&self, public_key: Option<String>) -> Files {
        with_manifest(&self.files, public_key)
    }

    /// What a signature of these files states.
    pub fn statement(&self, files: &Files) -> Vec<u8> {
        stated(files, &self.outcome, &self.configuration)
    }

    /// All files of the package, signed where there is a key.
    pub fn seal(&self, key: Option<&PrivateKey>) -> Result<Files, Error> {
        seal_files(&self.files, &self.outcome, &self.configuration, key)
    }
}

/// Adds the manifest. The public key of the signature is one of the files that it lists, so that the
/// signature can be checked without anything else; whose key it is has to be known from elsewhere.
fn with_manifest(files: &Files, public_key: Option<String>) -> Files {
    let mut files = files.clone();
    if let Some(pem) = public_key {
        files.insert(PUBLIC_KEY.to_owned(), pem.into_bytes());
    }
    let manifest = manifest::render(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    files.insert(MANIFEST.to_owned(), manifest.into_bytes());
    files
}

fn stated(files: &Files, outcome: &Outcome, configuration: &[(String, String)]) -> Vec<u8> {
    let mut configuration = configuration.to_vec();
    configuration.extend(files.get(METADATA).map(|bytes| (METADATA.to_owned(), digest(bytes))));
    statement(files, outcome, &configuration)
}

/// Seals documents: a manifest and, with a key, a signature that covers every other file.
pub(super) fn seal_files(
    files: &Files,
    outcome: &Outcome,
    configuration: &[(String, String)],
    key: Option<&PrivateKey>,
) -> Result<Files, Error> {
    let public = key.map(|key| key.public().to_pem()).transpose()?;
    let mut files = with_manifest(files, public);
    if let Some(key) = key {
        let envelope = Envelope::sign(&stated(&files, outcome, configuration), key);
        files.insert(SIGNATURE.to_owned(), envelope.to_json().into_bytes());
    }
    Ok(files)
}

/// Takes one of several documents into a package.
fn take(files: &mut Files, documents: Vec<Artifact>, name: &str) {
    files.extend(documents.into_iter().filter(|d| d.name == name).map(|d| (d.name, d.bytes)));
}

/// A title for people: `GA certification 2025-01-15`.
fn title(window: TimeRange) -> String {
    let (from, to) = (format_timestamp(window.from()), format_timestamp(window.to()));
    let is_day = window.micros() == MICROS_PER_DAY && window.from() % MICROS_PER_DAY == 0;
    if is_day {
        format!("GA certification {}", &from[..10])
    } else {
        format!("GA certification {from} to {to}")
    }
}

/// Everything without data, each with the query that gives it.
fn missing(values: &Values, outcome: &Outcome) -> Vec<String> {
    let of_values =
        values.iter().filter(|(_, v)| v.is_missing()).map(|(name, v)| format!("{{{{{name}}}}}: {}", v.sql));
    let judged = outcome.criteria.iter().chain(&outcome.checks);
    let of_judged = judged
        .filter(|c| c.verdict == Verdict::NoData)
        .map(|c| format!("{} {}: {}: {}", c.suite, c.name, c.detail, c.sql));
    of_values.chain(of_judged).collect()
}

/// What SQL cannot know by itself.
struct Facts {
    status: String,
    reason: String,
    generated_at: i64,
    min_coverage: f64,
    baseline: String,
    judge: String,
    settings_sha256: String,
    models: i64,
    models_sha256: String,
    template_sha256: String,
    tables: Vec<Pinned>,
}

impl Facts {
    fn new(
        run: &Run,
        request: &Request<'_>,
        template: &str,
        outcome: &Outcome,
        window: TimeRange,
        tables: &[Pinned],
    ) -> Self {
        debug_assert_eq!(run.params().window().ok(), Some(window));
        let (models, models_sha256) = model_digests();
        Facts {
            status: outcome.status.to_string(),
            reason: outcome.reason.clone(),
            generated_at: request.generated_at.unwrap_or(window.to()),
            min_coverage: request.settings.certification.min_coverage,
            baseline: request.baseline_choice.clone(),
            judge: request.judge.clone(),
            settings_sha256: request.settings.digest(),
            models: models.len() as i64,
            models_sha256,
            template_sha256: digest(template.as_bytes()),
            tables: tables.to_vec(),
        }
    }

    /// Makes them tables, so that placeholders are SQL like all others.
    fn register(&self, run: &Run) -> Result<(), Error> {
        let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values([value])) };
        let count = |value: u64| -> ArrayRef { Arc::new(UInt64Array::from_iter_values([value])) };
        let generated = TimestampMicrosecondArray::from_iter_values([self.generated_at]).with_timezone("UTC");
        let facts: Vec<(&str, ArrayRef)> = vec![
            ("status", text(&self.status)),
            ("reason", text(&self.reason)),
            ("generated_at", Arc::new(generated)),
            ("min_coverage", Arc::new(Float64Array::from_iter_values([self.min_coverage]))),
            ("baseline", text(&self.baseline)),
            ("tool_version", text(env!("CARGO_PKG_VERSION"))),
            ("judge", text(&self.judge)),
            ("settings_sha256", text(&self.settings_sha256)),
            ("models", Arc::new(Int64Array::from_iter_values([self.models]))),
            ("models_sha256", text(&self.models_sha256)),
            ("template_sha256", text(&self.template_sha256)),
            ("tables", count(self.tables.len() as u64)),
            ("rows", count(self.tables.iter().map(|t| t.rows).sum())),
            ("placeholders", count(placeholders::described().len() as u64)),
        ];
        let names = self.tables.iter().map(|t| t.table.as_str());
        let tables: Vec<(&str, ArrayRef)> = vec![
            ("table_name", Arc::new(StringArray::from_iter_values(names))),
            ("version", Arc::new(UInt64Array::from_iter_values(self.tables.iter().map(|t| t.version)))),
            ("rows", Arc::new(UInt64Array::from_iter_values(self.tables.iter().map(|t| t.rows)))),
        ];
        register(run, placeholders::RUN_TABLE, facts)?;
        register(run, placeholders::TABLES_TABLE, tables)
    }

    /// What decided the outcome beside the data, each with its hash.
    fn configuration(&self) -> Vec<(String, String)> {
        let mut configuration = vec![
            ("settings".to_owned(), self.settings_sha256.clone()),
            ("sql models".to_owned(), self.models_sha256.clone()),
            ("template".to_owned(), self.template_sha256.clone()),
        ];
        if self.judge != RULES {
            configuration.push(("model file".to_owned(), self.judge.clone()));
        }
        configuration
    }

    fn metadata(
        &self,
        run: &Run,
        request: &Request<'_>,
        outcome: &Outcome,
        values: &Values,
        tables: Vec<Pinned>,
    ) -> Result<Metadata, Error> {
        let window = |range: TimeRange| Window {
            from: format_timestamp(range.from()),
            to: format_timestamp(range.to()),
        };
        let interval = run.params().iter().find_map(|(name, value)| match value {
            engine::Value::Integer(seconds) if name == "interval_seconds" => Some(*seconds),
            _ => None,
        });
        Ok(Metadata {
            form: Metadata::form(),
            status: self.status.clone(),
            reason: self.reason.clone(),
            tool: Tool { name: "tars".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            generated_at: format_timestamp(self.generated_at),
            window: window(run.params().window()?),
            baseline: window(run.params().baseline()?),
            baseline_choice: self.baseline.clone(),
            interval_seconds: interval.unwrap_or_default(),
            allow_missing: request.allow_missing,
            tables,
            settings_sha256: self.settings_sha256.clone(),
            judge: self.judge.clone(),
            template_sha256: self.template_sha256.clone(),
            models: model_digests().0,
            models_sha256: self.models_sha256.clone(),
            criteria: outcome.criteria.iter().chain(&outcome.checks).map(criterion).collect(),
            placeholders: values.iter().map(|(name, v)| ((*name).to_owned(), placeholder(v))).collect(),
        })
    }
}

/// Who judges when no model does.
const RULES: &str = "rules";

fn register(run: &Run, name: &str, columns: Vec<(&str, ArrayRef)>) -> Result<(), Error> {
    let context = run.engine().context();
    let batch = RecordBatch::try_from_iter(columns)
        .map_err(|e| engine::Error::from(datafusion::error::DataFusionError::from(e)))?;
    context.deregister_table(name).map_err(engine::Error::from)?;
    context.register_batch(name, batch).map_err(engine::Error::from)?;
    Ok(())
}

fn criterion(c: &Criterion) -> Json {
    json!({
        "suite": c.suite,
        "name": c.name,
        "title": c.title,
        "level": c.level.as_str(),
        "comparison": c.comparison,
        "threshold": value(&c.threshold),
        "unit": c.unit,
        "observed": value(&c.observed),
        "verdict": c.verdict.as_str(),
        "detail": c.detail,
        "sql": c.sql,
    })
}

fn placeholder(filled: &Filled) -> Json {
    json!({
        "source": filled.source.as_str(),
        "value": filled.value.as_ref().map(value),
        "unit": filled.unit,
        "text": filled.text,
        "sql": filled.sql,
    })
}

fn value(value: &Value) -> Json {
    match value {
        Value::Missing => Json::Null,
        Value::Text(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Number(number) => json!(number),
        Value::Time(micros) => json!(format_timestamp(*micros)),
        Value::Flag(flag) => json!(flag),
    }
}
