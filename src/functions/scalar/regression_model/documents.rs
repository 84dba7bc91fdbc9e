//! What `docs/functions.md` says of the functions.

use datafusion::logical_expr::Documentation;

use super::function::Part;
use crate::functions::reference::{REGRESSION, example};

/// A window with a slow database, for the examples.
const FEATURES: &str =
    "null, 0.5, 0.001, -0.1, null, null, null, 40, 55, null, null, 0, 0, null, 0, 0, 0.01, 0.02, 0.1, 2.0, 0";

const WHO: &str = "By the model that was loaded (`--model`), else by the rules of `regression_rules`. NULL when no \
     symptom was measured: no data is not benign.";

pub(super) fn documentation(part: Part) -> Documentation {
    let name = part.function();
    let (what, result, more) = match part {
        Part::Judgement => (
            "Everything at once, for one pass over the features.",
            "struct<verdict text, confidence double, probabilities struct, factors list<struct>, judged_by text>",
            Some(MIN_CONFIDENCE),
        ),
        Part::Verdict => (
            "BENIGN, PERFORMANCE_REGRESSION, ENVIRONMENT_REGRESSION, or UNCERTAIN where the surest class is less \
             probable than the confidence asked for.",
            "text",
            Some(MIN_CONFIDENCE),
        ),
        Part::Confidence => {
            ("The calibrated probability of the surest class; of rules, their confidence.", "double", None)
        }
        Part::Probabilities => (
            "The calibrated probabilities of all classes; NULL where rules judge, because they have none.",
            "struct<BENIGN double, PERFORMANCE_REGRESSION double, ENVIRONMENT_REGRESSION double>",
            None,
        ),
        Part::Factors => (
            "What spoke for the surest class (`weight` above 0) and against it (below 0), most first. Of a model: TreeSHAP \
             contributions to the raw score of the class, without `threshold`; of rules: the crossed rules.",
            "list<struct<feature text, value double, threshold double, weight double>>",
            Some(("k", "bigint; how many, 5 if left out")),
        ),
        Part::JudgedBy => ("Who judges: `model` or `rules`.", "text", None),
    };
    let argument = more.map_or_else(String::new, |(name, _)| format!(" [, {name}]"));
    let syntax = format!("{name}(reward_delta, latency_delta, … 21 features …{argument}) -> {result}");
    let (shown, value) = match part {
        Part::Judgement => (format!("{name}({FEATURES})['judged_by']"), "rules"),
        Part::Verdict => (format!("{name}({FEATURES}, 0.5)"), "ENVIRONMENT_REGRESSION"),
        Part::Confidence => (format!("round({name}({FEATURES}), 2)"), "0.75"),
        Part::Probabilities => (format!("{name}({FEATURES}) is null"), "true"),
        Part::Factors => (format!("{name}({FEATURES}, 1)[1]['feature']"), "database_latency_delta"),
        Part::JudgedBy => (format!("{name}({FEATURES})"), "rules"),
    };
    let width = value.len().max("answer".len());
    let line = format!("+{}+", "-".repeat(width + 2));
    let output = format!("{line}\n| {:width$} |\n{line}\n| {value:width$} |\n{line}", "answer");
    let mut builder = Documentation::builder(REGRESSION, format!("{what}\n\n{WHO}"), syntax)
        .with_argument("reward_delta … cache_hit_rate_delta", "double; as for `regression_rules`");
    if let Some((name, meaning)) = more {
        builder = builder.with_argument(name, meaning);
    }
    builder.with_sql_example(example(&format!("select {shown} as answer;"), &output)).build()
}

const MIN_CONFIDENCE: (&str, &str) =
    ("min_confidence", "double; 0 to 1, the same in every row; the model's own if left out, 0 for rules");
