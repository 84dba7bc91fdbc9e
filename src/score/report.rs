//! The report on a training, for people and for programs.

use std::fmt::Write;

use serde::Serialize;

use super::metrics::Metrics;
use crate::domain::Verdict;

/// How much a feature matters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Importance {
    /// Which.
    pub feature: &'static str,
    /// Its share of the gain of all splits.
    pub gain: f64,
    /// Mean of the sums over the classes of |SHAP|, in units of the raw score.
    pub shap: f64,
}

/// What training found. All figures are on windows of blocks that the model in question had not seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Labelled windows.
    pub windows: usize,
    /// Folds of the cross-validation.
    pub folds: usize,
    /// Rounds of the lowest mean loss.
    pub best_round: usize,
    /// The model.
    pub model: Metrics,
    /// Share of the windows on which it is sure enough.
    pub certain_share: f64,
    /// The model, on those.
    pub certain: Metrics,
    /// The rules.
    pub rules: Metrics,
    /// A decision tree of linfa, on the same folds.
    pub linfa_tree: Metrics,
    /// Most gain first.
    pub importances: Vec<Importance>,
    /// A small tree that imitates the model.
    pub surrogate: Vec<String>,
    /// Share of the windows on which it does.
    pub surrogate_agreement: f64,
}

impl Report {
    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "# Training\n\n{} windows, {} folds by incident and hour; best after {} rounds.\n",
            self.windows, self.folds, self.best_round
        );
        text.push_str("| judge | macro F1 | log loss | calibration error |\n|---|---:|---:|---:|\n");
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
        for (name, m) in
            [("model", &self.model), ("rules", &self.rules), ("linfa decision tree", &self.linfa_tree)]
        {
            let (loss, error) = (figure(m.log_loss), figure(m.calibration_error));
            let _ = writeln!(text, "| {name} | {:.4} | {loss} | {error} |", m.macro_f1);
        }
        let _ = writeln!(
            text,
            "\nSure enough for a verdict in {:.1} % of the windows; macro F1 there {:.4}.",
            self.certain_share * 100.0,
            self.certain.macro_f1
        );
        for (name, m) in
            [("model", &self.model), ("rules", &self.rules), ("linfa decision tree", &self.linfa_tree)]
        {
            let _ = writeln!(text, "\n## By class: {name}\n");
            text.push_str("| class | windows | precision | recall | F1 |\n|---|---:|---:|---:|---:|\n");
            for c in &m.classes {
                let (precision, recall, f1) = (c.precision, c.recall, c.f1);
                let _ = writeln!(
                    text,
                    "| {} | {} | {precision:.4} | {recall:.4} | {f1:.4} |",
                    c.verdict, c.windows
                );
            }
        }
        text.push_str("\n## Confusion of the model\n\n| label |");
        Verdict::ALL.iter().for_each(|verdict| text.push_str(&format!(" {verdict} |")));
        text.push_str("\n|---|---:|---:|---:|\n");
        for (verdict, row) in Verdict::ALL.iter().zip(&self.model.confusion) {
            let _ = writeln!(text, "| {verdict} | {} | {} | {} |", row[0], row[1], row[2]);
        }
        text.push_str("\n## Importances\n\n| feature | share of gain | mean abs SHAP |\n|---|---:|---:|\n");
        for i in self.importances.iter().filter(|i| i.gain > 0.0) {
            let _ = writeln!(text, "| {} | {:.4} | {:.4} |", i.feature, i.gain, i.shap);
        }
        let _ = writeln!(
            text,
            "\n## The model in short\n\nA tree that gives the same verdict in {:.1} % of the windows:\n\n```text",
            self.surrogate_agreement * 100.0
        );
        self.surrogate.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        text.push_str("```\n");
        text
    }
}
