//! Small results of commands as rows, in the formats of the shell.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::prelude::{DataFrame, SessionContext};

use super::output::write_whole;
use crate::engine;
use crate::error::Error;
use crate::shell::{self, Format};

/// Columns under their names, in order.
pub(super) type Columns = Vec<(&'static str, ArrayRef)>;

pub(super) fn texts<T: Into<String>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values.into_iter().map(|text| Some::<String>(text.into()))))
}

pub(super) fn optional_texts(values: impl IntoIterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values))
}

pub(super) fn ints(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

pub(super) fn optional_ints(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from_iter(values))
}

/// Instants in UTC microseconds.
pub(super) fn times(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter(values).with_timezone("UTC"))
}

/// Writes a query's rows to stdout, or to a file.
pub(super) async fn write_frame(
    format: Format,
    output: Option<&Path>,
    frame: DataFrame,
) -> Result<(), Error> {
    if let Some(path) = output {
        let mut content = Vec::new();
        format.show(frame, &mut content).await?;
        return write_whole(path, &content);
    }
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let written = format.show(frame, &mut out).await;
    // A closed pipe (`| head`) is not worth a word.
    let _ = out.flush();
    match written {
        Ok(_) | Err(shell::Error::Write { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Writes the rows to stdout.
pub(super) async fn print(format: Format, columns: Columns) -> Result<(), Error> {
    let fail = |e: datafusion::error::DataFusionError| Error::from(engine::Error::from(e));
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))
        .map_err(|e| fail(e.into()))?;
    let frame = SessionContext::new().read_batch(batch).map_err(fail)?;
    write_frame(format, None, frame).await
}
