//! What training promises.

use super::*;
use ::linfa::dataset::Dataset;
use ::linfa::traits::{Fit, Predict};
use ndarray::Array1;
use proptest::prelude::*;

fn accuracy(booster: &Booster, rows: &Array2<f64>, targets: &[f64]) -> f64 {
    let answers = booster.answers(rows.view()).unwrap();
    let right = answers.rows().into_iter().zip(targets).filter(|(answer, target)| {
        let best = (0..answer.len()).max_by(|a, b| answer[*a].total_cmp(&answer[*b])).unwrap();
        best as f64 == **target
    });
    right.count() as f64 / targets.len() as f64
}

const SOFTMAX: Objective = Objective::Multiclass { classes: 3 };

#[test]
fn classes_are_learned_through_missing_values() {
    let ((rows, targets), (unseen, answers)) = (classes(3000, 1), classes(1000, 2));
    let booster = train(HyperParams::default(), SOFTMAX, &rows, &targets);
    let accuracy = accuracy(&booster, &unseen, &answers);
    assert!(accuracy > 0.97, "{accuracy}");
    let gains = booster.gains();
    assert!(gains[3] * 10.0 < gains[0].min(gains[1]).min(gains[2]), "noise matters least: {gains}");
}

#[test]
fn any_number_of_threads_gives_the_same_model() {
    let (rows, targets) = classes(30_000, 3);
    let params = || HyperParams::default().iterations(4).row_share(0.8).column_share(0.7).seed(5);
    let model = |threads| with_threads(threads, || train(params(), SOFTMAX, &rows, &targets).to_lightgbm());
    let one = model(1);
    assert_eq!(one, model(2));
    assert_eq!(one, model(7));
    let other = train(params().seed(6), SOFTMAX, &rows, &targets).to_lightgbm();
    assert_ne!(one, other, "sampling follows the seed");
}

#[test]
fn linfa_trains_and_predicts() {
    let (rows, targets) = classes(1500, 4);
    let labels: Array1<usize> = targets.iter().map(|t| *t as usize).collect();
    let data = Dataset::new(rows.clone(), labels.clone());
    let model: Classifier = HyperParams::default().iterations(20).fit(&data).unwrap();
    let predicted = model.predict(&rows);
    let right = predicted.iter().zip(&labels).filter(|(a, b)| a == b).count();
    assert!(right > 1400, "{right}");

    let numbers: Array1<f64> = rows.column(0).mapv(|v| 3.0 * v + 1.0);
    let model: Regressor = HyperParams::default().fit(&Dataset::new(rows.clone(), numbers.clone())).unwrap();
    let worst = (model.predict(&rows) - &numbers).mapv(f64::abs).mean().unwrap();
    assert!(worst < 0.1, "{worst}");

    let two = labels.mapv(|class| class.min(1));
    let model: Classifier = HyperParams::default().iterations(5).fit(&Dataset::new(rows, two)).unwrap();
    assert_eq!(model.0.objective(), &Objective::Binary { sigmoid: 1.0 });
}

#[test]
fn the_first_rounds_of_a_long_training_are_a_short_training() {
    let ((rows, targets), (other, answers)) = (classes(600, 5), classes(300, 6));
    let examples = Examples { rows: rows.view(), targets: &targets, weights: &[] };
    let held_out = Examples { rows: other.view(), targets: &answers, weights: &[] };
    let params = |rounds| HyperParams::default().iterations(rounds).column_share(0.5).row_share(0.8).seed(3);
    let long = params(30).check().unwrap().train(SOFTMAX, &names(4), examples, Some(held_out)).unwrap();
    for rounds in [1, 7, 30] {
        let short = params(rounds).check().unwrap().train(SOFTMAX, &names(4), examples, None).unwrap();
        assert_eq!(long.with_rounds(rounds), short.booster);
    }
    assert_eq!(long.with_rounds(1000).rounds(), 30);
}

#[test]
fn training_stops_when_the_validation_set_stops_gaining() {
    let ((rows, targets), (other, answers)) = (classes(400, 5), classes(400, 6));
    let params = HyperParams::default().iterations(500).patience(Some(10)).min_child_samples(3);
    let examples = Examples { rows: rows.view(), targets: &targets, weights: &[] };
    let held_out = Examples { rows: other.view(), targets: &answers, weights: &[] };
    let trained = params.check().unwrap().train(SOFTMAX, &names(4), examples, Some(held_out)).unwrap();
    let best = trained.validation.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(trained.validation[trained.best_round - 1], best);
    assert_eq!(trained.booster.rounds(), trained.best_round);
    assert!(trained.validation.len() < 500 && trained.validation.len() >= trained.best_round);
    // The recorded loss is that of the model.
    let probabilities = trained.booster.answers(other.view()).unwrap();
    let loss = probabilities.rows().into_iter().zip(&answers).map(|(p, t)| -p[*t as usize].ln()).sum::<f64>();
    assert!((loss / 400.0 - best).abs() < 1e-9);
}

#[test]
fn leaves_keep_the_promised_number_of_rows_whatever_the_weights() {
    let (rows, targets) = classes(800, 7);
    let weights: Vec<f32> = (0..800).map(|row| if row % 5 == 0 { 20.0 } else { 0.1 }).collect();
    let params = HyperParams::default().iterations(5).min_child_samples(25).max_depth(Some(4));
    let examples = Examples { rows: rows.view(), targets: &targets, weights: &weights };
    let trained = params.check().unwrap().train(SOFTMAX, &names(4), examples, None).unwrap();
    for tree in trained.booster.trees() {
        assert!(tree.leaves.iter().all(|leaf| leaf.count >= 25), "{:?}", tree.leaves);
        assert_eq!(tree.leaves.iter().map(|leaf| leaf.count).sum::<u64>(), 800);
        assert!(tree.leaves.len() <= 16);
    }
}

