//! `tars model`: what is in a model file, and models from and for LightGBM.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::Global;
use super::labelled::Labelled;
use super::output::write_whole;
use crate::domain::{REGRESSION_FEATURES, Verdict};
use crate::error::Error;
use crate::functions::{Judge, RuleSet};
use crate::gbm::{Booster, Model as Classifier};
use crate::score::{Comparison, Contestant, default_model};
use crate::settings::Settings;

/// Look into model files, and exchange them with LightGBM.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars model show model.txt
  tars model import lightgbm.txt --out model.txt     a model that Python trained, over the 21 features
  tars model export model.txt --out lightgbm.txt
  tars model compare old.txt new.txt
  tars model compare rules default --incidents labels.ndjson     on labelled windows of the lake")]
pub(super) struct Model {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print what is known of a model
    Show {
        /// The model
        model: PathBuf,
    },
    /// Make a model of what LightGBM saved
    Import {
        /// LightGBM's text file, trained on the 21 features in their order
        file: PathBuf,
        /// Where the model goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The verdicts of classes 0, 1 and 2
        #[arg(
            long,
            value_delimiter = ',',
            default_value = "BENIGN,PERFORMANCE_REGRESSION,ENVIRONMENT_REGRESSION"
        )]
        classes: Vec<Verdict>,
        /// A verdict less probable than this is UNCERTAIN
        #[arg(long, default_value_t = 0.5, value_name = "SHARE", value_parser = super::train::share)]
        min_confidence: f64,
    },
    /// Write the trees alone, as LightGBM's text
    Export {
        /// The model
        model: PathBuf,
        /// Where the text goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Print the figures of two models side by side; with labels, those of both on the same windows
    Compare {
        /// One model, or `rules`
        first: PathBuf,
        /// The other
        second: PathBuf,
        /// Judge the labelled windows of the lake, as --incidents, a window or `rules` also do
        #[arg(long)]
        on_lake: bool,
        #[command(flatten)]
        labelled: Labelled,
    },
}

/// What the rules are called where a model could stand.
const RULES: &str = "rules";
/// What the model that comes with the program is called.
const DEFAULT: &str = "default";

/// Reads a model that knows the 21 features and the verdicts; `default` is the one that comes with the program.
pub(super) fn read(path: &Path) -> Result<Classifier, Error> {
    if path == Path::new(DEFAULT) {
        return Ok(default_model()?);
    }
    let verdicts: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
    let model = Classifier::from_text(&text(path)?, &verdicts).map_err(|e| is_wrong(path, e))?;
    Judge::model(RuleSet::default(), model.clone().into()).map_err(crate::engine::Error::from)?;
    Ok(model)
}

fn is_wrong(path: &Path, source: crate::gbm::Error) -> Error {
    Error::Model { path: path.to_owned(), source }
}

fn text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

impl Model {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        match self.action {
            Action::Show { model } => show(&read(&model)?),
            Action::Import { file, out, classes, min_confidence } => {
                let mut booster = Booster::from_lightgbm(&text(&file)?).map_err(|e| is_wrong(&file, e))?;
                // Without names LightGBM calls them Column_0 and on.
                let unnamed = booster
                    .feature_names()
                    .iter()
                    .enumerate()
                    .all(|(i, name)| *name == format!("Column_{i}"));
                if unnamed {
                    booster.rename(&REGRESSION_FEATURES).map_err(|e| is_wrong(&file, e))?;
                }
                let classes: Vec<&str> = classes.iter().map(|v| v.as_str()).collect();
                let mut model = Classifier::from_text(&booster.to_lightgbm(), &classes)
                    .map_err(|e| is_wrong(&file, e))?;
                model.about.min_confidence = min_confidence;
                Judge::model(RuleSet::default(), model.clone().into()).map_err(crate::engine::Error::from)?;
                write_whole(&out, model.to_text().as_bytes())?;
            }
            Action::Export { model, out } => {
                write_whole(&out, read(&model)?.booster.to_lightgbm().as_bytes())?
            }
            Action::Compare { first, second, on_lake, labelled } => {
                if on_lake || labelled.is_asked()? || [&first, &second].iter().any(|p| is_rules(p)) {
                    compare_on_windows(global, &labelled, [&first, &second]).await?;
                } else {
                    compare(&read(&first)?, &read(&second)?);
                }
            }
        }
        Ok(())
    }
}

