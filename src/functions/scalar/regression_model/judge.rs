//! Who judges a window: a model, or the rules where there is none.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ndarray::Array2;

use crate::domain::{REGRESSION_FEATURES, Verdict};
use crate::functions::Error;
use crate::functions::scalar::regression_rules::{RuleSet, SYMPTOMS};
use crate::gbm::{Model, schema_hash};

/// The verdict of who is not sure enough.
pub const UNCERTAIN: &str = "UNCERTAIN";

/// Factors that are listed when nobody asks for another number.
pub(super) const FACTORS: usize = 5;

const FEATURES: usize = REGRESSION_FEATURES.len();

/// The features of one window.
pub(super) type Window = [Option<f64>; FEATURES];

/// The rules, and a model that goes before them.
#[derive(Debug, Clone)]
pub struct Judge {
    rules: RuleSet,
    model: Option<Arc<Model>>,
}

/// What is said of one window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) verdict: &'static str,
    pub(super) confidence: f64,
    /// In the order of [`Verdict::ALL`]; rules know none.
    pub(super) probabilities: Option<Vec<f64>>,
    pub(super) factors: Vec<Factor>,
}

/// What spoke for or against the verdict.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Factor {
    pub(super) feature: &'static str,
    pub(super) value: Option<f64>,
    /// Only rules have one.
    pub(super) threshold: Option<f64>,
    /// Of a model: what the feature adds to the raw score of the class.
    pub(super) weight: f64,
}

/// What is asked besides the verdict.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Question {
    /// How many factors; 0 saves the work.
    pub(super) factors: usize,
    /// The least confidence of a verdict, instead of the model's own.
    pub(super) min_confidence: Option<f64>,
}

impl Judge {
    /// Judges by rules.
    pub fn rules(rules: RuleSet) -> Judge {
        Judge { rules, model: None }
    }

    /// Judges by a model, which has to know the features and the verdicts.
    pub fn model(rules: RuleSet, model: Arc<Model>) -> Result<Judge, Error> {
        let expected = schema_hash(&REGRESSION_FEATURES);
        if model.about.schema_hash != expected {
            let got = model.booster.feature_names().join(", ");
            let reason = format!("expected the features {}, got {got}", REGRESSION_FEATURES.join(", "));
            return Err(Error::Model { reason });
        }
        let unknown = model.about.classes.iter().find(|class| class.parse::<Verdict>().is_err());
        if let Some(got) = unknown {
            let classes = Verdict::ALL.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::Model { reason: format!("expected classes among {classes}, got `{got}`") });
        }
        Ok(Judge { rules, model: Some(model) })
    }

    /// Who judges.
    pub(super) fn name(&self) -> &'static str {
        if self.model.is_some() { "model" } else { "rules" }
    }

    /// Judges windows; those without a measured symptom get nothing.
    pub(super) fn judge(&self, windows: &[Window], question: Question) -> Result<Vec<Option<Judged>>, Error> {
        match &self.model {
            Some(model) => judge_by_model(model, windows, question),
            None => Ok(windows.iter().map(|window| self.judge_by_rules(window, question)).collect()),
        }
    }

    fn judge_by_rules(&self, window: &Window, question: Question) -> Option<Judged> {
        let judgement = self.rules.judge(window)?;
        let sure = question.min_confidence.is_none_or(|least| judgement.confidence >= least);
        let factors = judgement.factors.into_iter().take(question.factors).map(|factor| Factor {
            feature: factor.feature,
            value: Some(factor.value),
            threshold: Some(factor.threshold),
            weight: factor.weight,
        });
        Some(Judged {
            verdict: if sure { judgement.verdict.as_str() } else { UNCERTAIN },
            confidence: judgement.confidence,
            probabilities: None,
            factors: factors.collect(),
        })
    }
}

/// Whether there is anything that could be a regression.
fn has_symptom(window: &Window) -> bool {
    let symptoms = REGRESSION_FEATURES.iter().zip(window).filter(|(name, _)| SYMPTOMS.contains(name));
    symptoms.into_iter().any(|(_, value)| value.is_some_and(|v| !v.is_nan()))
}

fn judge_by_model(
    model: &Model,
    windows: &[Window],
    question: Question,
) -> Result<Vec<Option<Judged>>, Error> {
    let judged: Vec<&Window> = windows.iter().filter(|window| has_symptom(window)).collect();
    let rows = Array2::from_shape_fn((judged.len(), FEATURES), |(row, feature)| {
        judged[row][feature].unwrap_or(f64::NAN)
    });
    let fail = |source: crate::gbm::Error| Error::Model { reason: source.to_string() };
    let probabilities = model.probabilities(rows.view()).map_err(fail)?;
    let contributions = match question.factors {
        0 => None,
        _ => Some(model.booster.contributions(rows.view()).map_err(fail)?),
    };
    let verdicts: Vec<Verdict> =
        model.about.classes.iter().filter_map(|class| class.parse::<Verdict>().ok()).collect();
    let least = question.min_confidence.unwrap_or(model.about.min_confidence);
    let mut answers = probabilities.rows().into_iter().enumerate().map(|(row, shares)| {
        let best = (1..shares.len()).fold(0, |best, at| if shares[at] > shares[best] { at } else { best });
        let share = |verdict: &Verdict| {
            verdicts.iter().position(|known| known == verdict).map_or(0.0, |at| shares[at])
        };
        let factors = contributions.as_ref().map_or_else(Vec::new, |contributions| {
            let from = best * (FEATURES + 1);
            let of_class = contributions.slice(ndarray::s![row, from..from + FEATURES]).to_vec();
            factors(judged[row], &of_class, question.factors)
        });
        Judged {
            verdict: if shares[best] >= least { verdicts[best].as_str() } else { UNCERTAIN },
            confidence: shares[best],
            probabilities: Some(Verdict::ALL.iter().map(share).collect()),
            factors,
        }
    });
    Ok(windows.iter().map(|window| if has_symptom(window) { answers.next() } else { None }).collect())
}

/// The contributions that are largest, whichever way they point.
fn factors(window: &Window, contributions: &[f64], most: usize) -> Vec<Factor> {
    let mut order: Vec<usize> = (0..FEATURES).filter(|feature| contributions[*feature] != 0.0).collect();
    order.sort_by(|a, b| contributions[*b].abs().total_cmp(&contributions[*a].abs()));
    let factor = |feature: usize| Factor {
        feature: REGRESSION_FEATURES[feature],
        value: window[feature],
        threshold: None,
        weight: contributions[feature],
    };
    order.into_iter().take(most).map(factor).collect()
}

/// Two functions are one to the planner when they judge by the same rules and the same model.
impl PartialEq for Judge {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.model, &other.model) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same && self.rules == other.rules
    }
}

impl Eq for Judge {}

impl Hash for Judge {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rules.hash(state);
        self.model.as_ref().map(|model| Arc::as_ptr(model) as usize).hash(state);
    }
}