#[test]
fn missing_values_of_next_to_no_weight_are_rows_all_the_same() {
    // The heavy rows alone would leave 19 on the right, one too few; the missing ones have to go there, too.
    let value = |row: usize| {
        if row < 100 {
            0.0
        } else if row < 119 {
            1.0
        } else {
            f64::NAN
        }
    };
    let rows = Array2::from_shape_fn((129, 1), |(row, _)| value(row));
    let targets: Vec<f64> = (0..129).map(|row| f64::from(row >= 100)).collect();
    let weights: Vec<f32> = (0..129).map(|row| if row < 119 { 1.0 } else { 1e-12 }).collect();
    let examples = Examples { rows: rows.view(), targets: &targets, weights: &weights };
    let params = HyperParams::default().iterations(3).min_child_samples(20);
    let trained =
        params.check().unwrap().train(Objective::Binary { sigmoid: 1.0 }, &names(1), examples, None).unwrap();
    let scores: Vec<f64> = trained.booster.answers(rows.view()).unwrap().into_iter().collect();
    assert!(scores[0] < scores[110] && scores[110] == scores[125], "{scores:?}");
}

#[test]
fn balanced_weights_find_more_of_a_rare_class() {
    let mut next = random(9);
    let rows = Array2::from_shape_fn((4000, 1), |_| next());
    // One in twenty, wherever the feature is above a half.
    let targets: Vec<f64> = rows.iter().map(|v| f64::from(u8::from(*v > 0.5 && next() < 0.1))).collect();
    let share = |weights| {
        let params = HyperParams::default().iterations(20).class_weights(weights);
        let booster = train(params, Objective::Binary { sigmoid: 1.0 }, &rows, &targets);
        booster.answers(ndarray::array![[0.8]].view()).unwrap()[[0, 0]]
    };
    assert!((share(ClassWeights::Even) - 0.1).abs() < 0.05);
    assert!(share(ClassWeights::Balanced) > 0.5);
}

#[test]
fn categories_are_split_as_sets() {
    let mut next = random(10);
    let rows =
        Array2::from_shape_fn((2000, 2), |(_, c)| if c == 0 { (next() * 30.0).floor() } else { next() });
    let targets: Vec<f64> =
        rows.rows().into_iter().map(|r| f64::from(u8::from((r[0] as u32 * 7) % 5 < 2))).collect();
    let params = HyperParams::default().iterations(30).categorical(vec![0]);
    let booster = train(params, Objective::Binary { sigmoid: 1.0 }, &rows, &targets);
    let answers = booster.answers(rows.view()).unwrap();
    let right = answers.column(0).iter().zip(&targets).filter(|(p, t)| (**p > 0.5) == (**t == 1.0)).count();
    assert!(right > 1980, "{right}");
    assert!(matches!(booster.trees()[0].nodes[0].rule, Rule::Categorical { .. }));
}

#[test]
fn what_cannot_be_trained_is_refused_with_expected_and_got() {
    let refusal = |params: HyperParams| params.check().unwrap_err().to_string();
    assert_eq!(
        refusal(HyperParams::default().learning_rate(0.0)),
        "hyperparameter learning_rate: expected more than 0, at most 1, got 0"
    );
    assert_eq!(
        refusal(HyperParams::default().max_bins(256)),
        "hyperparameter max_bins: expected 2 to 255, got 256"
    );
    let (rows, _) = classes(10, 1);
    let examples = |targets| Examples { rows: rows.view(), targets, weights: &[] };
    let train = |examples| {
        let params = HyperParams::default().check().unwrap();
        params.train(SOFTMAX, &names(4), examples, None).unwrap_err().to_string()
    };
    assert_eq!(
        train(examples(&[3.0; 10])),
        "training data: row 0: 3 cannot be a target of multiclass num_class:3"
    );
    assert_eq!(train(examples(&[0.0; 9])), "training data: 10 rows, but 9 targets and 0 weights");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_order_of_the_rows_does_not_matter(seed in 0_u64..100) {
        let (rows, targets) = classes(400, seed);
        let mut order: Vec<usize> = (0..400).collect();
        order.sort_by_key(|row| gradient::mix(seed ^ *row as u64));
        let moved = rows.select(ndarray::Axis(0), &order);
        let moved_targets: Vec<f64> = order.iter().map(|row| targets[*row]).collect();
        let params = || HyperParams::default().iterations(5);
        let model = train(params(), SOFTMAX, &rows, &targets).to_lightgbm();
        prop_assert_eq!(model, train(params(), SOFTMAX, &moved, &moved_targets).to_lightgbm());
    }

    #[test]
    fn a_monotone_model_never_turns_back(seed in 0_u64..100) {
        let mut next = random(seed);
        let rows = Array2::from_shape_fn((500, 2), |_| next() * 2.0);
        let targets: Vec<f64> =
            rows.rows().into_iter().map(|r| (r[0] * 6.0).sin() + r[0] + r[1] + next()).collect();
        let params = HyperParams::default().iterations(30).min_child_samples(5)
            .monotone(vec![Monotone::Rising, Monotone::Free]);
        let booster = train(params, Objective::squared_error(), &rows, &targets);
        for other in [0.2, 0.9, 1.7] {
            let line = Array2::from_shape_fn((200, 2), |(i, c)| if c == 0 { i as f64 / 100.0 } else { other });
            let scores = booster.answers(line.view()).unwrap();
            prop_assert!(scores.column(0).windows(2).into_iter().all(|pair| pair[0] <= pair[1]));
        }
        prop_assert!(booster.rounds() == 30);
    }
}
