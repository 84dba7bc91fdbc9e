//! How the files of a scan are read: a small one whole, with a single request, a large one in parts.
//!
//! A rollup has a file of some ten kilobytes for each hour and region. Its footer and its columns apart would be two
//! requests for each, one after the other: twice as long on an object store, and two switches of threads on a disk.

use std::collections::HashMap;
use std::ops::Range;
use std::slice;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ::parquet::arrow::arrow_reader::ArrowReaderOptions;
use ::parquet::arrow::async_reader::AsyncFileReader;
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use bytes::Bytes;
use datafusion::datasource::physical_plan::ParquetFileMetrics;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, CachedParquetMetaData, ParquetFileReaderFactory,
};
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::PartitionedFile;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use tokio::sync::OnceCell;

/// Bytes of a file up to which it is read whole. The engine reads as much from the end of a file anyway, to find its footer.
const WHOLE: u64 = 512 << 10;

/// Makes a reader for each file of a scan.
#[derive(Debug)]
pub(super) struct Readers {
    store: Arc<dyn ObjectStore>,
    cache: Arc<FileMetadataCache>,
    in_parts: CachedParquetFileReaderFactory,
    /// Files that a reader has at the moment. The engine looks at bloom filters with one reader and decodes with another,
    /// which it asks for before it lets the first one go.
    held: Mutex<HashMap<Path, Weak<OnceCell<Bytes>>>>,
}

impl Readers {
    /// Readers of files in `store`, which keep footers in `cache`.
    pub(super) fn new(store: Arc<dyn ObjectStore>, cache: Arc<FileMetadataCache>) -> Readers {
        let in_parts = CachedParquetFileReaderFactory::new(store.clone(), cache.clone());
        Readers { store, cache, in_parts, held: Mutex::default() }
    }

    /// The bytes of a file, which all of its readers share.
    fn hold(&self, location: &Path) -> Arc<OnceCell<Bytes>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = held.get(location).and_then(Weak::upgrade) {
            return bytes;
        }
        held.retain(|_, bytes| bytes.strong_count() > 0);
        let bytes = Arc::default();
        held.insert(location.clone(), Arc::downgrade(&bytes));
        bytes
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        footer: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> datafusion::common::Result<Box<dyn AsyncFileReader + Send>> {
        if file.object_meta.size > WHOLE {
            return self.in_parts.create_reader(partition, file, footer, metrics);
        }
        Ok(Box::new(WholeFile {
            store: self.store.clone(),
            cache: self.cache.clone(),
            metrics: ParquetFileMetrics::new(partition, file.object_meta.location.as_ref(), metrics),
            bytes: self.hold(&file.object_meta.location),
            object: file.object_meta,
        }))
    }
}

/// A file that is held in memory from the first look into it on.
struct WholeFile {
    store: Arc<dyn ObjectStore>,
    cache: Arc<FileMetadataCache>,
    metrics: ParquetFileMetrics,
    object: ObjectMeta,
    bytes: Arc<OnceCell<Bytes>>,
}

impl WholeFile {
    async fn bytes(&self) -> Result<&Bytes> {
        let read = async || {
            // A list of ranges is what a store for local files answers in one step.
            let whole = 0..self.object.size;
            let parts = self.store.get_ranges(&self.object.location, slice::from_ref(&whole)).await;
            let (location, size) = (&self.object.location, self.object.size);
            let mut parts = parts.map_err(|source| {
                let expected = format!("{location}: expected the {size} bytes that the table's log lists");
                ParquetError::General(format!("{expected}, but they cannot be read: {source}"))
            })?;
            Ok(parts.swap_remove(0))
        };
        self.bytes.get_or_try_init(read).await
    }

    /// The footer as another scan has read it, when that is enough.
    fn known(&self, index: PageIndexPolicy) -> Option<Arc<ParquetMetaData>> {
        let entry = self.cache.get(&self.object.location).filter(|entry| entry.is_valid_for(&self.object))?;
        let known = entry.file_metadata.as_any().downcast_ref::<CachedParquetMetaData>()?.parquet_metadata();
        let has_index = known.column_index().is_some() && known.offset_index().is_some();
        (has_index || index == PageIndexPolicy::Skip).then(|| known.clone())
    }

    async fn metadata(&self, index: PageIndexPolicy) -> Result<Arc<ParquetMetaData>> {
        if let Some(known) = self.known(index) {
            return Ok(known);
        }
        let bytes = self.bytes().await?;
        let read = ParquetMetaDataReader::new().with_page_index_policy(index).parse_and_finish(bytes);
        let location = &self.object.location;
        let metadata =
            Arc::new(read.map_err(|e| ParquetError::General(format!("{location}: its footer: {e}")))?);
        let entry = Arc::new(CachedParquetMetaData::new(metadata.clone()));
        self.cache.put(location, CachedFileMetadataEntry::new(self.object.clone(), entry));
        Ok(metadata)
    }

    /// A part of the file: a copy, so that a column that is kept does not keep the file.
    fn part(&self, bytes: &Bytes, range: Range<u64>) -> Result<Bytes> {
        let ends = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let within = ends.filter(|(start, end)| start <= end && *end <= bytes.len());
        let (start, end) = within.ok_or_else(|| {
            let (location, size) = (&self.object.location, bytes.len());
            ParquetError::EOF(format!("{location}: expected bytes {range:?}, got a file of {size} bytes"))
        })?;
        self.metrics.bytes_scanned.add(end - start);
        Ok(Bytes::copy_from_slice(&bytes[start..end]))
    }
}

impl AsyncFileReader for WholeFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async move {
            let bytes = self.bytes().await?;
            self.part(bytes, range)
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move {
            let bytes = self.bytes().await?;
            ranges.into_iter().map(|range| self.part(bytes, range)).collect()
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        let index = options.map_or(PageIndexPolicy::Skip, ArrowReaderOptions::column_index_policy);
        async move { self.metadata(index).await }.boxed()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        self.metrics.scan_efficiency_ratio.add_part(self.metrics.bytes_scanned.value());
        self.metrics.scan_efficiency_ratio.set_total(self.object.size as usize);
    }
}
