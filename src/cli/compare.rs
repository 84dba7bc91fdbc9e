//! `tars compare`: is a candidate as good as its baseline?

use std::str::FromStr;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use clap::ValueEnum;
use datafusion::error::DataFusionError;

use super::Global;
use super::results::Results;
use super::workspace::{Window, open_run, refresh};
use crate::domain::{TimeRange, parse_timestamp};
use crate::engine::{self, Params, Value};
use crate::error::Error;

/// Judge a candidate against a baseline: two versions, two regions, or two stretches of time.
///
/// Each figure is tested for a shift of its values by minute (Mann-Whitney, with the Hodges-Lehmann shift and its 95 %
/// interval) and for a change of their spread (Brown-Forsythe); errors by their counts (Fisher); latencies as a
/// whole by their distribution. A difference must matter before it may be significant, and significance is corrected
/// for the number of tests. docs/statistics.md explains the columns.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A side is described by what belongs to it, with commas: region=NAME, service=NAME, version=NAME, FROM..TO.

Examples:
  tars compare --baseline version=1.4.1,service=checkout --candidate version=1.4.2,service=checkout
  tars compare --baseline region=us-east-1 --candidate region=eu-central-1 --date 2025-01-15
  tars compare --baseline 2025-01-15T08:00:00Z..2025-01-15T10:00:00Z --candidate 2025-01-15T10:00:00Z..2025-01-15T12:00:00Z
  tars compare --baseline … --candidate … --fail-on worse     for a pipeline: exit code 8 when anything is worse")]
pub(super) struct Compare {
    /// What is known to be good
    #[arg(long, value_name = "SIDE")]
    baseline: Side,
    /// What is judged
    #[arg(long, value_name = "SIDE")]
    candidate: Side,
    /// Exit with code 8 when a verdict is at least this bad, or when there is nothing to compare
    #[arg(long, value_name = "VERDICT")]
    fail_on: Option<FailOn>,
    #[command(flatten)]
    results: Results,
    #[command(flatten)]
    window: Window,
}

/// The worst verdict that passes is the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Something is worse
    Worse,
    /// Something is worse, or different where neither way is better
    Changed,
    /// Something is worse or different, or looks so without being certain
    Unclear,
}

impl FailOn {
    /// Verdicts that fail.
    fn verdicts(self) -> &'static [&'static str] {
        let all = &["worse", "changed", "unclear"];
        match self {
            FailOn::Worse => &all[..1],
            FailOn::Changed => &all[..2],
            FailOn::Unclear => all,
        }
    }
}

/// One side of a comparison.
#[derive(Debug, Clone, Default, PartialEq)]
struct Side {
    region: Option<String>,
    service: Option<String>,
    version: Option<String>,
    window: Option<TimeRange>,
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut side = Side::default();
        for part in text.split(',').map(str::trim) {
            if let Some((from, to)) = part.split_once("..") {
                let instant = |text: &str| {
                    parse_timestamp(text.trim())
                        .ok_or_else(|| format!("expected a time such as 2025-01-15T13:00:00Z, got `{text}`"))
                };
                let window = TimeRange::new(instant(from)?, instant(to)?).map_err(|e| e.to_string())?;
                if side.window.replace(window).is_some() {
                    return Err("expected one stretch of time, got two".into());
                }
                continue;
            }
            let wrong =
                || format!("expected region=NAME, service=NAME, version=NAME or FROM..TO, got `{part}`");
            let (key, value) = part.split_once('=').ok_or_else(wrong)?;
            let slot = match key.trim() {
                "region" => &mut side.region,
                "service" => &mut side.service,
                "version" => &mut side.version,
                _ => return Err(wrong()),
            };
            if value.trim().is_empty() {
                return Err(wrong());
            }
            if slot.replace(value.trim().to_owned()).is_some() {
                return Err(format!("expected one {key}, got two"));
            }
        }
        Ok(side)
    }
}

/// The outcome of one test.
struct Test {
    metric: String,
    name: String,
    verdict: String,
}

/// The outcomes in the order of the rows.
fn outcomes(rows: &[RecordBatch]) -> Result<Vec<Test>, Error> {
    let mut tests = Vec::new();
    for batch in rows {
        // Metric, test and verdict come first.
        let text = |column: usize| -> Result<StringArray, Error> {
            let texts = cast(batch.column(column), &DataType::Utf8)
                .map_err(|e| engine::Error::from(DataFusionError::from(e)))?;
            Ok(texts.as_string::<i32>().clone())
        };
        let (metrics, names, verdicts) = (text(0)?, text(1)?, text(2)?);
        tests.extend((0..batch.num_rows()).map(|row| Test {
            metric: metrics.value(row).to_owned(),
            name: names.value(row).to_owned(),
            verdict: verdicts.value(row).to_owned(),
        }));
    }
    Ok(tests)
}

