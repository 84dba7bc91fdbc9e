//! The list of all functions, and making a session know them.

use super::scalar::regression_model::{Judge, Part, RegressionFunction};
use super::scalar::regression_rules::{RegressionRules, RuleSet};
use super::{aggregate, scalar, window};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::prelude::SessionContext;

/// All scalar functions; `rules` are what `regression_rules` judges by, and all others without a model.
pub fn scalar_functions(rules: RuleSet) -> Vec<ScalarUDF> {
    let mut functions = vec![
        scalar::sketch_quantile::SketchQuantile::default().into(),
        scalar::sketch_count::SketchCount::default().into(),
        scalar::sketch_share_within::SketchShareWithin::default().into(),
        scalar::drift_percent::DriftPercent::default().into(),
        scalar::drift_status::DriftStatusOf::default().into(),
        scalar::count_ratio_p::CountRatioP::default().into(),
        scalar::student_p::StudentP::default().into(),
        scalar::hour_of_week::HourOfWeek::default().into(),
        scalar::student_t::StudentT::default().into(),
        scalar::series_beyond::SeriesBeyond::default().into(),
        scalar::series_except::SeriesExcept::default().into(),
        scalar::series_marks::SeriesMarks::default().into(),
        scalar::request_points::RequestPoints::default().into(),
        scalar::series_points::SeriesPoints::default().into(),
        scalar::series_profile::SeriesProfile::default().into(),
        scalar::series_trailing::SeriesTrailing::default().into(),
        scalar::period_start::PeriodStart::default().into(),
        scalar::period_end::PeriodEnd::default().into(),
        scalar::wilson_lower::WilsonLower::default().into(),
        scalar::wilson_upper::WilsonUpper::default().into(),
        scalar::js_divergence::function(),
        scalar::ks_p_value::function(),
        scalar::ks_statistic::function(),
        scalar::psi::function(),
        scalar::wasserstein::function(),
        scalar::fisher_exact_p::FisherExactP::default().into(),
        RegressionRules::new(rules.clone()).into(),
    ];
    functions.extend(judging_functions(&Judge::rules(rules)));
    functions
}

fn judging_functions(judge: &Judge) -> impl Iterator<Item = ScalarUDF> {
    Part::ALL.into_iter().map(|part| RegressionFunction::new(part, judge.clone()).into())
}

/// Lets a judge, such as a model, answer instead of the rules.
pub fn register_judge(ctx: &SessionContext, judge: &Judge) {
    judging_functions(judge).for_each(|f| ctx.register_udf(f));
}

/// All aggregate functions.
pub fn aggregate_functions() -> Vec<AggregateUDF> {
    vec![
        aggregate::quantile_sketch::QuantileSketchOf::default().into(),
        aggregate::sketch_merge::SketchMerge::default().into(),
        aggregate::interval_counts::IntervalCounts::default().into(),
        aggregate::interval_series::IntervalSeries::default().into(),
        aggregate::request_series::RequestSeries::default().into(),
        aggregate::series_sum::SeriesSum::default().into(),
        aggregate::exact_sum::ExactSumOf::default().into(),
        aggregate::exact_avg::ExactAvg::default().into(),
        aggregate::brown_forsythe_p::function(),
        aggregate::burn_windows::BurnWindows::default().into(),
        aggregate::change_points::function(),
        aggregate::hodges_lehmann::function(),
        aggregate::hodges_lehmann_lower::function(),
        aggregate::hodges_lehmann_upper::function(),
        aggregate::js_divergence_of::function(),
        aggregate::ks_p_value_of::function(),
        aggregate::ks_statistic_of::function(),
        aggregate::mad::function(),
        aggregate::mann_whitney_p::function(),
        aggregate::mann_whitney_u::function(),
        aggregate::psi_of::function(),
        aggregate::spread_ratio::function(),
        aggregate::theil_sen_slope::function(),
        aggregate::trace_parts::TraceParts::default().into(),
        aggregate::wasserstein_of::function(),
    ]
}

/// All window functions.
pub fn window_functions() -> Vec<WindowUDF> {
    vec![
        window::ewma::Ewma::default().into(),
        window::bollinger_upper::BollingerUpper::default().into(),
        window::bollinger_lower::BollingerLower::default().into(),
        window::zscore::Zscore::default().into(),
        window::robust_center::RobustCenter::default().into(),
        window::robust_deviation::RobustDeviation::default().into(),
        window::anomaly_score::AnomalyScore::default().into(),
        window::bh_adjusted::BhAdjusted::default().into(),
        window::trailing_sums::TrailingSums::default().into(),
        window::trailing_sum::TrailingSum::default().into(),
        window::trailing_sketch::TrailingSketch::default().into(),
    ]
}

/// Makes every function of this module known to a session.
pub fn register_all(ctx: &SessionContext, rules: RuleSet) {
    scalar_functions(rules).into_iter().for_each(|f| ctx.register_udf(f));
    aggregate_functions().into_iter().for_each(|f| ctx.register_udaf(f));
    window_functions().into_iter().for_each(|f| ctx.register_udwf(f));
}
