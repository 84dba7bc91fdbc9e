//! Section 7: what to do, from what was found.

use crate::report::Error;
use crate::report::content::{Block, Section, Unit};
use crate::report::rows::{Ask, Reader, column};

pub(in crate::report) async fn section(reader: &Reader<'_>) -> Result<Section, Error> {
    let advice = reader
        .table(Ask {
            id: "recommendations",
            title: "Recommendations",
            sql: "select rank, code, text, evidence, runbook from recommendations order by rank, code",
            columns: &[
                column("rank", "Rank", Unit::Count),
                column("code", "Finding", Unit::Text),
                column("text", "What to do", Unit::Text),
                column("evidence", "Why", Unit::Text),
                column("runbook", "Runbook", Unit::Text),
            ],
            top: usize::MAX,
            empty: "Nothing was found that calls for action.",
        })
        .await?;
    Ok(Section { id: "recommendations", title: "Recommendations", blocks: vec![Block::Advice(advice)] })
}
