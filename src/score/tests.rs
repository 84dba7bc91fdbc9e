//! Labels, folds, figures and training on made-up windows.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::frame::Block;
use super::*;
use crate::domain::{MICROS_PER_HOUR, REGRESSION_FEATURES, UNKNOWN_REGION, Verdict};
use crate::functions::RuleSet;
use crate::gbm::Model;

const MINUTE: i64 = 60_000_000;

fn window(minute: i64, service: &str, set: &[(&str, f64)]) -> Window {
    let mut features = [None; REGRESSION_FEATURES.len()];
    for (name, value) in set {
        features[REGRESSION_FEATURES.iter().position(|f| f == name).unwrap()] = Some(*value);
    }
    let time = (minute * MINUTE, (minute + 5) * MINUTE);
    Window { time, region: "eu".to_owned(), service: Some(service.to_owned()), features }
}

fn incident(from: i64, to: i64, service: &str, verdict: Verdict) -> Incident {
    let time = (from * MINUTE, to * MINUTE);
    Incident { time, region: "eu".to_owned(), service: Some(service.to_owned()), verdict }
}

#[test]
fn windows_are_labelled_by_the_incident_that_they_lie_in() {
    let incidents = Incidents(vec![incident(10, 22, "api", Verdict::PerformanceRegression)]);
    let mut frame = Frame::default();
    let windows = [0, 5, 10, 15, 20, 25].map(|minute| window(minute, "api", &[])).to_vec();
    frame.add(windows, &incidents).unwrap();
    // The window at 20 lies in it for two minutes of five: neither.
    let verdicts: Vec<(i64, Verdict)> =
        frame.windows.iter().map(|w| w.time.0 / MINUTE).zip(frame.verdicts.clone()).collect();
    let (bad, fine) = (Verdict::PerformanceRegression, Verdict::Benign);
    assert_eq!(verdicts, [(0, fine), (5, fine), (10, bad), (15, bad), (25, fine)]);
    assert_eq!(frame.blocks[2], Block::Incident(0));

    // Another service may suffer from it: nothing is said about it then.
    let mut other = Frame::default();
    other.add(vec![window(10, "db", &[]), window(30, "db", &[])], &incidents).unwrap();
    assert_eq!(other.windows.len(), 1);
    assert_eq!(other.blocks, [Block::Hour(30 * MINUTE / MICROS_PER_HOUR)]);
    let mut elsewhere = window(10, "db", &[]);
    elsewhere.region = "us".to_owned();
    let mut harmless = Incidents(vec![incident(10, 22, "api", Verdict::Benign)]);
    other.add(vec![elsewhere.clone()], &incidents).unwrap();
    other.add(vec![window(10, "db", &[]), window(10, "api", &[])], &harmless).unwrap();
    assert_eq!(
        other.verdicts,
        [Verdict::Benign; 4],
        "neither another region nor what is benign is an incident"
    );
    // One event, though two services were hit.
    harmless.0.push(incident(15, 40, "db", Verdict::EnvironmentRegression));
    harmless.0.push(incident(50, 60, "db", Verdict::EnvironmentRegression));
    assert_eq!(harmless.events(), [0, 0, 2]);
}

/// Incidents of some minutes, of one or all services and regions.
fn any_incident() -> impl Strategy<Value = Incident> {
    let region = prop_oneof![Just("eu"), Just("us"), Just(UNKNOWN_REGION)];
    let service = prop_oneof![Just(Some("api")), Just(Some("db")), Just(None)];
    (0_i64..60, 1_i64..12, region, service, 0..Verdict::ALL.len()).prop_map(
        |(from, long, region, service, verdict)| Incident {
            time: (from * MINUTE, (from + long) * MINUTE),
            region: region.to_owned(),
            service: service.map(str::to_owned),
            verdict: Verdict::ALL[verdict],
        },
    )
}

type Place = (i64, &'static str, &'static str);

fn any_place() -> impl Strategy<Value = Place> {
    (0_i64..70, prop_oneof![Just("eu"), Just("us")], prop_oneof![Just("api"), Just("db")])
}

