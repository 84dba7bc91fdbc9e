//! What the regression model says of a window, and the rules where there is no model.
//!
//! | features | result |
//! |---|---|
//! | no symptom measured (see `regression_rules`) | NULL |
//! | some NULL or NaN | the model has learned what missing values mean |
//! | the surest class below the confidence asked for | verdict UNCERTAIN |
//! | no model loaded | as `regression_rules`; probabilities are NULL, `judged_by` is `rules` |

mod columns;
mod documents;
mod function;
mod judge;

pub use function::{Part, RegressionFunction};
pub use judge::{Judge, UNCERTAIN};
