//! Window functions: each row judged by the rows before it. The computations are in [`crate::functions::history`].

pub mod anomaly_score;
pub mod bh_adjusted;
pub mod bollinger_lower;
pub mod bollinger_upper;
pub mod ewma;
mod series;
pub mod zscore;
