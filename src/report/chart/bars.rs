//! A bar per row, longest first or as they come, with its number at the end.

use super::ink::Scheme;
use super::svg::{Svg, WIDTH, fit, width};
use crate::report::content::{Unit, Value};
use crate::report::format::show;

const ROW: f64 = 24.0;
const TOP: f64 = 32.0;
/// Share of the picture that the labels may take.
const LABELS: f64 = 0.45;

pub(super) fn draw(title: &str, bars: &[(String, Value)], unit: Unit, scheme: Scheme) -> String {
    let mut svg = Svg::new(title, TOP + ROW * bars.len() as f64 + 6.0, scheme);
    svg.title(0.0, title);
    let longest = bars.iter().map(|(label, _)| width(label)).fold(0.0, f64::max);
    let left = longest.min(WIDTH * LABELS) + 10.0;
    let numbers: Vec<String> = bars.iter().map(|(_, value)| show(value, unit)).collect();
    let numbers_width = numbers.iter().map(|n| width(n)).fold(0.0, f64::max) + 12.0;
    let most = bars.iter().filter_map(|(_, v)| v.as_f64()).filter(|v| v.is_finite()).fold(0.0, f64::max);
    for (i, ((label, value), number)) in bars.iter().zip(&numbers).enumerate() {
        let y = TOP + ROW * i as f64;
        let share = value.as_f64().filter(|v| v.is_finite() && most > 0.0).map_or(0.0, |v| v.max(0.0) / most);
        let length = share * (WIDTH - left - numbers_width);
        let fill = svg.ink.of_series(0);
        svg.text(left - 8.0, y + 15.0, "end", svg.ink.text, &fit(label, left - 10.0));
        svg.put(format_args!(
            "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"{:.1}\" rx=\"2\" fill=\"{fill}\"/>",
            y + 3.0,
            ROW - 7.0
        ));
        svg.text(left + length + 6.0, y + 15.0, "start", svg.ink.quiet, number);
    }
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_and_its_number_fit_and_half_is_half() {
        let bars = [("x".repeat(200), Value::Integer(1_000_000)), ("b".into(), Value::Integer(500_000))];
        let svg = draw("T", &bars, Unit::Count, Scheme::Paper);
        let lengths: Vec<f64> = svg
            .lines()
            .filter(|l| l.starts_with("<rect x="))
            .map(|l| l.split('"').nth(5).unwrap().parse().unwrap())
            .collect();
        assert!((lengths[0] / lengths[1] - 2.0).abs() < 0.01, "{lengths:?}");
        assert!(WIDTH * LABELS + 10.0 + lengths[0] + 6.0 + width("1,000,000") <= WIDTH);
        assert!(svg.contains("xx…</text>") && svg.contains(">1,000,000</text>"));
    }

    #[test]
    fn nothing_but_zeros_has_no_bars_and_no_nonsense() {
        let svg = draw(
            "T",
            &[("a".into(), Value::Integer(0)), ("b".into(), Value::Missing)],
            Unit::Count,
            Scheme::Page,
        );
        assert!(!svg.contains("NaN") && svg.contains(">no data</text>"), "{svg}");
    }
}