/// The label that counting minutes gives: which verdicts of its service, and whether any harm to its region, lie over a window.
fn counted((start, region, service): Place, incidents: &Incidents) -> Option<Verdict> {
    let minutes = |wanted: &dyn Fn(&Incident) -> bool| {
        let lies = |at: &i64| {
            let mut over = incidents.0.iter().filter(|i| i.time.0 <= at * MINUTE && at * MINUTE < i.time.1);
            over.any(|i| i.is_in(region) && wanted(i))
        };
        (start..start + 5).filter(lies).count()
    };
    let is_own = |i: &Incident| i.is_about(region, Some(service));
    let own = Verdict::ALL.iter().map(|v| (minutes(&|i| is_own(i) && i.verdict == *v), *v));
    let mut own: Vec<(usize, Verdict)> = own.collect();
    own.sort_by_key(|(minutes, _)| std::cmp::Reverse(*minutes));
    if own[0].0 == 0 && minutes(&|i| i.verdict != Verdict::Benign) == 0 {
        return Some(Verdict::Benign);
    }
    (own[0].0 >= 3 && own[0].0 > own[1].0).then_some(own[0].1)
}

proptest! {
    #[test]
    fn labels_are_those_of_counting_minutes(
        mut incidents in prop::collection::vec(any_incident(), 0..8),
        places in prop::collection::vec(any_place(), 1..20),
    ) {
        incidents.sort();
        let incidents = Incidents(incidents);
        let events = incidents.events();
        for (a, one) in incidents.0.iter().enumerate() {
            for (b, other) in incidents.0.iter().enumerate() {
                let is_near = one.is_in(&other.region) || other.is_in(&one.region);
                let overlap = one.time.0 < other.time.1 && other.time.0 < one.time.1;
                prop_assert!(!(is_near && overlap) || events[a] == events[b]);
            }
        }
        let at = |(start, region, service): &Place| {
            Window { region: region.to_string(), ..window(*start, service, &[]) }
        };
        let mut frame = Frame::default();
        frame.add(places.iter().map(at).collect(), &incidents).unwrap();
        let expected: Vec<(Window, Verdict)> =
            places.iter().filter_map(|place| Some((at(place), counted(*place, &incidents)?))).collect();
        let found: Vec<(Window, Verdict)> =
            frame.windows.iter().cloned().zip(frame.verdicts.iter().copied()).collect();
        prop_assert_eq!(found, expected);
        for ((window, verdict), block) in frame.windows.iter().zip(&frame.verdicts).zip(&frame.blocks) {
            let (from, to) = window.time;
            let mut causes = incidents.0.iter().zip(&events).filter(|(i, _)| {
                let is_about = i.is_about(&window.region, window.service.as_deref());
                is_about && i.verdict == *verdict && i.time.0 < to && from < i.time.1
            });
            match block {
                Block::Incident(event) => prop_assert!(causes.any(|(_, cause)| cause == event)),
                Block::Hour(hour) => prop_assert!(causes.next().is_none() && *hour == from / MICROS_PER_HOUR),
            }
        }
    }
}

#[test]
fn incidents_are_read_and_wrong_ones_refused_by_line() {
    let good = r#"{"region":"eu","service":"api","from":"2025-01-15T10:00:00Z","to":"2025-01-15T11:00:00Z","verdict":"benign"}"#;
    let read = Incidents::parse(&format!("{good}\n\n{good}\n")).unwrap();
    assert_eq!(read.0.len(), 2);
    assert_eq!(read.days().len(), 1);
    let refusal = |from: &str, to: &str| Incidents::parse(&good.replace(from, to)).unwrap_err().to_string();
    assert!(refusal("benign", "fine").starts_with("incidents, line 1: unknown verdict `fine`"));
    assert!(refusal("T11", "T09").contains("expected `to` after `from`"));
    assert!(refusal("2025-01-15T11:00:00Z", "soon").contains("to: expected a time such as"));
    assert!(refusal("\"from\"", "\"start\"").contains("missing field `from`"));
}

/// Three classes that features tell apart, each incident of four windows.
fn learnable(incidents_of_each: i64) -> Frame {
    let mut incidents = Vec::new();
    let mut windows = Vec::new();
    for number in 0..incidents_of_each * 2 {
        let start = number * 120;
        let code = number % 2 == 0;
        let verdict = if code { Verdict::PerformanceRegression } else { Verdict::EnvironmentRegression };
        incidents.push(incident(start, start + 20, "api", verdict));
        for step in 0..20 {
            let jitter = ((number * 7 + step * 3) % 10) as f64 / 100.0;
            let bad = step < 4;
            let cause = if bad && !code { 1.5 + jitter } else { jitter };
            let latency = if bad { 0.8 + jitter } else { jitter };
            let features = [("latency_delta", latency), ("database_latency_delta", cause)];
            windows.push(window(start + step * 5, "api", &features));
        }
    }
    let mut frame = Frame::default();
    frame.add(windows, &Incidents(incidents)).unwrap();
    frame
}

fn options() -> Options {
    Options {
        rounds: 60,
        folds: 5,
        min_confidence: 0.5,
        seed: 1,
        interval_seconds: 300,
        lake_versions: BTreeMap::from([("logs".to_owned(), 3)]),
    }
}

