//! What is optimised, and how raw scores become answers.

use super::Error;
use super::gradient::Pair;

/// Shares are kept this far from 0 and 1 where their logarithm is taken (LightGBM's `kEpsilon`).
const EPSILON: f64 = 1e-15;

/// The loss of a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Objective {
    /// Softmax over classes.
    Multiclass {
        /// How many.
        classes: usize,
    },
    /// A logistic for each class.
    MulticlassOva {
        /// How many.
        classes: usize,
        /// Factor of the raw score.
        sigmoid: f64,
    },
    /// A logistic for class 1 of 2.
    Binary {
        /// Factor of the raw score.
        sigmoid: f64,
    },
    /// A number. Only the squared error can be trained; the others are for models from elsewhere.
    Regression {
        /// LightGBM's name, with its arguments.
        name: String,
        /// What is done to the raw score.
        link: Link,
    },
}

/// What a regression does to its raw score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Nothing.
    Identity,
    /// The square, with the sign kept.
    SignedSquare,
    /// The exponential.
    Exp,
    /// The logistic function.
    Logistic,
}

impl Objective {
    /// The squared error.
    pub fn squared_error() -> Objective {
        Objective::Regression { name: "regression".to_owned(), link: Link::Identity }
    }

    /// Reads LightGBM's `objective=` line.
    pub fn parse(text: &str) -> Result<Objective, String> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        let argument = |key: &str| {
            let found = rest.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'));
            found.map(|value| {
                value.parse::<f64>().map_err(|_| format!("{key}: expected a number, got `{value}`"))
            })
        };
        let sigmoid = || argument("sigmoid").unwrap_or(Ok(1.0));
        let classes = || match argument("num_class") {
            Some(Ok(count)) if count >= 2.0 => Ok(count as usize),
            Some(Err(reason)) => Err(reason),
            _ => Err("expected num_class of at least 2".to_owned()),
        };
        let regression = |link| Ok(Objective::Regression { name: text.trim().to_owned(), link });
        match name {
            "multiclass" | "softmax" => Ok(Objective::Multiclass { classes: classes()? }),
            "multiclassova" => Ok(Objective::MulticlassOva { classes: classes()?, sigmoid: sigmoid()? }),
            "binary" => Ok(Objective::Binary { sigmoid: sigmoid()? }),
            "regression" if rest.contains(&"sqrt") => regression(Link::SignedSquare),
            "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" => {
                regression(Link::Identity)
            }
            "poisson" | "gamma" | "tweedie" => regression(Link::Exp),
            "cross_entropy" => regression(Link::Logistic),
            _ => Err(format!(
                "objective `{name}`: expected multiclass, multiclassova, binary, regression, regression_l1, huber, \
                 fair, quantile, mape, poisson, gamma, tweedie or cross_entropy"
            )),
        }
    }

    /// LightGBM's `objective=` line.
    pub fn text(&self) -> String {
        match self {
            Objective::Multiclass { classes } => format!("multiclass num_class:{classes}"),
            Objective::MulticlassOva { classes, sigmoid } => {
                format!("multiclassova num_class:{classes} sigmoid:{sigmoid}")
            }
            Objective::Binary { sigmoid } => format!("binary sigmoid:{sigmoid}"),
            Objective::Regression { name, .. } => name.clone(),
        }
    }

    /// Trees of one round, and raw scores of one row.
    pub fn outputs(&self) -> usize {
        match self {
            Objective::Multiclass { classes } | Objective::MulticlassOva { classes, .. } => *classes,
            Objective::Binary { .. } | Objective::Regression { .. } => 1,
        }
    }

    /// Turns the raw scores of one row into the answer: probabilities, that of class 1, or a number.
    pub fn answer(&self, scores: &mut [f64]) {
        let logistic = |score: f64, sigmoid: f64| 1.0 / (1.0 + (-sigmoid * score).exp());
        match self {
            Objective::Multiclass { .. } => softmax(scores),
            Objective::MulticlassOva { sigmoid, .. } | Objective::Binary { sigmoid } => {
                scores.iter_mut().for_each(|s| *s = logistic(*s, *sigmoid));
            }
            Objective::Regression { link, .. } => scores.iter_mut().for_each(|s| match link {
                Link::Identity => {}
                Link::SignedSquare => *s = s.signum() * *s * *s,
                Link::Exp => *s = s.exp(),
                Link::Logistic => *s = logistic(*s, 1.0),
            }),
        }
    }

    /// The raw scores that fit best before there is any tree; `weights` are those of the rows.
    pub(super) fn start(&self, targets: &[f64], weights: &[f32]) -> Vec<f64> {
        // Fixed-point sums do not depend on the order of the rows.
        let largest = targets.iter().fold(1.0_f64, |most, t| most.max(t.abs()));
        let heaviest = weights.iter().fold(0.0_f32, |most, w| most.max(*w));
        let scale = (1_u64 << 60) as f64 / (largest * f64::from(heaviest) * targets.len().max(1) as f64);
        let sum = |value: &dyn Fn(f64) -> f64| {
            let total: i64 =
                targets.iter().zip(weights).map(|(t, w)| (value(*t) * f64::from(*w) * scale) as i64).sum();
            total as f64
        };
        let all = sum(&|_| 1.0);
        match self {
            Objective::Multiclass { classes } | Objective::MulticlassOva { classes, .. } => (0..*classes)
                .map(|class| {
                    let share = sum(&|t| f64::from(u8::from(t == class as f64))) / all;
                    share.max(EPSILON).ln()
                })
                .collect(),
            Objective::Binary { sigmoid } => {
                let share = (sum(&|t| t) / all).clamp(EPSILON, 1.0 - EPSILON);
                vec![(share / (1.0 - share)).ln() / sigmoid]
            }
            Objective::Regression { .. } => vec![sum(&|t| t) / all],
        }
    }

    /// Derivatives of the loss of one row by its raw scores; `probabilities` is working space.
    pub(super) fn derivatives(
        &self,
        scores: &[f64],
        target: f64,
        weight: f32,
        probabilities: &mut [f64],
        out: &mut [Pair],
    ) {
        match self {
            Objective::Multiclass { classes } => {
                probabilities.copy_from_slice(scores);
                softmax(probabilities);
                // LightGBM's factor: the second derivative is taken along the simplex.
                let factor = *classes as f64 / (*classes as f64 - 1.0);
                for (class, (p, out)) in probabilities.iter().zip(out).enumerate() {
                    let first = if target == class as f64 { p - 1.0 } else { *p };
                    *out = (first as f32 * weight, (factor * p * (1.0 - p)) as f32 * weight);
                }
            }
            Objective::MulticlassOva { sigmoid, .. } | Objective::Binary { sigmoid } => {
                let of_class = matches!(self, Objective::MulticlassOva { .. });
                for (class, (score, out)) in scores.iter().zip(out).enumerate() {
                    let hit = if of_class { target == class as f64 } else { target == 1.0 };
                    let p = 1.0 / (1.0 + (-sigmoid * score).exp());
                    let first = sigmoid * (p - f64::from(u8::from(hit)));
                    *out = (first as f32 * weight, (sigmoid * sigmoid * p * (1.0 - p)) as f32 * weight);
                }
            }
            Objective::Regression { .. } => out[0] = ((scores[0] - target) as f32 * weight, weight),
        }
    }

    /// The loss of one row, given the answer: log loss or squared error.
    pub fn loss(&self, answer: &[f64], target: f64) -> f64 {
        let log = |p: f64| -p.max(EPSILON).ln();
        match self {
            Objective::Multiclass { .. } => log(answer[target as usize]),
            Objective::MulticlassOva { .. } => {
                log(answer[target as usize] / answer.iter().sum::<f64>().max(EPSILON))
            }
            Objective::Binary { .. } => log(if target == 1.0 { answer[0] } else { 1.0 - answer[0] }),
            Objective::Regression { .. } => (answer[0] - target).powi(2),
        }
    }

    /// Refuses targets that the loss cannot take.
    pub(super) fn check(&self, targets: &[f64]) -> Result<(), Error> {
        let wrong = |t: &f64| match self {
            Objective::Multiclass { classes } | Objective::MulticlassOva { classes, .. } => {
                !(*t >= 0.0 && *t < *classes as f64 && t.fract() == 0.0)
            }
            Objective::Binary { .. } => *t != 0.0 && *t != 1.0,
            Objective::Regression { .. } => !t.is_finite(),
        };
        match targets.iter().position(wrong) {
            Some(row) => Err(Error::Data {
                reason: format!("row {row}: {} cannot be a target of {}", targets[row], self.text()),
            }),
            None => Ok(()),
        }
    }
}

/// exp(x - max) / sum.
fn softmax(scores: &mut [f64]) {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        total += *score;
    }
    scores.iter_mut().for_each(|score| *score /= total);
}
