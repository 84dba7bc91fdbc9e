//! From data to places: a time axis, a value axis, and their labels.

use super::svg::{Svg, WIDTH, fit, width};
use crate::domain::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND, format_timestamp};
use crate::report::content::{Unit, Value};
use crate::report::format::{instant, show};

/// The rectangle that data is drawn in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// From data to the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) area: Area,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Scale {
    /// A scale that holds all of the values, with some room; `None` without any.
    pub(super) fn around(
        area: Area,
        (from, to): (i64, i64),
        values: impl Iterator<Item = f64>,
    ) -> Option<Scale> {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|v| v.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            return None;
        }
        let room = if high > low { (high - low) * 0.05 } else { high.abs().max(1.0) * 0.1 };
        // A quantity that cannot be negative starts at 0.
        let low = if low >= 0.0 { 0.0 } else { low - room };
        Some(Scale { area, from, to: to.max(from + 1), low, high: high + room })
    }

    pub(super) fn x(&self, time: i64) -> f64 {
        let time = time.clamp(self.from, self.to);
        let share = (time - self.from) as f64 / (self.to - self.from) as f64;
        self.area.left + share * (self.area.right - self.area.left)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.area.bottom - share * (self.area.bottom - self.area.top)
    }

    /// Lines and labels of the values, left of the area.
    pub(super) fn values(&self, svg: &mut Svg, unit: Option<Unit>, most: usize) {
        for value in ticks(self.low, self.high, most) {
            let y = self.y(value);
            svg.rule((self.area.left, y), (self.area.right, y), svg.ink.grid);
            let label = match unit {
                Some(unit) => show(&Value::number(value, unit), unit),
                None => short(value),
            };
            svg.text(self.area.left - 6.0, y + 4.0, "end", svg.ink.quiet, &label);
        }
    }

    /// Labels of the times, under the area, as many as have room.
    pub(super) fn times(&self, svg: &mut Svg) {
        /// Room that a label wants.
        const LABEL: f64 = 74.0;
        let most = ((self.area.right - self.area.left) / LABEL).max(1.0) as i64;
        let step = time_step(self.to - self.from, most);
        let y = self.area.bottom;
        let mut time = (self.from + step - 1).div_euclid(step) * step;
        while time <= self.to {
            let x = self.x(time);
            svg.rule((x, y), (x, y + 4.0), svg.ink.limit);
            let text = format_timestamp(time);
            // Midnight tells the day, where there is more than one.
            let is_day =
                step >= MICROS_PER_DAY || time % MICROS_PER_DAY == 0 && self.to - self.from > MICROS_PER_DAY;
            let label = if is_day { text.get(5..10) } else { text.get(11..16) };
            let label = label.unwrap_or(&text);
            // At the right end the label stays on the picture.
            let anchor = if x + width(label) / 2.0 > WIDTH { "end" } else { "middle" };
            svg.text(x, y + 17.0, anchor, svg.ink.quiet, label);
            time += step;
        }
    }

    /// Horizontal lines with their names.
    pub(super) fn limits(&self, svg: &mut Svg, limits: &[(String, f64)]) {
        let mut sorted: Vec<_> = limits.iter().filter(|(_, value)| value.is_finite()).collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        // Where labels would lie on each other, the next stands further left.
        let (mut last, mut x) = (f64::NEG_INFINITY, self.area.right);
        for (label, value) in sorted {
            let y = self.y(*value);
            let stroke = svg.ink.limit;
            svg.put(format_args!(
                "<line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{stroke}\" \
                 stroke-width=\"1.3\" stroke-dasharray=\"5 4\"/>",
                self.area.left, self.area.right
            ));
            let label = fit(label, (self.area.right - self.area.left) / 2.0);
            if y - last >= 14.0 {
                x = self.area.right;
            }
            svg.label(x - 2.0, y - 4.0, "end", &label);
            (last, x) = (y, (x - width(&label) - 14.0).max(self.area.left + width(&label)));
        }
    }

    /// What the axes show, in words, below them.
    pub(super) fn caption(&self, svg: &mut Svg, value: &str) {
        let text = format!("{value}, {} to {} UTC", instant(self.from), instant(self.to));
        let text = text.trim_start_matches(", ");
        svg.text(
            self.area.left,
            self.area.bottom + 36.0,
            "start",
            svg.ink.quiet,
            &fit(text, WIDTH - self.area.left),
        );
    }
}

/// Round values between two ends: 1, 2 or 5 times a power of ten apart.
pub(super) fn ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let rough = (high - low) / most.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough).unwrap_or(rough);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// A tick's value without the noise of its multiplication.
fn short(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A distance of labels that leaves at most so many of them.
fn time_step(span: i64, most: i64) -> i64 {
    let minute = 60 * MICROS_PER_SECOND;
    let steps = [1, 5, 15, 30].map(|m| m * minute).into_iter();
    let steps = steps.chain([1, 2, 3, 6, 12].map(|h| h * MICROS_PER_HOUR));
    let mut steps = steps.chain([1, 2, 7, 14, 28, 91, 182].map(|d| d * MICROS_PER_DAY));
    let year = 365 * MICROS_PER_DAY;
    steps.find(|s| span / s <= most).unwrap_or(year * (1 + span / (year * most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_ends() {
        assert_eq!(ticks(0.0, 10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(-1.0, 1.1, 5), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(short(0.1 * 3.0), "0.3");
    }

    #[test]
    fn labels_of_time_never_crowd() {
        for span in [1, MICROS_PER_HOUR, MICROS_PER_DAY, 7 * MICROS_PER_DAY, 5000 * MICROS_PER_DAY] {
            assert!(span / time_step(span, 10) <= 10, "{span}");
        }
        assert_eq!(time_step(MICROS_PER_DAY, 10), 3 * MICROS_PER_HOUR);
    }
}