#[test]
fn no_block_is_divided_and_every_fold_has_every_class() {
    let frame = learnable(6);
    let (fold_of, count) = folds(&frame, 5).unwrap();
    assert_eq!(count, 5);
    for (a, block) in frame.blocks.iter().enumerate() {
        for (b, other) in frame.blocks.iter().enumerate() {
            assert!(block != other || fold_of[a] == fold_of[b]);
        }
    }
    for fold in 0..count {
        for verdict in Verdict::ALL {
            assert!((0..fold_of.len()).any(|row| fold_of[row] == fold && frame.verdicts[row] == *verdict));
        }
    }
}

proptest! {
    #[test]
    fn blocks_are_dealt_to_folds_class_by_class_in_the_order_of_time(
        rows in prop::collection::vec((0..Verdict::ALL.len(), 0..2_i64, 0..12_i64), 1..400),
        most in 2..7_usize,
    ) {
        let verdicts: Vec<Verdict> = rows.iter().map(|(verdict, ..)| Verdict::ALL[*verdict]).collect();
        let block = |(_, kind, number): &(usize, i64, i64)| match kind {
            0 => Block::Incident(*number as usize),
            _ => Block::Hour(*number - 6),
        };
        let blocks: Vec<Block> = rows.iter().map(block).collect();
        // By counting: the blocks of each class in their order, and how many windows there are.
        let of = |verdict: &Verdict| {
            let mut found: Vec<Block> =
                blocks.iter().zip(&verdicts).filter(|(_, v)| *v == verdict).map(|(b, _)| *b).collect();
            let windows = found.len();
            found.sort();
            found.dedup();
            (found, windows)
        };
        let classes: Vec<_> = Verdict::ALL.iter().map(of).filter(|(_, windows)| *windows > 0).collect();
        let is_fine = classes.len() > 1 && classes.iter().all(|(blocks, windows)| blocks.len() > 1 && *windows > 4);
        let folds = folds(&Frame { windows: Vec::new(), verdicts: verdicts.clone(), blocks: blocks.clone() }, most);
        prop_assert_eq!(is_fine, folds.is_ok());
        if let Ok((fold_of, count)) = folds {
            let fewest = classes.iter().map(|(blocks, _)| blocks.len()).min().unwrap();
            prop_assert_eq!(count, fewest.min(most));
            for (block, fold) in blocks.iter().zip(&fold_of) {
                // Of a block of several classes the first decides.
                let place = classes.iter().find_map(|(blocks, _)| blocks.iter().position(|b| b == block));
                prop_assert_eq!(place.unwrap() % count, *fold);
            }
        }
    }
}

#[test]
fn labels_that_cannot_train_are_refused_with_a_reason() {
    let refusal =
        |frame: &Frame| train(frame, &RuleSet::default(), &options(), &mut |_| ()).unwrap_err().to_string();
    assert!(refusal(&Frame::default()).contains("no window with telemetry is labelled by them"));
    let mut calm = Frame::default();
    calm.add((0..50).map(|i| window(i * 5, "api", &[])).collect(), &Incidents::default()).unwrap();
    assert!(refusal(&calm).contains("expected windows of at least two classes, got only BENIGN"));
    assert!(
        refusal(&learnable(1)).contains("PERFORMANCE_REGRESSION: expected at least 5 windows in 2 incidents")
    );
}

#[test]
fn training_finds_what_can_be_found_and_the_model_says_how_it_came_about() {
    let mut seen = Vec::new();
    let trained =
        train(&learnable(6), &RuleSet::default(), &options(), &mut |at| seen.push(format!("{at:?}")))
            .unwrap();
    let report = &trained.report;
    assert_eq!(seen.len(), report.folds + 1);
    assert!(seen[0].starts_with(&format!("Fold {{ number: 1, of: {}", report.folds)), "{seen:?}");
    assert_eq!(seen[report.folds], format!("Whole {{ rounds: {} }}", report.best_round));
    assert!(report.model.macro_f1 > 0.99, "{report:?}");
    assert!(report.linfa_tree.macro_f1 > 0.9 && report.surrogate_agreement > 0.95, "{report:?}");
    assert!(report.model.log_loss.unwrap() < 0.1 && report.model.calibration_error.unwrap() < 0.1);
    let leading: Vec<&str> = report.importances[..2].iter().map(|i| i.feature).collect();
    assert!(leading.contains(&"latency_delta") && leading.contains(&"database_latency_delta"));
    assert!(report.surrogate.iter().any(|line| line.contains("latency_delta")));
    let markdown = report.to_markdown();
    assert!(markdown.contains("| rules |") && markdown.contains("ENVIRONMENT_REGRESSION"));
    let about = &trained.model.about;
    assert_eq!(about.class_rows["PERFORMANCE_REGRESSION"], 24);
    assert_eq!(about.lake_versions["logs"], 3);
    assert_eq!(Model::from_text(&trained.model.to_text(), &[]).unwrap(), trained.model);
    let again = train(&learnable(6), &RuleSet::default(), &options(), &mut |_| ()).unwrap();
    assert_eq!(again.model.to_text(), trained.model.to_text());
    assert_eq!(&again.report, report);
}

