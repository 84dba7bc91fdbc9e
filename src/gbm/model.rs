//! A classifier as one file: the trees with all that is needed to trust them.
//!
//! The file is a LightGBM model text with one line more, `tars_model:{json}`, which LightGBM skips: what `tars` trains
//! loads there as it is, and what was trained there loads here, without the line.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{Booster, Calibration, Error};

/// How the line begins.
const ABOUT: &str = "tars_model:";

/// Where the line goes: LightGBM looks for this one last.
const LAST_LINE: &str = "pandas_categorical:";

/// What is known of a model besides its trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The classes, in the order of the outputs.
    pub classes: Vec<String>,
    /// Identity of the features: their names and order.
    pub schema_hash: String,
    /// First instant of the training data, in UTC.
    pub trained_from: Option<String>,
    /// First instant after it.
    pub trained_to: Option<String>,
    /// Seconds of one window of the training data.
    pub interval_seconds: Option<i64>,
    /// Rows of each class.
    pub class_rows: BTreeMap<String, u64>,
    /// Versions of the lake's tables that it was trained on.
    pub lake_versions: BTreeMap<String, u64>,
    /// Rounds of boosting that cross-validation found best.
    pub best_round: usize,
    /// Figures on data that the folds had not seen.
    pub metrics: BTreeMap<String, f64>,
    /// How probabilities are calibrated.
    pub calibration: Calibration,
    /// A verdict less probable than this is UNCERTAIN.
    pub min_confidence: f64,
}

/// A model with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The trees.
    pub booster: Booster,
    /// The rest.
    pub about: About,
}

/// The identity of a list of features (FNV-1a of their names, one a line).
pub fn schema_hash(features: &[impl AsRef<str>]) -> String {
    let bytes = features.iter().flat_map(|name| name.as_ref().bytes().chain([b'\n']));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

impl Model {
    /// Reads a model. One without the line is taken as it is, its classes being `classes`.
    pub fn from_text(text: &str, classes: &[&str]) -> Result<Model, Error> {
        let booster = Booster::from_lightgbm(text)?;
        let found = text.lines().enumerate().find_map(|(at, line)| Some((at + 1, line.strip_prefix(ABOUT)?)));
        let refuse = |line: usize, reason: String| Err(Error::Text { line, reason });
        let (line, about) = match found {
            Some((line, json)) => match serde_json::from_str(json) {
                Ok(about) => (line, about),
                Err(error) => return refuse(line, format!("`{ABOUT}` does not say what it must: {error}")),
            },
            None => (1, About::unknown(&booster, classes)),
        };
        let hash = schema_hash(booster.feature_names());
        if about.schema_hash != hash {
            let got = &about.schema_hash;
            return refuse(line, format!("schema_hash: expected {hash} for the features above, got {got}"));
        }
        if about.classes.len() != booster.outputs() {
            let (expected, got) = (booster.outputs(), about.classes.len());
            return refuse(line, format!("expected {expected} classes, as the trees have, got {got}"));
        }
        if let Calibration::Isotonic(curves) = &about.calibration
            && (curves.len() != about.classes.len() || curves.iter().any(Vec::is_empty))
        {
            let got = curves.len();
            return refuse(line, format!("calibration: expected a curve for each class, got {got}"));
        }
        if !matches!(
            booster.objective(),
            super::Objective::Multiclass { .. } | super::Objective::MulticlassOva { .. }
        ) {
            let got = booster.objective().text();
            return refuse(1, format!("expected an objective over classes, got `{got}`"));
        }
        Ok(Model { booster, about })
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let text = self.booster.to_lightgbm();
        let json = serde_json::to_string(&self.about).expect("numbers and words are JSON");
        let at = text.rfind(LAST_LINE).unwrap_or(text.len());
        format!("{}{ABOUT}{json}\n\n{}", &text[..at], &text[at..])
    }

    /// Calibrated probabilities of the classes.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, Error> {
        let mut answers = self.booster.answers(rows)?;
        for mut row in answers.rows_mut() {
            let total = row.sum();
            row.mapv_inplace(|p| p / total);
            self.about.calibration.apply(row);
        }
        Ok(answers)
    }
}

impl About {
    fn unknown(booster: &Booster, classes: &[&str]) -> About {
        About {
            classes: classes.iter().map(|&class| class.to_owned()).collect(),
            schema_hash: schema_hash(booster.feature_names()),
            trained_from: None,
            trained_to: None,
            interval_seconds: None,
            class_rows: BTreeMap::new(),
            lake_versions: BTreeMap::new(),
            best_round: booster.rounds(),
            metrics: BTreeMap::new(),
            calibration: Calibration::None,
            min_confidence: 0.0,
        }
    }
}
