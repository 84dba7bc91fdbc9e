//! Scalar functions: one row in, one value out.

pub mod count_ratio_p;
pub mod drift_percent;
pub mod drift_status;
pub mod fisher_exact_p;
pub mod js_divergence;
pub mod ks_p_value;
pub mod ks_statistic;
pub mod period_end;
pub mod period_start;
pub mod psi;
pub mod regression_model;
pub mod regression_rules;
mod rule_set;
pub mod series_beyond;
pub mod series_except;
pub mod series_marks;
pub mod series_points;
pub mod series_profile;
pub mod sketch_count;
mod sketch_pair;
pub mod sketch_quantile;
pub mod sketch_share_below;
pub mod student_p;
pub mod student_t;
pub mod wasserstein;
pub mod wilson_lower;
pub mod wilson_upper;
