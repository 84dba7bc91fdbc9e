//! The regression model beside LightGBM: one step of `benches/gbm_peers.py`, which exchanges data as files of doubles.
#![allow(clippy::print_stdout)] // The script reads it.

use std::path::Path;
use std::time::Instant;

use linfa::ParamGuard;
use ndarray::{ArrayView2, s};
use tars::gbm::{Booster, Examples, HyperParams, Objective};

fn read(path: &Path) -> Vec<f64> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
}

fn write(path: &Path, values: &[f64]) {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(path, bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

fn seconds<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{name} {}", start.elapsed().as_secs_f64());
    result
}

/// `train DIR WIDTH CLASSES ROUNDS`, `score DIR WIDTH MODEL` or `explain DIR WIDTH MODEL ROWS`, with two threads.
pub fn peer(args: &[String]) {
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global().expect("the pool is made once");
    let folder = Path::new(&args[1]);
    let width: usize = number(&args[2]);
    let test = read(&folder.join("test.x"));
    let test = ArrayView2::from_shape((test.len() / width, width), &test).expect("whole rows");
    if args[0] == "train" {
        let (rows, targets) = (read(&folder.join("train.x")), read(&folder.join("train.y")));
        let rows = ArrayView2::from_shape((targets.len(), width), &rows).expect("whole rows");
        let names: Vec<String> = (0..width).map(|i| format!("Column_{i}")).collect();
        let objective = match number(&args[3]) {
            2 => Objective::Binary { sigmoid: 1.0 },
            classes => Objective::Multiclass { classes },
        };
        let params = HyperParams::default().iterations(number(&args[4])).check().expect("sound parameters");
        let examples = Examples { rows, targets: &targets, weights: &[] };
        let trained =
            seconds("train", || params.train(objective, &names, examples, None)).expect("it trains");
        let answers = trained.booster.answers(test).expect("the width is known");
        std::fs::write(folder.join("tars.txt"), trained.booster.to_lightgbm())
            .expect("the folder is writable");
        return write(&folder.join("trained.out"), answers.as_slice().expect("in row order"));
    }
    let text = std::fs::read_to_string(&args[3]).expect("the model is there");
    let booster = Booster::from_lightgbm(&text).expect("a model");
    // The first call makes the tables.
    booster.answers(test.slice(s![..64, ..])).expect("the width is known");
    let answers = if args[0] == "score" {
        let rows = test.nrows().min(2000);
        let one = |row: usize| booster.answers(test.slice(s![row..=row, ..])).expect("the width is known");
        one(0);
        let start = Instant::now();
        (0..rows).for_each(|row| drop(std::hint::black_box(one(row))));
        println!("single {}", start.elapsed().as_secs_f64() / rows as f64);
        seconds("batch", || booster.answers(test))
    } else {
        let rows = test.slice(s![..number(&args[4]), ..]);
        booster.contributions(rows.slice(s![..1, ..])).expect("the width is known");
        seconds("explain", || booster.contributions(rows))
    };
    write(&folder.join("scored.out"), answers.expect("the width is known").as_slice().expect("in row order"));
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("expected a number, got `{text}`"))
}
