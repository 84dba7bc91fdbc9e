//! Models from LightGBM, and models for it.

use super::*;

/// Models that LightGBM 4 trained on generated data, with its answers and contributions for some rows (missing
/// values, infinities, zeros and unknown categories among them): `features;answers;contributions` a line.
const FIXTURES: [(&str, &str, &str); 3] = [
    ("multiclass", include_str!("fixtures/multiclass.txt"), include_str!("fixtures/multiclass.csv")),
    ("binary", include_str!("fixtures/binary.txt"), include_str!("fixtures/binary.csv")),
    ("regression", include_str!("fixtures/regression.txt"), include_str!("fixtures/regression.csv")),
];

fn table(csv: &str, part: usize) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = csv
        .lines()
        .map(|line| line.split(';').nth(part).unwrap().split(',').map(|v| v.parse().unwrap()).collect())
        .collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

#[test]
fn models_of_lightgbm_answer_and_explain_as_there() {
    for (name, text, csv) in FIXTURES {
        let booster = Booster::from_lightgbm(text).unwrap();
        let rows = table(csv, 0);
        let many = ndarray::concatenate![ndarray::Axis(0), rows, rows];
        for (which, got) in [
            ("few", booster.answers(rows.view()).unwrap()),
            ("many", booster.answers(many.view()).unwrap().slice(ndarray::s![..rows.nrows(), ..]).to_owned()),
        ] {
            for (got, expected) in got.iter().zip(&table(csv, 1)) {
                assert!((got / expected - 1.0).abs() < 1e-12, "{name} {which}: {got} {expected}");
            }
        }
        let contributions = booster.contributions(rows.view()).unwrap();
        for (got, expected) in contributions.iter().zip(&table(csv, 2)) {
            assert!((got - expected).abs() < 1e-9, "{name}: {got} {expected}");
        }
    }
}

#[test]
fn a_text_reads_back_as_the_same_model() {
    for (_, text, _) in FIXTURES {
        let booster = Booster::from_lightgbm(text).unwrap();
        let written = booster.to_lightgbm();
        assert_eq!(Booster::from_lightgbm(&written).unwrap(), booster);
        // LightGBM finds the trees by these sizes.
        let sizes = written.lines().find_map(|line| line.strip_prefix("tree_sizes=")).unwrap();
        let mut at = written.find("Tree=0\n").unwrap();
        for (number, size) in sizes.split(' ').enumerate() {
            assert!(written[at..].starts_with(&format!("Tree={number}\n")));
            at += size.parse::<usize>().unwrap();
        }
        assert!(written[at..].starts_with("end of trees\n"));
    }
    let (rows, targets) = classes(500, 11);
    let booster = train(HyperParams::default(), Objective::Multiclass { classes: 3 }, &rows, &targets);
    assert_eq!(Booster::from_lightgbm(&booster.to_lightgbm()).unwrap(), booster);
}

#[test]
fn a_text_that_is_no_model_is_refused_by_line() {
    let good = FIXTURES[0].1;
    let refusal = |text: &str| Booster::from_lightgbm(text).unwrap_err().to_string();
    assert_eq!(refusal(""), "model text, line 1: expected a first line `tree`");
    assert_eq!(refusal("{}"), "model text, line 1: expected a first line `tree`");
    let cut = &good[..good.len() / 2];
    assert!(refusal(cut).contains("expected"), "{}", refusal(cut));
    let change = |from: &str, to: &str| refusal(&good.replacen(from, to, 1));
    assert!(
        change("objective=multiclass", "objective=lambdarank").contains("objective `lambdarank`: expected")
    );
    assert!(change("is_linear=0", "is_linear=1").contains("linear tree"));
    assert!(change("num_leaves=7", "num_leaves=8").contains("leaf_value: expected 8 numbers"));
    // A circle would be walked for ever.
    let circle = change("left_child=2", "left_child=0");
    assert!(circle.contains("left_child: expected each node and leaf once"), "{circle}");
    assert!(change("split_feature=0", "split_feature=99").contains("features below 5, got `99`"));
    let wrong = Booster::from_lightgbm(good).unwrap().answers(Array2::zeros((1, 3)).view()).unwrap_err();
    assert_eq!(wrong.to_string(), "the model takes 5 features, got 3");
}

#[test]
fn a_model_file_keeps_what_is_known_and_is_a_model_of_lightgbm_all_the_same() {
    let plain = Model::from_text(FIXTURES[0].1, &["x", "y", "z"]).unwrap();
    let mut model = plain.clone();
    model.about.calibration = Calibration::Temperature(1.7);
    model.about.metrics.insert("macro_f1".to_owned(), 0.1 + 0.2);
    let text = model.to_text();
    assert_eq!(Model::from_text(&text, &[]).unwrap(), model);
    assert_eq!(Booster::from_lightgbm(&text).unwrap(), plain.booster);
    assert!(text.lines().last().unwrap().starts_with("pandas_categorical:"));

    let rows = table(FIXTURES[0].2, 0);
    let (raw, calibrated) =
        (plain.probabilities(rows.view()).unwrap(), model.probabilities(rows.view()).unwrap());
    assert!(raw.iter().zip(&calibrated).any(|(a, b)| (a - b).abs() > 0.01));
    assert!(calibrated.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));

    let refusal = |text: &str, classes: &[&str]| Model::from_text(text, classes).unwrap_err().to_string();
    assert!(refusal(FIXTURES[0].1, &["x"]).contains("expected 3 classes"));
    assert!(refusal(FIXTURES[1].1, &["x"]).contains("expected an objective over classes, got `binary"));
    assert!(refusal(&text.replace("feature_names=a b", "feature_names=b a"), &[]).contains("schema_hash"));
    assert!(refusal(&text.replace("\"classes\":", "\"klasses\":"), &[]).contains("tars_model"));
}
