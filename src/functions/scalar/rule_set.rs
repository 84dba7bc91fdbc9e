//! The rules behind `regression_rules`: what they are, and how they judge.

use crate::domain::{REGRESSION_FEATURES, Verdict};
use crate::functions::Error;
use crate::settings::{self, Settings};
use std::hash::{Hash, Hasher};

/// Features that users feel. Without one of them nothing is a regression, whatever else moved.
pub const SYMPTOMS: [&str; 7] = [
    "reward_delta",
    "latency_delta",
    "error_rate_delta",
    "throughput_delta",
    "error_spike_detected",
    "timeout_rate",
    "retry_rate",
];

/// The strength of a rule exactly at its threshold; it grows to 1 at twice the threshold.
const STRENGTH_AT_THRESHOLD: f64 = 0.5;

/// Evidence that each class has before anything is seen. It keeps one weak rule from being certainty.
const PRIOR_EVIDENCE: f64 = 0.5;

/// On which side of its threshold a rule speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Above the threshold.
    Above,
    /// Below the threshold.
    Below,
}

impl std::str::FromStr for Direction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "above" => Ok(Direction::Above),
            "below" => Ok(Direction::Below),
            _ => Err(format!("unknown direction `{text}`; expected one of: above, below")),
        }
    }
}

/// One rule: a feature beyond a threshold speaks for a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// One of [`REGRESSION_FEATURES`]. A feature may have several rules.
    pub feature: String,
    /// What it speaks for; not BENIGN.
    pub verdict: Verdict,
    /// Which side of the threshold.
    pub direction: Direction,
    /// The threshold, in the feature's unit.
    pub threshold: f64,
    /// The most evidence it can give.
    pub weight: f64,
}

/// Checked rules.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// With the index of the feature.
    rules: Vec<(usize, Rule)>,
}

/// What the rules say about one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The class.
    pub verdict: Verdict,
    /// 0 to 1.
    pub confidence: f64,
    /// The symptoms, and the causes that speak for the verdict, most evidence first; none for BENIGN.
    pub factors: Vec<Factor>,
}

/// A crossed rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// The feature.
    pub feature: &'static str,
    /// What it was.
    pub value: f64,
    /// The threshold that it crossed.
    pub threshold: f64,
    /// The evidence: the rule's weight times its strength.
    pub weight: f64,
}

impl Rule {
    /// How far `value` is beyond the threshold, in units of the threshold (of 1 when that is 0); negative
    /// on the good side.
    fn excess(&self, value: f64) -> f64 {
        let scale = if self.threshold == 0.0 { 1.0 } else { self.threshold.abs() };
        match self.direction {
            Direction::Above => (value - self.threshold) / scale,
            Direction::Below => (self.threshold - value) / scale,
        }
    }

    fn is_symptom(&self) -> bool {
        SYMPTOMS.contains(&self.feature.as_str())
    }
}

/// 0.5 at the threshold, growing in a straight line to 1 at twice the threshold.
fn strength(excess: f64) -> f64 {
    (STRENGTH_AT_THRESHOLD + (1.0 - STRENGTH_AT_THRESHOLD) * excess).min(1.0)
}

impl RuleSet {
    /// Checks rules: known features, finite thresholds, positive weights, no rule for BENIGN, and at least one
    /// for a symptom (without which no window could ever be a regression).
    pub fn new(rules: Vec<Rule>) -> Result<RuleSet, Error> {
        if !rules.iter().any(Rule::is_symptom) {
            let reason = format!("expected a rule for at least one symptom: {}", SYMPTOMS.join(", "));
            return Err(Error::Rule { index: rules.len() + 1, feature: "missing".to_owned(), reason });
        }
        let check = |(index, rule): (usize, Rule)| {
            let refuse =
                |reason: String| Error::Rule { index: index + 1, feature: rule.feature.clone(), reason };
            let Some(feature) = REGRESSION_FEATURES.iter().position(|name| *name == rule.feature) else {
                return Err(refuse(format!(
                    "unknown feature; expected one of: {}",
                    REGRESSION_FEATURES.join(", ")
                )));
            };
            if !rule.threshold.is_finite() {
                return Err(refuse(format!("threshold must be a finite number, got {}", rule.threshold)));
            }
            if !(rule.weight.is_finite() && rule.weight > 0.0) {
                return Err(refuse(format!("weight must be a number above 0, got {}", rule.weight)));
            }
            if rule.verdict == Verdict::Benign {
                return Err(refuse("verdict must be a regression, got BENIGN".to_owned()));
            }
            Ok((feature, rule))
        };
        Ok(RuleSet { rules: rules.into_iter().enumerate().map(check).collect::<Result<_, _>>()? })
    }

