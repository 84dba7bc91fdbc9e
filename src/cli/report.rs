//! `tars report`: the operational report of a day, a week, or any other stretch of time.

use std::path::PathBuf;
use std::str::FromStr;

use super::Global;
use super::nightly::{Order, nightly};
use super::output::unless_stopped;
use super::workspace::Window;
use crate::domain::{MICROS_PER_DAY, TimeRange, format_timestamp, parse_timestamp};
use crate::error::Error;
use crate::pipeline;
use crate::report::{Form, Period};

/// Write the report of a day, a week, or any stretch of time.
///
/// A weekly report covers the seven days that end with --date (or with the newest day), and compares them
/// with the seven before. A stretch is FROM..TO, days or times, where TO is no part of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars report --period daily --date 2025-01-15
  tars report --period weekly --date 2025-01-19 --out /srv/reports
  tars report --period 2025-01-15T06:00..2025-01-15T12:00 --formats html,pdf")]
pub(super) struct Report {
    /// daily, weekly, or FROM..TO
    #[arg(long, default_value = "daily", value_name = "PERIOD")]
    period: Asked,
    #[command(flatten)]
    forms: Forms,
    /// Folder for the report
    #[arg(long, default_value = "reports", value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    window: Window,
}

/// The forms that a command writes.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Forms {
    /// Forms to write: md, json, html, pdf
    #[arg(long, value_name = "FORMS", value_delimiter = ',', default_value = "md,json,html")]
    formats: Vec<Form>,
}

impl Forms {
    /// Each form once, in the order in which files are written.
    pub(super) fn listed(&self) -> Vec<Form> {
        Form::ALL.into_iter().filter(|form| self.formats.contains(form)).collect()
    }
}

/// A period by its name, or its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Named(Period),
    Span(TimeRange),
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((from, to)) = text.split_once("..") else {
            return text.parse().map(Asked::Named).map_err(|e: crate::report::UnknownPeriod| {
                format!("{e}, or FROM..TO such as 2025-01-13..2025-01-20")
            });
        };
        let end = |name: &str, text: &str| {
            parse_timestamp(text).ok_or_else(|| {
                format!("{name} of the period: expected a time such as 2025-01-15, got `{text}`")
            })
        };
        let range = TimeRange::new(end("start", from)?, end("end", to)?);
        range.map(Asked::Span).map_err(|e| e.to_string())
    }
}

/// Days in a weekly report.
const DAYS_PER_WEEK: i64 = 7;

impl Report {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let forms = self.forms.listed();
        let (period, mut window) = window(self.period, self.window)?;
        let lake = global.open_lake().await?;
        if period == Period::Weekly
            && window.asked()?.is_none()
            && let Some(day) = pipeline::last_day_with_requests(&lake).await?
        {
            look_at(&mut window, week_to(day));
        }
        let order = Order { period, forms: &forms, out: &self.out };
        unless_stopped(nightly(global, &lake, &window, order)).await?.print();
        Ok(())
    }
}

/// What the period and the options of the window come to.
fn window(asked: Asked, mut window: Window) -> Result<(Period, Window), Error> {
    let (period, range) = match asked {
        Asked::Named(Period::Weekly) => {
            let day = window.date.as_deref().map(TimeRange::day).transpose()?;
            (Period::Weekly, day.map(week_to))
        }
        Asked::Named(period) => (period, None),
        Asked::Span(range) => {
            if window.date.is_some() || window.from.is_some() {
                return Err(Error::Usage {
                    message: format!(
                        "--period {range}: expected no other window, got --date or --from as well"
                    ),
                    hint: Some(
                        "give the window once: --period FROM..TO, or --period daily --date DATE".into(),
                    ),
                });
            }
            (Period::Span, Some((range.from(), range.to())))
        }
    };
    if let Some(ends) = range {
        look_at(&mut window, ends);
    }
    Ok((period, window))
}

/// The ends of the week that a day closes.
fn week_to(day: TimeRange) -> (i64, i64) {
    (day.to() - DAYS_PER_WEEK * MICROS_PER_DAY, day.to())
}

fn look_at(window: &mut Window, (from, to): (i64, i64)) {
    window.from = Some(format_timestamp(from));
    window.to = Some(format_timestamp(to));
    window.date = None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_name_or_two_ends() {
        assert_eq!("weekly".parse(), Ok(Asked::Named(Period::Weekly)));
        let day = TimeRange::day("2025-01-15").unwrap();
        assert_eq!("2025-01-15..2025-01-16".parse(), Ok(Asked::Span(day)));
        let error = "monthly".parse::<Asked>().unwrap_err();
        assert!(error.contains("`monthly`") && error.contains("FROM..TO"), "{error}");
        let error = "2025-01-15..tomorrow".parse::<Asked>().unwrap_err();
        assert!(error.contains("end of the period") && error.contains("`tomorrow`"), "{error}");
        assert!("2025-01-16..2025-01-15".parse::<Asked>().is_err());
    }

    #[test]
    fn a_week_ends_with_its_date_and_a_stretch_stands_alone() {
        let date = |d: &str| Window { date: Some(d.to_owned()), ..Window::default() };
        let (period, week) = window(Asked::Named(Period::Weekly), date("2025-01-19")).unwrap();
        assert_eq!((period, week.from.unwrap().as_str()), (Period::Weekly, "2025-01-13T00:00:00Z"));
        let span: Asked = "2025-01-15..2025-01-16".parse().unwrap();
        assert!(window(span, date("2025-01-15")).is_err());
        assert_eq!(window(span, Window::default()).unwrap().0, Period::Span);
    }
}
