//! Window functions: each row judged by the rows before it. The computations are in [`crate::functions::history`].

pub mod anomaly_score;
pub mod bh_adjusted;
pub mod bollinger_lower;
pub mod bollinger_upper;
pub mod ewma;
mod last_rows;
pub mod robust_center;
pub mod robust_deviation;
mod series;
pub mod trailing_sketch;
pub mod trailing_sum;
pub mod trailing_sums;
pub mod zscore;
