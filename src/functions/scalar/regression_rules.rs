//! `regression_rules(21 features)`: a verdict on a window without a model.
//!
//! | features | result |
//! |---|---|
//! | all NULL or NaN, or no symptom measured | NULL |
//! | some NULL or NaN | judged by the others; BENIGN is less sure |
//! | no symptom beyond its threshold | BENIGN, whatever else moved |
//! | a symptom beyond its threshold | the class with more evidence from causes; where those are even, from symptoms; then PERFORMANCE_REGRESSION |
//! | ±∞ | beyond or within a threshold like any number, with strength 1 |
//! | exactly at a threshold | not beyond it |

pub use super::rule_set::{Direction, Factor, Judgement, Rule, RuleSet, SYMPTOMS};

use crate::domain::REGRESSION_FEATURES;
use crate::functions::argument::{arrays, doubles};
use crate::functions::reference::{REGRESSION, example};
use arrow::array::{Array, ArrayRef, Float64Array, ListArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

/// The SQL function with the rules it judges by.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RegressionRules {
    signature: Signature,
    rules: RuleSet,
}

impl RegressionRules {
    /// The function for a set of rules.
    pub fn new(rules: RuleSet) -> RegressionRules {
        let arguments = vec![DataType::Float64; REGRESSION_FEATURES.len()];
        RegressionRules { signature: Signature::exact(arguments, Volatility::Immutable), rules }
    }
}

fn factor_fields() -> Fields {
    let number = |name| Field::new(name, DataType::Float64, true);
    vec![Field::new("feature", DataType::Utf8, true), number("value"), number("threshold"), number("weight")]
        .into()
}

fn factor_item() -> Arc<Field> {
    Arc::new(Field::new_list_field(DataType::Struct(factor_fields()), true))
}

fn verdict_fields() -> Fields {
    vec![
        Field::new("verdict", DataType::Utf8, true),
        Field::new("confidence", DataType::Float64, true),
        Field::new("factors", DataType::List(factor_item()), true),
    ]
    .into()
}

/// Judgements as a column; every field of a missing one is NULL, too.
fn column(judgements: &[Option<Judgement>]) -> Result<StructArray> {
    let verdicts: StringArray = judgements.iter().map(|j| j.as_ref().map(|j| j.verdict.as_str())).collect();
    let confidences: Float64Array = judgements.iter().map(|j| j.as_ref().map(|j| j.confidence)).collect();
    let nulls: NullBuffer = judgements.iter().map(Option::is_some).collect::<Vec<_>>().into();
    let lengths = judgements.iter().map(|j| j.as_ref().map_or(0, |j| j.factors.len()));
    let factors = || judgements.iter().flatten().flat_map(|j| &j.factors);
    let number = |value: fn(&Factor) -> f64| -> ArrayRef {
        Arc::new(factors().map(value).collect::<Vec<_>>().into_iter().collect::<Float64Array>())
    };
    let items = StructArray::try_new(
        factor_fields(),
        vec![
            Arc::new(factors().map(|f| Some(f.feature)).collect::<StringArray>()),
            number(|f| f.value),
            number(|f| f.threshold),
            number(|f| f.weight),
        ],
        None,
    )?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let factors = ListArray::try_new(factor_item(), offsets, Arc::new(items), Some(nulls.clone()))?;
    Ok(StructArray::try_new(
        verdict_fields(),
        vec![Arc::new(verdicts), Arc::new(confidences), Arc::new(factors)],
        Some(nulls),
    )?)
}

