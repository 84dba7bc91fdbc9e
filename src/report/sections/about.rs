//! After the seven sections: what the report was made from, and how to read it.

use crate::report::Error;
use crate::report::build::Scope;
use crate::report::content::{Block, Section, Unit};
use crate::report::format::instant;
use crate::report::rows::{Ask, Reader, column};

use super::TOP;

pub(in crate::report) async fn section(reader: &Reader<'_>, scope: &Scope) -> Result<Section, Error> {
    let mut blocks = vec![Block::List(vec![
        format!(
            "All times are UTC. The window is {} to {}; the baseline is {} to {}, {}.",
            instant(scope.window.from()),
            instant(scope.window.to()),
            instant(scope.baseline.from()),
            instant(scope.baseline.to()),
            scope.baseline_note,
        ),
        "Latencies are quantiles of merged sketches, within 1 % of the exact value. Where there is no data the \
         report says so; it never counts as good or bad."
            .to_owned(),
        "An SLO violation is a stretch of windows past the limit of one SLO in one region and service, an anomaly \
         one that only left the band of its usual values, a regression a stretch of windows with the same verdict. \
         Stretches at most one interval apart are one. Anomalies cost no points."
            .to_owned(),
        "Every table and figure comes from a query that the JSON report holds; tars sql -c runs it again.".to_owned(),
    ])];
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "landed_rows",
                title: "Rows in the window",
                sql: "select source, landed, regions from landed_rows order by position",
                columns: &[
                    column("source", "Table", Unit::Text),
                    column("landed", "Rows", Unit::Count),
                    column("regions", "Regions", Unit::Count),
                ],
                top: usize::MAX,
                empty: "The lake has no tables.",
            })
            .await?,
    ));
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "rejected_input",
                title: "Rejected input, over the whole lake",
                sql: "select target, format, code, records, sources, example from rejected_input \
                      order by records desc, target, format, code",
                columns: &[
                    column("code", "Reason", Unit::Text),
                    column("target", "Meant for", Unit::Text),
                    column("format", "Read as", Unit::Text),
                    column("records", "Records", Unit::Count),
                    column("sources", "Sources", Unit::Count),
                    column("example", "For example", Unit::Text),
                ],
                top: TOP,
                empty: "Every record that was read has landed.",
            })
            .await?,
    ));
    Ok(Section { id: "about", title: "About this report", blocks })
}