#[test]
fn two_judges_are_compared_on_the_same_windows_and_whole_incidents_are_drawn() {
    let frame = learnable(6);
    let rules = || Contestant::Rules(RuleSet::default());
    let model = Contestant::Model(Box::new(
        train(&frame, &RuleSet::default(), &options(), &mut |_| ()).unwrap().model,
    ));
    let same = Comparison::of(&rules(), &rules(), &frame).unwrap();
    assert_eq!((same.difference, same.interval, same.only_first, same.only_second), (0.0, (0.0, 0.0), 0, 0));

    // The rules see every regression, but know nothing of its kind where the database is as usual; the model does not err.
    let compared = Comparison::of(&rules(), &model, &frame).unwrap();
    let [by_rules, by_model] = &compared.metrics;
    assert_eq!(by_model.macro_f1, 1.0);
    assert_eq!(compared.difference, 1.0 - by_rules.macro_f1);
    let wrong: usize = by_rules.confusion.iter().flatten().sum::<usize>()
        - (0..3).map(|class| by_rules.confusion[class][class]).sum::<usize>();
    assert_eq!((compared.only_first, compared.only_second), (0, wrong));
    assert!(compared.interval.0 <= compared.difference && compared.difference <= compared.interval.1);
    let turned = Comparison::of(&model, &rules(), &frame).unwrap();
    assert_eq!((turned.only_first, turned.difference), (wrong, -compared.difference));
    assert!(compared.to_markdown(["rules", "model"]).contains("| figure | rules | model | difference |"));
    let empty = Comparison::of(&model, &rules(), &Frame::default()).unwrap_err();
    assert!(empty.to_string().contains("no window with telemetry is labelled by them"));
}

#[test]
fn the_model_that_comes_with_the_program_tells_what_failed() {
    let model = default_model().unwrap();
    assert!(model.to_text().len() < 4_000_000);
    // Nothing moved; and nothing but the database, eight times as slow in the whole region.
    let calm =
        window(0, "api", &[("latency_delta", 0.0), ("error_rate_delta", 0.0), ("throughput_delta", 0.0)]);
    let mut slow = calm.clone();
    for (name, value) in [("latency_delta", 4.0), ("database_latency_delta", 7.0), ("queue_depth_mean", 60.0)]
    {
        slow.features[REGRESSION_FEATURES.iter().position(|f| *f == name).unwrap()] = Some(value);
    }
    let frame = Frame {
        windows: vec![calm, slow],
        verdicts: vec![Verdict::Benign, Verdict::EnvironmentRegression],
        blocks: vec![Block::Hour(0), Block::Incident(0)],
    };
    let judge = Contestant::Model(Box::new(model));
    let compared = Comparison::of(&judge, &judge, &frame).unwrap();
    assert_eq!(compared.metrics[0].macro_f1, 1.0, "{:?}", compared.metrics[0]);
}

#[test]
fn figures_are_those_of_the_confusion() {
    // Worked by hand: class 0 has 2 of 3 found and 2 of 2 verdicts right, class 1 has 1 of 1 and 1 of 2.
    let metrics = Metrics::of_classes(&[0, 0, 0, 1], &[0, 0, 1, 1]);
    let f1: Vec<f64> = metrics.classes.iter().map(|c| c.f1).collect();
    assert_eq!(f1, [0.8, 2.0 / 3.0]);
    assert!((metrics.macro_f1 - (0.8 + 2.0 / 3.0) / 2.0).abs() < 1e-15);
    assert_eq!(metrics.confusion[0], [2, 1, 0]);
    // Always right at 0.75: loss -ln 0.75, off by a quarter.
    let sure = Metrics::of_probabilities(&[0, 1], &[vec![0.75, 0.25, 0.0], vec![0.25, 0.75, 0.0]]);
    assert!((sure.log_loss.unwrap() + 0.75_f64.ln()).abs() < 1e-12);
    assert!((sure.calibration_error.unwrap() - 0.25).abs() < 1e-12);
}