fn show(model: &Classifier) {
    #![allow(clippy::print_stdout)] // The result of the command.
    let about = &model.about;
    println!("rounds            {} of {} trees", model.booster.rounds(), model.booster.outputs());
    println!("classes           {}", about.classes.join(", "));
    println!("schema            {}", about.schema_hash);
    if let (Some(from), Some(to)) = (&about.trained_from, &about.trained_to) {
        println!("trained on        {from} to {to}");
    }
    if let Some(seconds) = about.interval_seconds {
        println!("window            {seconds} s");
    }
    println!("uncertain below   {}", about.min_confidence);
    for (class, rows) in &about.class_rows {
        println!("windows           {class} {rows}");
    }
    for (table, version) in &about.lake_versions {
        println!("lake              {table} at version {version}");
    }
    for (name, value) in &about.metrics {
        println!("cross-validated   {name} {value:.4}");
    }
    let gains = model.booster.gains();
    let total = gains.sum();
    let mut order: Vec<usize> = (0..gains.len()).filter(|feature| gains[*feature] > 0.0).collect();
    order.sort_by(|a, b| gains[*b].total_cmp(&gains[*a]));
    for feature in order {
        println!(
            "share of gain     {} {:.4}",
            model.booster.feature_names()[feature],
            gains[feature] / total
        );
    }
}

fn is_rules(path: &Path) -> bool {
    path == Path::new(RULES)
}

async fn compare_on_windows(global: &Global, labelled: &Labelled, paths: [&Path; 2]) -> Result<(), Error> {
    #![allow(clippy::print_stdout)] // The result of the command.
    let settings = global.settings()?;
    let contestant = |path: &Path, settings: &Settings| -> Result<Contestant, Error> {
        if is_rules(path) {
            let rules = RuleSet::try_from(settings).map_err(crate::engine::Error::from)?;
            return Ok(Contestant::Rules(rules));
        }
        Ok(Contestant::Model(Box::new(read(path)?)))
    };
    let (first, second) = (contestant(paths[0], &settings)?, contestant(paths[1], &settings)?);
    let lake = global.open_lake().await?;
    let (frame, _) = labelled.frame(global, &lake, &settings).await?;
    let comparison = tokio::task::block_in_place(|| Comparison::of(&first, &second, &frame))?;
    let names = paths.map(|path| path.display().to_string());
    print!("{}", comparison.to_markdown([&names[0], &names[1]]));
    Ok(())
}

fn compare(first: &Classifier, second: &Classifier) {
    #![allow(clippy::print_stdout)] // The result of the command.
    let mut rows = vec![
        ("rounds".to_owned(), Some(first.booster.rounds() as f64), Some(second.booster.rounds() as f64)),
        ("min_confidence".to_owned(), Some(first.about.min_confidence), Some(second.about.min_confidence)),
    ];
    let names: BTreeSet<&String> = first.about.metrics.keys().chain(second.about.metrics.keys()).collect();
    let of = |model: &Classifier, name: &str| model.about.metrics.get(name).copied();
    rows.extend(names.into_iter().map(|name| (name.clone(), of(first, name), of(second, name))));
    println!("| figure | first | second | difference |\n|---|---:|---:|---:|");
    for (name, a, b) in rows {
        let show = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
        println!("| {name} | {} | {} | {} |", show(a), show(b), show(a.zip(b).map(|(a, b)| b - a)));
    }
}
