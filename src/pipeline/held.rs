//! Rows of a model that were computed once and are read many times: in memory while they fit, else in a file.
//!
//! What is held counts against the memory limit of the session like the memory of any operator, and all that a run
//! holds may take [`SHARE`] of it, so that queries over held models have room to work in.

use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, AsArray, GenericByteViewArray, RecordBatch};
use arrow::buffer::Buffer;
use arrow::compute::cast;
use arrow::datatypes::{ByteViewType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use async_trait::async_trait;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::common::{Result, Statistics};
use datafusion::datasource::{MemTable, TableType};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, SpillFile, SpillWriter, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::TryStreamExt;

use super::ranges::Ranges;

/// The part of the memory limit that held rows may take: one in this many.
const SHARE: usize = 2;

/// How much a run holds in memory, over all models.
#[derive(Debug, Default)]
pub(super) struct Budget(AtomicUsize);

/// A model's rows, kept.
pub(super) struct Held {
    pub(super) table: Arc<dyn TableProvider>,
    pub(super) rows: usize,
    /// In memory; 0 for rows in a file.
    pub(super) bytes: usize,
}

/// Memory that is taken until this is dropped.
#[derive(Debug)]
struct Room {
    budget: Arc<Budget>,
    reservation: MemoryReservation,
    limit: usize,
}

impl Room {
    fn new(runtime: &RuntimeEnv, budget: &Arc<Budget>, name: &str) -> Self {
        let limit = match runtime.memory_pool.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes / SHARE,
            MemoryLimit::Infinite | MemoryLimit::Unknown => usize::MAX,
        };
        let reservation = MemoryConsumer::new(format!("model {name}")).register(&runtime.memory_pool);
        Room { budget: Arc::clone(budget), reservation, limit }
    }

    /// Takes more, if there is more.
    fn grow(&self, bytes: usize) -> bool {
        let taken = self.budget.0.fetch_add(bytes, Ordering::Relaxed);
        let fits = taken.saturating_add(bytes) <= self.limit && self.reservation.try_grow(bytes).is_ok();
        if !fits {
            self.budget.0.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    fn give_back(&self) {
        self.budget.0.fetch_sub(self.reservation.free(), Ordering::Relaxed);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Keeps all rows of a stream. They take the types of the schema, which a plan and its batches do not always agree on.
pub(super) async fn keep(
    runtime: &RuntimeEnv,
    budget: &Arc<Budget>,
    name: &str,
    schema: SchemaRef,
    mut stream: SendableRecordBatchStream,
) -> Result<Held> {
    let room = Room::new(runtime, budget, name);
    let mut memory = RecordBatchMemoryCounter::new();
    let (mut rows, mut kept, mut file) = (0, Vec::new(), None);
    let mut ranges = Ranges::of(&schema);
    while let Some(batch) = stream.try_next().await? {
        let batch = conform(&schema, &batch)?;
        rows += batch.num_rows();
        ranges.take_in(&batch);
        match &mut file {
            None if room.grow(memory.count_batch(&batch)) => kept.push(batch),
            None => {
                let spilled = file.insert(Writer::create(runtime, name, &schema)?);
                kept.drain(..).chain([batch]).try_for_each(|batch| spilled.write(&batch))?;
                room.give_back();
            }
            Some(spilled) => spilled.write(&batch)?,
        }
    }
    let (inner, bytes): (Arc<dyn TableProvider>, usize) = match file {
        Some(writer) => (Arc::new(StreamingTable::try_new(schema, vec![Arc::new(writer.finish()?)])?), 0),
        None => (Arc::new(MemTable::try_new(schema, vec![kept])?), room.reservation.size()),
    };
    Ok(Held { table: Arc::new(HeldTable { inner, ranges, _room: room }), rows, bytes })
}

fn conform(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns =
        columns.map(|(c, f)| Ok(compact(cast(c, f.data_type())?))).collect::<Result<_, ArrowError>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Texts as views keep alive all that they were ever cut from, and a file would hold all of it once for each batch: a
/// join of a few megabytes became a file of gigabytes.
fn compact(column: ArrayRef) -> ArrayRef {
    fn is_wasteful<T: ByteViewType>(views: &GenericByteViewArray<T>) -> bool {
        let kept: usize = views.data_buffers().iter().map(Buffer::len).sum();
        kept > 2 * views.total_buffer_bytes_used()
    }
    if let Some(texts) = column.as_string_view_opt().filter(|texts| is_wasteful(texts)) {
        return Arc::new(texts.gc());
    }
    if let Some(bytes) = column.as_binary_view_opt().filter(|bytes| is_wasteful(bytes)) {
        return Arc::new(bytes.gc());
    }
    column
}

/// A table that takes its room for as long as somebody can read it.
#[derive(Debug)]
struct HeldTable {
    inner: Arc<dyn TableProvider>,
    ranges: Ranges,
    _room: Room,
}

#[async_trait]
impl TableProvider for HeldTable {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.inner.scan(state, projection, filters, limit).await?;
        Ok(match projection {
            Some(columns) => self.ranges.of_columns(columns).tell(plan),
            None => self.ranges.tell(plan),
        })
    }

    fn statistics(&self) -> Option<Statistics> {
        self.inner.statistics()
    }
}

/// Writes rows into a file of the session's folder for temporary files.
struct Writer {
    schema: SchemaRef,
    file: Arc<dyn SpillFile>,
    writer: StreamWriter<Box<dyn SpillWriter>>,
}

impl Writer {
    fn create(runtime: &RuntimeEnv, name: &str, schema: &SchemaRef) -> Result<Self> {
        let file = runtime.disk_manager.create_tmp_file(&format!("rows of the model {name}"))?;
        let writer = StreamWriter::try_new(file.open_writer()?, schema)?;
        Ok(Writer { schema: Arc::clone(schema), file, writer })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.writer.write(batch)?)
    }

    fn finish(self) -> Result<Spilled> {
        self.writer.into_inner()?.finish()?;
        Ok(Spilled { schema: self.schema, file: self.file })
    }
}

/// Rows in a file, which is gone when nobody can read them any more.
struct Spilled {
    schema: SchemaRef,
    file: Arc<dyn SpillFile>,
}

impl std::fmt::Debug for Spilled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spilled").field("path", &self.file.path()).finish_non_exhaustive()
    }
}

impl Spilled {
    fn read(&self) -> Result<StreamReader<BufReader<std::fs::File>>> {
        let path = self.file.path().ok_or_else(|| {
            DataFusionError::Internal("temporary files of a session are files of this machine".to_owned())
        })?;
        Ok(StreamReader::try_new_buffered(std::fs::File::open(path)?, None)?)
    }
}

impl PartitionStream for Spilled {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send> = match self.read() {
            Ok(reader) => Box::new(reader.map(|batch| Ok(batch?))),
            Err(error) => Box::new(std::iter::once(Err(error))),
        };
        let stream = futures::stream::iter(batches);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, StringViewArray};
    use arrow::datatypes::Int64Type;
    use datafusion::execution::memory_pool::FairSpillPool;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::prelude::{SessionConfig, SessionContext};

    #[test]
    fn a_few_rows_of_many_keep_their_own_text_only() {
        let many =
            StringViewArray::from_iter_values((0..1000).map(|i| format!("a text that is not short {i}")));
        let few: ArrayRef = Arc::new(many.slice(500, 2));
        let kept = compact(Arc::clone(&few));
        assert_eq!(&kept, &few);
        let bytes: usize = kept.as_string_view().data_buffers().iter().map(Buffer::len).sum();
        assert_eq!(bytes, 2 * "a text that is not short 500".len());
        let whole: ArrayRef = Arc::new(many);
        assert_eq!(compact(Arc::clone(&whole)).get_buffer_memory_size(), whole.get_buffer_memory_size());
    }

    const ROWS: &str = "select value, 'some text that is not short ' || cast(value as varchar) as text \
                        from generate_series(1, 50000) as numbers (value)";

    fn session(limit: usize) -> SessionContext {
        let pool = Arc::new(FairSpillPool::new(limit));
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().unwrap();
        SessionContext::new_with_config_rt(SessionConfig::new(), runtime)
    }

    async fn held(context: &SessionContext, budget: &Arc<Budget>) -> Held {
        let frame = context.sql(ROWS).await.unwrap();
        let schema = Arc::clone(frame.schema().inner());
        let stream = frame.execute_stream().await.unwrap();
        keep(&context.runtime_env(), budget, "m", schema, stream).await.unwrap()
    }

    async fn sum(context: &SessionContext, held: &Held) -> (i64, i64) {
        context.register_table("m", Arc::clone(&held.table)).unwrap();
        let sql = "select sum(value), max(length(text)) from m where value > 1";
        let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
        context.deregister_table("m").unwrap();
        let sum = batches[0].column(0).as_primitive::<Int64Type>().value(0);
        let longest = cast(batches[0].column(1), &arrow::datatypes::DataType::Int64).unwrap();
        (sum, longest.as_primitive::<Int64Type>().value(0))
    }

    #[tokio::test]
    async fn held_rows_count_against_the_memory_limit_and_go_to_a_file_when_they_do_not_fit() {
        // 50,000 * 50,001 / 2 - 1; 28 letters and 5 digits.
        const EXPECTED: (i64, i64) = (1_250_024_999, 33);
        for (limit, in_memory) in [(64 << 20, true), (2 << 20, false)] {
            let (context, budget) = (session(limit), Arc::<Budget>::default());
            let before = context.runtime_env().memory_pool.reserved();
            let held = held(&context, &budget).await;
            assert_eq!((held.rows, held.bytes > 0), (50_000, in_memory));
            assert_eq!(context.runtime_env().memory_pool.reserved() - before, held.bytes);
            assert_eq!(budget.0.load(Ordering::Relaxed), held.bytes);
            assert_eq!(sum(&context, &held).await, EXPECTED, "limit {limit}");
            assert_eq!(sum(&context, &held).await, EXPECTED, "read twice, limit {limit}");
            drop(held);
            assert_eq!(context.runtime_env().memory_pool.reserved(), before);
            assert_eq!(budget.0.load(Ordering::Relaxed), 0);
        }
    }

    #[tokio::test]
    async fn all_models_together_take_a_part_of_the_limit_at_most() {
        let (context, budget) = (session(16 << 20), Arc::<Budget>::default());
        let mut all = Vec::new();
        for _ in 0..6 {
            all.push(held(&context, &budget).await);
        }
        let in_memory: usize = all.iter().map(|h| h.bytes).sum();
        assert!(in_memory > 0 && in_memory <= (16 << 20) / SHARE, "{in_memory}");
        assert!(all.iter().any(|h| h.bytes == 0));
    }
}
