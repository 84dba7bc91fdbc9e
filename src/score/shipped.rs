//! The model that comes with the program.

use crate::domain::Verdict;
use crate::gbm::Model;

use super::Error;

/// Its file, made by the recipe beside it.
const TEXT: &str = include_str!("../../datasets/model/default.model");

/// The model that comes with the program, trained on simulated days. `datasets/model/README.md` has the recipe and the
/// figures.
pub fn default_model() -> Result<Model, Error> {
    let classes: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
    Ok(Model::from_text(TEXT, &classes)?)
}