impl ScalarUDFImpl for RegressionRules {
    fn name(&self) -> &str {
        "regression_rules"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(verdict_fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let features = arguments.iter().map(doubles).collect::<Result<Vec<_>>>()?;
        let judge = |row: usize| {
            let mut values = [None; REGRESSION_FEATURES.len()];
            for (value, feature) in values.iter_mut().zip(&features) {
                *value = feature.is_valid(row).then(|| feature.value(row));
            }
            self.rules.judge(&values)
        };
        let judgements: Vec<_> = (0..args.number_rows).map(judge).collect();
        Ok(ColumnarValue::Array(Arc::new(column(&judgements)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(documentation);
        Some(&DOCUMENTATION)
    }
}

fn documentation() -> Documentation {
    Documentation::builder(
        REGRESSION,
        "Judges a window by thresholds, without a model: `verdict` is BENIGN, PERFORMANCE_REGRESSION (the code or its \
         configuration got worse) or ENVIRONMENT_REGRESSION (what it runs on got worse), `confidence` is 0 to 1, and \
         `factors` are the symptoms and the causes that speak for the verdict, most evidence first (none for BENIGN).\n\n\
         - A rule is `(feature, verdict, direction, threshold, weight)`; the rules come from the settings \
         (`settings_rules`).\n\
         - A rule is crossed when the feature is beyond the threshold on the side of the direction. Its strength is 0.5 \
         at the threshold and grows in a straight line to 1 at twice the threshold (at 1 beyond it, for a threshold of \
         0). Its evidence, the factor's `weight`, is the rule's weight times the strength.\n\
         - A regression needs a symptom beyond its threshold: reward_delta, latency_delta, error_rate_delta, \
         throughput_delta, error_spike_detected, timeout_rate or retry_rate. Causes alone are BENIGN.\n\
         - The verdict is the class with more evidence from causes, which are all other features; where those are even, \
         from symptoms; then the code. Confidence is the strength of the strongest symptom times \
         `(E + 0.5) / (E + F + 1)`, with E the evidence of causes for the verdict and F that against it.\n\
         - The confidence of BENIGN is `0.5 + 0.5 · headroom · coverage`: how far the nearest symptom is from its \
         threshold, in units of the threshold and at most 1, and the share of symptoms that were measured.\n\n\
         A feature that is NULL or NaN was not measured and says nothing. The result is NULL when no symptom was \
         measured: no data is not benign.",
        "regression_rules(reward_delta, latency_delta, … 21 features …) -> struct<verdict text, confidence double, factors list<struct<feature text, value double, threshold double, weight double>>>",
    )
    .with_argument("reward_delta, latency_delta, throughput_delta", "double; relative change to the baseline, 0.2 for 20 % more")
    .with_argument("error_rate_delta", "double; difference of the error rates, 0.01 for one percent point more (third, before throughput_delta)")
    .with_argument("queue_depth_mean, queue_depth_max", "double; items above the usual")
    .with_argument("queue_wait_time_p95", "double; milliseconds above the usual")
    .with_argument("cpu_utilization_mean, memory_utilization_mean", "double; percent of the usual headroom")
    .with_argument("disk_io_rate", "double; per second above the usual")
    .with_argument("deployment_age_hours", "double; hours since the last deployment, NULL when none is known")
    .with_argument("config_change_count, dependency_change_count", "double; changes in the window")
    .with_argument("hyperparameter_drift_score", "double")
    .with_argument("policy_change_count", "double; changes in the window")
    .with_argument("error_spike_detected", "double; 0 or 1")
    .with_argument("timeout_rate, retry_rate", "double; 0 to 1")
    .with_argument("external_api_latency_delta, database_latency_delta, cache_hit_rate_delta", "double; relative change to the baseline")
    .with_sql_example(example(
        "select v['verdict'] as verdict, round(v['confidence'], 3) as confidence, v['factors'][1]['feature'] as first_factor\nfrom (\n  select regression_rules(null, 0.5, 0.001, -0.1, null, null, null, 40, 55, null, 1, 0, 0, null, 0, 0, 0.01, 0.02, 0.1, 0.05, 0) as v\n);",
        "
+------------------------+------------+----------------------+
| verdict                | confidence | first_factor         |
+------------------------+------------+----------------------+
| PERFORMANCE_REGRESSION | 0.747      | deployment_age_hours |
+------------------------+------------+----------------------+",
    ))
    .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_judgement_is_null_in_every_field() {
        let judged = RuleSet::default().judge(&[Some(1.0); REGRESSION_FEATURES.len()]);
        let column = column(&[None, judged]).unwrap();
        assert!(column.is_null(0) && column.columns().iter().all(|field| field.is_null(0)));
        assert!(column.is_valid(1) && column.columns().iter().all(|field| field.is_valid(1)));
    }
}
