//! Blocked cross-validation: what belongs together is held out together.

use polars::prelude::{
    DataFrame, IntoLazy, JoinArgs, JoinType, LazyFrame, MaintainOrderJoin, PolarsError, SortMultipleOptions,
    UniqueKeepStrategy, by_name, col, df, len, lit,
};

use super::Error;
use super::frame::{Block, Frame};
use crate::domain::Verdict;

/// The fewest blocks of a class: with one, it is either never learned or never tested.
const MIN_BLOCKS: u32 = 2;

/// The fewest windows of a class.
const MIN_WINDOWS: u32 = 5;

/// What a block is known by.
const BLOCK: [&str; 2] = ["kind", "number"];

/// The fold of each window. Blocks of each class are dealt out in the order of time, so that every fold holds about
/// as many of each; a model is never tested on an incident, or an hour, of which it has seen a part.
pub fn folds(frame: &Frame, most: usize) -> Result<(Vec<usize>, usize), Error> {
    let windows = windows(frame)?.lazy();
    let blocks = blocks(windows.clone());
    let classes = classes(blocks.clone()).collect()?;
    check(&classes)?;
    let fewest = classes.column("blocks")?.u32()?.iter().flatten().min().unwrap_or(MIN_BLOCKS);
    let count = fewest.min(u32::try_from(most).unwrap_or(u32::MAX)).max(MIN_BLOCKS);
    let in_order = |order| JoinArgs { maintain_order: order, ..JoinArgs::new(JoinType::Left) };
    let dealt = blocks
        .join(classes.lazy(), [col("verdict")], [col("verdict")], in_order(MaintainOrderJoin::Left))
        .with_column(((col("place") - col("first")) % lit(count)).alias("fold"))
        // Windows of one block may differ in their verdict: it is dealt with the first.
        .unique_stable(Some(by_name(BLOCK, true, false)), UniqueKeepStrategy::First);
    let on = BLOCK.map(col);
    let found = windows.join(dealt, &on, &on, in_order(MaintainOrderJoin::Left)).collect()?;
    let fold_of = found.column("fold")?.u32()?.iter().flatten().map(|fold| fold as usize).collect();
    Ok((fold_of, count as usize))
}

/// Verdict and block of each window.
fn windows(frame: &Frame) -> Result<DataFrame, PolarsError> {
    let (kinds, numbers): (Vec<u32>, Vec<i64>) = frame
        .blocks
        .iter()
        .map(|block| match block {
            Block::Incident(number) => (0, *number as i64),
            Block::Hour(hour) => (1, *hour),
        })
        .unzip();
    let verdicts: Vec<u32> = frame.verdicts.iter().map(|verdict| *verdict as u32).collect();
    df!("verdict" => verdicts, "kind" => kinds, "number" => numbers)
}

/// The blocks of each class in the order of time, and how many windows each has.
fn blocks(windows: LazyFrame) -> LazyFrame {
    let key = ["verdict", BLOCK[0], BLOCK[1]];
    windows
        .group_by(key.map(col))
        .agg([len().alias("windows")])
        .sort(key, SortMultipleOptions::default())
        .with_row_index("place", None)
}

/// The classes: how many blocks and windows each has, and the place of its first block.
fn classes(blocks: LazyFrame) -> LazyFrame {
    blocks
        .group_by([col("verdict")])
        .agg([len().alias("blocks"), col("windows").sum(), col("place").min().alias("first")])
        .sort(["verdict"], SortMultipleOptions::default())
}

/// Refuses classes that nothing can be learned from, or tested on.
fn check(classes: &DataFrame) -> Result<(), Error> {
    let refuse = |reason: String, hint| Err(Error::Labels { reason, hint });
    let more = "label more incidents (tars ingest --table incidents), or widen --from and --to";
    let column =
        |name| -> Result<Vec<u32>, Error> { Ok(classes.column(name)?.u32()?.iter().flatten().collect()) };
    let name = |verdict: &u32| Verdict::ALL[*verdict as usize];
    let (verdicts, blocks, windows) = (column("verdict")?, column("blocks")?, column("windows")?);
    match verdicts.as_slice() {
        [] => {
            let hint = "check that the incidents name regions and services as the telemetry does, and times that it covers";
            return refuse("no window with telemetry is labelled by them".into(), hint);
        }
        [only] => {
            let only = name(only);
            return refuse(format!("expected windows of at least two classes, got only {only}"), more);
        }
        _ => {}
    }
    for (verdict, (blocks, windows)) in verdicts.iter().zip(blocks.iter().zip(&windows)) {
        if *blocks < MIN_BLOCKS || *windows < MIN_WINDOWS {
            let reason = format!(
                "{}: expected at least {MIN_WINDOWS} windows in {MIN_BLOCKS} incidents (or hours), got {windows} in \
                 {blocks}",
                name(verdict)
            );
            return refuse(reason, more);
        }
    }
    Ok(())
}