    /// The rules, in the order given.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|(_, rule)| rule)
    }

    /// Judges one window by its features, in the order of [`REGRESSION_FEATURES`]. A feature that is `None` or
    /// NaN was not measured and says nothing. `None` when no symptom was measured: no data is not benign.
    pub fn judge(&self, features: &[Option<f64>; REGRESSION_FEATURES.len()]) -> Option<Judgement> {
        let measured = |feature: usize| features[feature].filter(|value| !value.is_nan());
        let mut crossed: Vec<(&Rule, Factor)> = Vec::new();
        let mut symptom_strength = 0.0_f64;
        let (mut symptoms, mut measured_symptoms, mut nearest) = (0, 0, f64::NEG_INFINITY);
        for (feature, rule) in &self.rules {
            symptoms += usize::from(rule.is_symptom());
            let Some(value) = measured(*feature) else { continue };
            let excess = rule.excess(value);
            let is_crossed = excess > 0.0;
            if rule.is_symptom() {
                measured_symptoms += 1;
                nearest = nearest.max(excess);
                if is_crossed {
                    symptom_strength = symptom_strength.max(strength(excess));
                }
            }
            if is_crossed {
                let feature = REGRESSION_FEATURES[*feature];
                let weight = rule.weight * strength(excess);
                crossed.push((rule, Factor { feature, value, threshold: rule.threshold, weight }));
            }
        }
        if measured_symptoms == 0 {
            return None;
        }
        if symptom_strength == 0.0 {
            // One threshold's width below it counts as far; at the threshold nothing is left.
            let headroom = (-nearest).clamp(0.0, 1.0);
            let coverage = f64::from(measured_symptoms) / symptoms as f64;
            let confidence = 0.5 + 0.5 * headroom * coverage;
            return Some(Judgement { verdict: Verdict::Benign, confidence, factors: Vec::new() });
        }
        let evidence = |verdict: Verdict, is_symptom: bool| -> f64 {
            let speaking =
                crossed.iter().filter(|(r, _)| r.verdict == verdict && r.is_symptom() == is_symptom);
            speaking.map(|(_, factor)| factor.weight).sum()
        };
        let sides = |is_symptom| {
            let code = evidence(Verdict::PerformanceRegression, is_symptom);
            (code, evidence(Verdict::EnvironmentRegression, is_symptom))
        };
        let (code, infrastructure) = sides(false);
        // Symptoms say that something is wrong, hardly what: they decide only where no cause does. A tie goes to
        // the code, which the team can roll back.
        let decides = if code == infrastructure { sides(true) } else { (code, infrastructure) };
        let verdict = if decides.1 > decides.0 {
            Verdict::EnvironmentRegression
        } else {
            Verdict::PerformanceRegression
        };
        let certainty =
            (code.max(infrastructure) + PRIOR_EVIDENCE) / (code + infrastructure + 2.0 * PRIOR_EVIDENCE);
        Some(Judgement {
            verdict,
            confidence: symptom_strength * certainty,
            factors: factors(crossed, verdict),
        })
    }
}

/// The crossed rules behind a regression: all symptoms and the causes that speak for it, each feature once, most
/// evidence first. Of several rules for a feature the one for the verdict counts, then the first.
fn factors(mut crossed: Vec<(&Rule, Factor)>, verdict: Verdict) -> Vec<Factor> {
    crossed.retain(|(rule, _)| rule.is_symptom() || rule.verdict == verdict);
    // Both sorts are stable: what is equal stays in the order of the rules.
    crossed.sort_by_key(|(rule, _)| rule.verdict != verdict);
    let mut factors: Vec<Factor> = Vec::with_capacity(crossed.len());
    for (_, factor) in crossed {
        if factors.iter().all(|listed| listed.feature != factor.feature) {
            factors.push(factor);
        }
    }
    factors.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    factors
}

impl TryFrom<&Settings> for RuleSet {
    type Error = Error;

