//! JSON in lines under its usual names: without this, a file queried by its path is JSON only as `.json`.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::GetExt;
use datafusion::datasource::file_format::json::JsonFormatFactory;
use datafusion::datasource::file_format::{FileFormat, FileFormatFactory};
use datafusion::error::Result;
use datafusion::prelude::SessionContext;

/// DataFusion's JSON format, which reads lines, under another extension.
#[derive(Debug)]
struct Lines {
    extension: &'static str,
    json: JsonFormatFactory,
}

impl GetExt for Lines {
    fn get_ext(&self) -> String {
        self.extension.to_owned()
    }
}

impl FileFormatFactory for Lines {
    fn create(&self, state: &dyn Session, options: &HashMap<String, String>) -> Result<Arc<dyn FileFormat>> {
        self.json.create(state, options)
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        FileFormatFactory::default(&self.json)
    }
}

/// Lets files be queried as `x.ndjson` and `x.jsonl`.
pub(super) fn register(context: &SessionContext) -> Result<()> {
    for extension in ["ndjson", "jsonl"] {
        let lines = Lines { extension, json: JsonFormatFactory::new() };
        context.state_ref().write().register_file_format(Arc::new(lines), false)?;
    }
    Ok(())
}
