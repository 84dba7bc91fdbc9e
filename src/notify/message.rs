//! What is told.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use sha2::{Digest, Sha256};

use super::Error;
use crate::domain::{Severity, TimeRange};
use crate::pipeline::Run;

/// One thing worth telling, whoever it is told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same for the same finding in the same window, whenever it is told.
    pub key: String,
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// What there is to say about it.
    pub text: String,
    /// What it is about, such as a service.
    pub source: String,
    /// The window in which it was found.
    pub window: TimeRange,
}

impl Message {
    /// A message whose key follows from what it is about and from the window.
    pub fn new(code: &str, severity: Severity, title: String, text: String, window: TimeRange) -> Self {
        let digest = Sha256::digest(format!("{code}\n{window}"));
        let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        // Readable in the receiver's list, and exact by the digest, whatever the code holds.
        let words: String = code
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' })
            .take(80)
            .collect();
        Message {
            key: format!("tars-{words}-{short}"),
            severity,
            title: plain(&title),
            text: plain(&text),
            source: "tars".to_owned(),
            window,
        }
    }

    /// What the model `notifications` has to tell of a run's window, the worst first.
    pub async fn of_run(run: &Run) -> Result<Vec<Message>, Error> {
        let fail = |message: String| Error::Model { message };
        let window = run.params().window().map_err(|e| fail(e.to_string()))?;
        let sql = "select code, severity, title, text, source from notifications order by position";
        let batches = run.rows(sql).await.map_err(|e| fail(e.to_string()))?;
        let mut messages = Vec::new();
        for batch in &batches {
            let columns: Vec<_> = (0..5).map(|i| texts(batch, i)).collect::<Result<_, _>>()?;
            for row in 0..batch.num_rows() {
                let text = |column: usize| columns[column].as_string::<i32>().value(row).to_owned();
                let severity = text(1).parse::<Severity>().map_err(|e| fail(format!("{e}")))?;
                let message = Message::new(&text(0), severity, text(2), text(3), window);
                messages.push(Message { source: plain(&text(4)), ..message });
            }
        }
        Ok(messages)
    }
}

fn texts(batch: &RecordBatch, column: usize) -> Result<std::sync::Arc<dyn Array>, Error> {
    let fail = |message: String| Error::Model { message };
    let column = batch.columns().get(column).ok_or_else(|| fail("a column is missing".into()))?;
    let column = cast(column, &DataType::Utf8).map_err(|e| fail(e.to_string()))?;
    if column.null_count() > 0 {
        return Err(fail("expected a text in every column of `notifications`, got NULL".into()));
    }
    Ok(column)
}

/// Names from telemetry may hold anything; a message holds one line of what can be seen.
fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect()
}
