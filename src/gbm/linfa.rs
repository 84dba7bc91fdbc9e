//! linfa's traits: `Fit` on a `Dataset`, `Predict` for what comes out.

use linfa::dataset::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2};

use super::{Booster, Error, Examples, Objective, ValidHyperParams};

/// A model that answers with the number of a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier(
    /// Its trees.
    pub Booster,
);

/// A model that answers with a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Regressor(
    /// Its trees.
    pub Booster,
);

fn train<T>(
    params: &ValidHyperParams,
    dataset: &DatasetBase<Array2<f64>, T>,
    objective: Objective,
    targets: &[f64],
) -> Result<Booster, Error> {
    let examples =
        Examples { rows: dataset.records.view(), targets, weights: dataset.weights().unwrap_or_default() };
    let named = dataset.feature_names();
    let names: Vec<String> = match named.len() == dataset.records.ncols() {
        // The text format separates names by spaces.
        true => named.iter().map(|name| name.replace(char::is_whitespace, "_")).collect(),
        false => (0..dataset.records.ncols()).map(|i| format!("feature-{i}")).collect(),
    };
    Ok(params.train(objective, &names, examples, None)?.booster)
}

impl Fit<Array2<f64>, Array1<usize>, Error> for ValidHyperParams {
    type Object = Classifier;

    /// Learns classes 0 to the largest target: two with the logistic loss, more with softmax.
    fn fit(&self, dataset: &DatasetBase<Array2<f64>, Array1<usize>>) -> Result<Classifier, Error> {
        let classes = dataset.targets.iter().max().map_or(0, |most| most + 1);
        let objective = match classes {
            0 | 1 => {
                let reason = format!("expected at least 2 classes, got {classes}");
                return Err(Error::Data { reason });
            }
            2 => Objective::Binary { sigmoid: 1.0 },
            classes => Objective::Multiclass { classes },
        };
        let targets: Vec<f64> = dataset.targets.iter().map(|class| *class as f64).collect();
        train(self, dataset, objective, &targets).map(Classifier)
    }
}

impl Fit<Array2<f64>, Array1<f64>, Error> for ValidHyperParams {
    type Object = Regressor;

    /// Learns numbers with the squared error.
    fn fit(&self, dataset: &DatasetBase<Array2<f64>, Array1<f64>>) -> Result<Regressor, Error> {
        train(self, dataset, Objective::squared_error(), &dataset.targets.to_vec()).map(Regressor)
    }
}

impl PredictInplace<Array2<f64>, Array1<usize>> for Classifier {
    /// # Panics
    /// As all of linfa's models: if the rows do not have the model's features.
    fn predict_inplace(&self, rows: &Array2<f64>, classes: &mut Array1<usize>) {
        let answers = self.0.answers(rows.view()).expect("the rows have the model's features");
        for (answer, class) in answers.rows().into_iter().zip(classes) {
            *class = match answer.len() {
                1 => usize::from(answer[0] > 0.5),
                len => (1..len).fold(0, |best, at| if answer[at] > answer[best] { at } else { best }),
            };
        }
    }

    fn default_target(&self, rows: &Array2<f64>) -> Array1<usize> {
        Array1::zeros(rows.nrows())
    }
}

impl PredictInplace<Array2<f64>, Array1<f64>> for Regressor {
    /// # Panics
    /// As all of linfa's models: if the rows do not have the model's features.
    fn predict_inplace(&self, rows: &Array2<f64>, numbers: &mut Array1<f64>) {
        let answers = self.0.answers(rows.view()).expect("the rows have the model's features");
        numbers.assign(&answers.column(0));
    }

    fn default_target(&self, rows: &Array2<f64>) -> Array1<f64> {
        Array1::zeros(rows.nrows())
    }
}