    /// The rules of the settings.
    fn try_from(settings: &Settings) -> Result<Self, Error> {
        let rules = settings.rules.iter().map(|rule| Rule {
            feature: rule.feature.clone(),
            verdict: rule.verdict,
            direction: match rule.direction {
                settings::Direction::Above => Direction::Above,
                settings::Direction::Below => Direction::Below,
            },
            threshold: rule.threshold,
            weight: rule.weight,
        });
        RuleSet::new(rules.collect())
    }
}

impl Default for RuleSet {
    /// The rules of the default settings.
    fn default() -> Self {
        RuleSet::try_from(&Settings::default()).expect("a test checks the default settings")
    }
}

/// Equality to the bit: two functions with the same rules are one function to the planner.
impl PartialEq for RuleSet {
    fn eq(&self, other: &Self) -> bool {
        let keys =
            |set: &RuleSet| set.rules.iter().map(|(feature, rule)| key(*feature, rule)).collect::<Vec<_>>();
        keys(self) == keys(other)
    }
}

impl Eq for RuleSet {}

impl Hash for RuleSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rules.iter().for_each(|(feature, rule)| key(*feature, rule).hash(state));
    }
}

fn key(feature: usize, rule: &Rule) -> (usize, Verdict, Direction, u64, u64) {
    (feature, rule.verdict, rule.direction, rule.threshold.to_bits(), rule.weight.to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Judges by the default rules with the given features set.
    fn judge(set: &[(&str, f64)]) -> Option<Judgement> {
        let mut features = [None; REGRESSION_FEATURES.len()];
        for (name, value) in set {
            features[REGRESSION_FEATURES.iter().position(|f| f == name).unwrap()] = Some(*value);
        }
        RuleSet::default().judge(&features)
    }

    fn check(set: &[(&str, f64)], verdict: Verdict, confidence: f64) {
        let got = judge(set).unwrap();
        assert_eq!(got.verdict, verdict, "{got:?}");
        assert!((got.confidence - confidence).abs() < 1e-12, "{got:?}");
    }

    #[test]
    fn no_data_is_not_benign() {
        assert_eq!(judge(&[]), None);
        assert_eq!(judge(&[("latency_delta", f64::NAN)]), None);
        assert_eq!(judge(&[("cpu_utilization_mean", 99.0), ("deployment_age_hours", 1.0)]), None);
    }

    #[test]
    fn benign_is_surer_the_more_symptoms_are_measured_and_the_farther_they_are() {
        // One of seven symptoms, at half its threshold: 0.5 + 0.5 * 0.5 / 7.
        check(&[("latency_delta", 0.1)], Verdict::Benign, 0.5 + 0.25 / 7.0);
        let calm = SYMPTOMS.map(|symptom| (symptom, 0.0));
        check(&calm, Verdict::Benign, 1.0);
        let mut near = calm;
        near[1].1 = 0.2;
        check(&near, Verdict::Benign, 0.5);
    }

    #[test]
    fn causes_without_a_symptom_are_benign() {
        let set = [("latency_delta", 0.0), ("cpu_utilization_mean", 99.0), ("config_change_count", 3.0)];
        assert_eq!(judge(&set).unwrap().verdict, Verdict::Benign);
    }

    #[test]
    fn a_slow_window_after_a_deployment_is_a_regression_of_the_code() {
        // Evidence 1 * (0.5 + 0.5 * 23 / 24); strength of the symptom 1.
        let code = 0.5 + 0.5 * 23.0 / 24.0;
        let set = [("latency_delta", 0.5), ("deployment_age_hours", 1.0)];
        check(&set, Verdict::PerformanceRegression, (code + 0.5) / (code + 1.0));
        let factors = judge(&set).unwrap().factors;
        assert_eq!(
            factors.iter().map(|f| f.feature).collect::<Vec<_>>(),
            ["deployment_age_hours", "latency_delta"]
        );
        assert_eq!((factors[1].value, factors[1].threshold, factors[1].weight), (0.5, 0.2, 0.2));
    }

    #[test]
    fn a_slow_window_with_a_slow_database_is_one_of_the_environment() {
        let got = judge(&[
            ("latency_delta", 0.5),
            ("database_latency_delta", 2.0),
            ("queue_wait_time_p95", 600.0),
            ("deployment_age_hours", 500.0),
        ])
        .unwrap();
        assert_eq!(got.verdict, Verdict::EnvironmentRegression);
        assert_eq!(
            got.factors.iter().map(|f| f.feature).collect::<Vec<_>>(),
            ["database_latency_delta", "queue_wait_time_p95", "latency_delta"]
        );
    }

    #[test]
    fn a_symptom_barely_crossed_is_half_as_sure_as_one_crossed_twice() {
        let (weak, strong) = (judge(&[("latency_delta", 0.2 + 1e-9)]), judge(&[("latency_delta", 0.4)]));
        let (weak, strong) = (weak.unwrap().confidence, strong.unwrap().confidence);
        assert!((weak - 0.25).abs() < 1e-6 && strong == 0.5, "{weak} {strong}");
        assert!(judge(&[("latency_delta", f64::INFINITY)]).unwrap().confidence == strong);
    }

    #[test]
    fn causes_decide_the_class_however_much_symptoms_weigh() {
        let rule = |feature: &str, verdict, threshold, weight| Rule {
            feature: feature.to_owned(),
            verdict,
            direction: Direction::Above,
            threshold,
            weight,
        };
        let rules = RuleSet::new(vec![
            rule("latency_delta", Verdict::PerformanceRegression, 0.5, 10.0),
            rule("latency_delta", Verdict::EnvironmentRegression, 0.2, 1.0),
            rule("database_latency_delta", Verdict::EnvironmentRegression, 1.0, 0.5),
        ])
        .unwrap();
        let mut features = [None; REGRESSION_FEATURES.len()];
        features[1] = Some(2.0);
        assert_eq!(rules.judge(&features).unwrap().verdict, Verdict::PerformanceRegression);
        features[19] = Some(3.0);
        let got = rules.judge(&features).unwrap();
        assert_eq!(got.verdict, Verdict::EnvironmentRegression);
        // A feature is named once, by the rule that speaks for the verdict.
        let named = got.factors.iter().map(|f| (f.feature, f.threshold, f.weight)).collect::<Vec<_>>();
        assert_eq!(named, [("latency_delta", 0.2, 1.0), ("database_latency_delta", 1.0, 0.5)]);
    }

    #[test]
    fn rules_that_make_no_sense_are_refused_by_place() {
        let rule = |feature: &str, verdict, threshold, weight| Rule {
            feature: feature.to_owned(),
            verdict,
            direction: Direction::Above,
            threshold,
            weight,
        };
        let good = rule("latency_delta", Verdict::PerformanceRegression, 0.2, 1.0);
        let text = |bad: Rule| RuleSet::new(vec![good.clone(), bad]).unwrap_err().to_string();
        assert!(text(rule("latency", Verdict::PerformanceRegression, 0.2, 1.0)).starts_with(
            "regression rule 2 (latency): unknown feature; expected one of: reward_delta, latency_delta"
        ));
        assert_eq!(
            text(rule("retry_rate", Verdict::Benign, 0.2, 1.0)),
            "regression rule 2 (retry_rate): verdict must be a regression, got BENIGN"
        );
        assert!(
            text(rule("retry_rate", Verdict::EnvironmentRegression, f64::NAN, 1.0)).contains("threshold")
        );
        assert!(text(rule("retry_rate", Verdict::EnvironmentRegression, 1.0, 0.0)).contains("weight"));
        assert!(RuleSet::new(Vec::new()).unwrap_err().to_string().contains("at least one symptom"));
        assert_eq!("Below".parse(), Ok(Direction::Below));
        assert!("under".parse::<Direction>().unwrap_err().contains("expected one of: above, below"));
    }

    proptest! {
        #[test]
        fn confidence_is_a_share_and_every_regression_but_nothing_benign_has_factors(
            features in prop::array::uniform21(prop::option::of(prop_oneof![-2.0..2.0, 0.0..1000.0, prop::num::f64::ANY]))
        ) {
            let Some(got) = RuleSet::default().judge(&features) else { return Ok(()) };
            prop_assert!((0.0..=1.0).contains(&got.confidence), "{got:?}");
            prop_assert_eq!(got.factors.is_empty(), got.verdict == Verdict::Benign);
            prop_assert!(got.factors.windows(2).all(|pair| pair[0].weight >= pair[1].weight));
        }
    }
}