/// The judgement; its parameters are set by name.
const CANARY: &str = include_str!("../../queries/compare/canary.sql");

impl Compare {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        if self.baseline == self.candidate {
            return Err(Error::Usage {
                message: "--baseline and --candidate: expected two different sides, got the same twice"
                    .into(),
                hint: Some("for example --baseline version=1.4.1 --candidate version=1.4.2".into()),
            });
        }
        let settings = global.settings()?;
        let lake = global.open_lake().await?;
        refresh(global, &lake, &settings).await?;
        let common = match (self.baseline.window, self.candidate.window) {
            (Some(baseline), Some(_)) => baseline,
            _ => self.window.params(&lake).await?.0.window()?,
        };
        let run = open_run(global, &lake, &settings, self.params(common)?).await?;
        let rows = run.rows(CANARY).await?;
        let frame = run.engine().context().read_batches(rows.clone()).map_err(engine::Error::from)?;
        self.results.write(frame).await?;
        self.judge(global, &outcomes(&rows)?)
    }

    /// Says the verdict in a line, and fails where `--fail-on` asks for it.
    fn judge(&self, global: &Global, tests: &[Test]) -> Result<(), Error> {
        let of = |verdicts: &[&str]| {
            let found = tests.iter().filter(|test| verdicts.contains(&test.verdict.as_str()));
            found.map(|test| format!("{} {} ({})", test.metric, test.verdict, test.name)).collect::<Vec<_>>()
        };
        let nothing = of(&["no data", "too few"]).len() == tests.len();
        let different = of(FailOn::Unclear.verdicts());
        if nothing {
            global.note(
                "verdict: nothing to compare; see that both sides hold requests or metrics in their time",
            );
        } else if different.is_empty() {
            global.note("verdict: no difference that matters");
        } else {
            global.note(format_args!("verdict: {}", different.join(", ")));
        }
        let Some(limit) = self.fail_on else { return Ok(()) };
        let failing = of(limit.verdicts());
        if nothing {
            let message =
                "the candidate cannot be judged: there is nothing to compare it with, or nothing of it";
            return Err(Error::Differs { message: message.into() });
        }
        if failing.is_empty() {
            return Ok(());
        }
        Err(Error::Differs {
            message: format!("the candidate differs from the baseline: {}", failing.join(", ")),
        })
    }

    fn params(&self, common: TimeRange) -> Result<Params, Error> {
        let baseline = self.baseline.window.unwrap_or(common);
        let candidate = self.candidate.window.unwrap_or(common);
        if baseline.to() > candidate.to() {
            return Err(Error::Usage {
                message: "--baseline: expected a stretch of time that ends no later than the candidate's"
                    .into(),
                hint: Some("what comes later is judged by what came before: exchange the two".into()),
            });
        }
        let mut params = Params::new(candidate, baseline);
        for (prefix, side) in [("baseline_", &self.baseline), ("", &self.candidate)] {
            for (name, value) in
                [("region", &side.region), ("service", &side.service), ("version", &side.version)]
            {
                params.set(&format!("{prefix}{name}"), Value::Text(value.clone().unwrap_or_default()))?;
            }
        }
        Ok(params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_what_belongs_to_it() {
        let side: Side = "version=1.4.2, region=us-east-1".parse().unwrap();
        assert_eq!((side.version.as_deref(), side.region.as_deref()), (Some("1.4.2"), Some("us-east-1")));
        let side: Side = "2025-01-15T08:00:00Z..2025-01-15T09:00:00Z".parse().unwrap();
        assert_eq!(side.window.unwrap().to() - side.window.unwrap().from(), 3_600_000_000);
    }

    #[test]
    fn what_is_no_side_is_refused_with_what_one_is() {
        for text in
            ["", "1.4.2", "version=", "pod=a", "version=1,version=2", "2025-01-15T08:00:00Z..now", "b..a"]
        {
            assert!(text.parse::<Side>().unwrap_err().contains("expected"), "{text}");
        }
        let backwards = "2025-01-15T09:00:00Z..2025-01-15T08:00:00Z";
        assert!(backwards.parse::<Side>().is_err());
    }

    #[test]
    fn a_stricter_limit_fails_on_more() {
        assert_eq!(FailOn::Worse.verdicts(), ["worse"]);
        assert_eq!(FailOn::Unclear.verdicts(), ["worse", "changed", "unclear"]);
    }
}
