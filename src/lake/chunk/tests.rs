use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::basic::Compression;
use ::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use proptest::prelude::*;

use super::super::super::parquet::Encoder;
use super::super::super::selection::Selection;
use crate::contract;
use crate::domain::Hour;

// date -u -d @1736946000 => 2025-01-15 13:00:00
const START: i64 = 1_736_946_000_000_000;

/// Log lines whose `message` (plain), `service` (a dictionary) and `trace_id` (with a bloom filter) are one column of text.
fn batch(texts: &[Option<&str>], first: usize, words: bool) -> RecordBatch {
    let plain: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let service = if words { cast(&plain, &kind).unwrap() } else { plain.clone() };
    let times = (first..first + texts.len()).map(|row| START + row as i64);
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"));
    let schema = contract::table("logs").unwrap().file_schema();
    let columns: Vec<ArrayRef> = (schema.fields().iter())
        .map(|field| match field.name().as_str() {
            "timestamp" => times.clone(),
            "message" | "trace_id" => plain.clone(),
            "service" => service.clone(),
            _ => new_null_array(field.data_type(), texts.len()),
        })
        .collect();
    let fields = schema.fields().iter().zip(&columns);
    let fields: Vec<Field> =
        fields.map(|(f, c)| f.as_ref().clone().with_data_type(c.data_type().clone())).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// What a file of those batches, in that order, holds, read by the library.
fn written(batches: &[&RecordBatch]) -> (RecordBatch, Arc<ParquetMetaData>, bytes::Bytes) {
    let rows = batches.iter().enumerate();
    let rows = rows.flat_map(|(at, batch)| (0..batch.num_rows()).map(move |row| (at as u32, row as u32)));
    let selection = Selection::new(batches, rows.collect());
    let encoder = Encoder::new(contract::table("logs").unwrap());
    let file = encoder.encode_rows("eu", Hour::of_micros(START), &selection).unwrap();
    let options = ::parquet::arrow::arrow_reader::ArrowReaderOptions::new();
    let options = options.with_page_index_policy(PageIndexPolicy::Required);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file.bytes.clone(), options).unwrap();
    let metadata = reader.metadata().clone();
    let read: Vec<_> = reader.build().unwrap().map(|batch| batch.unwrap()).collect();
    (concat_batches(&read[0].schema(), &read).unwrap(), metadata, file.bytes)
}

fn texts<'b>(batch: &'b RecordBatch, column: &str) -> Vec<Option<&'b str>> {
    batch.column_by_name(column).unwrap().as_string::<i32>().iter().collect()
}

fn check(all: &[Option<&str>], cuts: &[usize], words: bool) {
    let mut batches = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([all.len()]) {
        if to > from {
            batches.push(batch(&all[from..to], from, words));
            from = to;
        }
    }
    let (read, metadata, _) = written(&batches.iter().collect::<Vec<_>>());
    for column in ["message", "service", "trace_id"] {
        assert!(texts(&read, column) == all, "{column}, {} rows", all.len());
    }
    let expected_nulls = all.iter().filter(|text| text.is_none()).count() as u64;
    let (mut nulls, mut rows) = (0, 0);
    for group in metadata.row_groups() {
        rows += group.num_rows();
        let service = group.columns().iter().find(|c| c.column_path().string() == "service").unwrap();
        let Some(statistics) = service.statistics() else { continue };
        nulls += statistics.null_count_opt().unwrap_or(0);
        let present = || all.iter().flatten().map(|text| text.as_bytes());
        if let (Some(least), Some(greatest)) = (statistics.min_bytes_opt(), statistics.max_bytes_opt()) {
            assert!(present().all(|text| least <= text && text <= greatest));
            if statistics.min_is_exact() {
                assert_eq!(present().min(), Some(least));
            }
            if statistics.max_is_exact() {
                assert_eq!(present().max(), Some(greatest));
            }
        }
    }
    assert_eq!((rows as usize, nulls), (all.len(), expected_nulls));
}

proptest! {
    #[test]
    fn whatever_is_written_reads_back(
        all in prop::collection::vec(prop::option::weighted(0.8, "[ab]{0,3}|é{0,50}|[a-z]{0,90}"), 1..400),
        cuts in prop::collection::vec(0usize..400, 0..4),
        words in any::<bool>(),
    ) {
        let all: Vec<_> = all.iter().map(|text| text.as_deref()).collect();
        let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < all.len()).collect();
        cuts.sort_unstable();
        check(&all, &cuts, words);
    }
}

/// Log lines whose columns of numbers and truth values come from one number a row.
fn numbers(all: &[Option<i64>], first: usize) -> RecordBatch {
    let texts: Vec<_> = all.iter().map(|_| Some("x")).collect();
    let plain = batch(&texts, first, false);
    let odd = |value: i64| match value {
        7 => f64::NAN,
        8 => -0.0,
        9 => f64::INFINITY,
        _ => value as f64 / 3.0,
    };
    let schema = plain.schema();
    let columns = schema.fields().iter().zip(plain.columns()).map(|(field, column)| -> ArrayRef {
        match field.name().as_str() {
            "status_code" => Arc::new(Int32Array::from_iter(all.iter().map(|v| v.map(|v| v as i32)))),
            "bytes_sent" => Arc::new(Int64Array::from(all.to_vec())),
            "duration_ms" => Arc::new(Float64Array::from_iter(all.iter().map(|v| v.map(odd)))),
            "timeout" => Arc::new(BooleanArray::from_iter(all.iter().map(|v| v.map(|v| v % 3 == 0)))),
            _ => column.clone(),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

fn check_numbers(all: &[Option<i64>], cut: usize) {
    let cut = cut.min(all.len() - 1);
    let parts = [numbers(&all[..cut], 0), numbers(&all[cut..], cut)];
    let batches: Vec<_> = parts.iter().filter(|batch| batch.num_rows() > 0).collect();
    let (read, metadata, _) = written(&batches);
    let whole = numbers(all, 0);
    for name in ["status_code", "bytes_sent", "duration_ms", "timeout"] {
        let (got, expected) = (read.column_by_name(name).unwrap(), whole.column_by_name(name).unwrap());
        // Not by value: not a number equals itself here, and the zeros differ.
        let data = |array: &ArrayRef| format!("{array:?}");
        assert_eq!(data(got), data(expected), "{name}");
        let bits = |array: &ArrayRef| {
            array
                .as_primitive_opt::<arrow::datatypes::Float64Type>()
                .map(|a| a.iter().map(|v| v.map(f64::to_bits)).collect::<Vec<_>>())
        };
        assert_eq!(bits(got), bits(expected), "{name}");
    }
    let column = |name: &str| {
        let columns = metadata.row_group(0).columns();
        columns.iter().find(|c| c.column_path().string() == name).unwrap().statistics().cloned()
    };
    let present: Vec<i64> = all.iter().flatten().copied().collect();
    if present.is_empty() {
        return;
    }
    let Some(::parquet::file::statistics::Statistics::Int64(bytes)) = column("bytes_sent") else {
        panic!("statistics of another type")
    };
    assert_eq!(bytes.min_opt(), present.iter().min());
    assert_eq!(bytes.max_opt(), present.iter().max());
    assert_eq!(bytes.null_count_opt(), Some((all.len() - present.len()) as u64));
    let Some(::parquet::file::statistics::Statistics::Int32(status)) = column("status_code") else {
        panic!("statistics of another type")
    };
    assert_eq!(status.min_opt().copied(), present.iter().map(|v| *v as i32).min());
    let Some(::parquet::file::statistics::Statistics::Double(duration)) = column("duration_ms") else {
        panic!("statistics of another type")
    };
    let ordered = numbers(&all.iter().copied().filter(|v| *v != Some(7)).collect::<Vec<_>>(), 0);
    let ordered = ordered.column_by_name("duration_ms").unwrap();
    let ordered = ordered.as_primitive::<arrow::datatypes::Float64Type>();
    assert_eq!(duration.min_opt().copied(), arrow::compute::min(ordered));
    assert_eq!(duration.max_opt().copied(), arrow::compute::max(ordered));
}

proptest! {
    #[test]
    fn numbers_and_truth_values_read_back(
        all in prop::collection::vec(prop::option::weighted(0.8, prop_oneof![0i64..12, any::<i64>()]), 1..300),
        cut in 0usize..300,
    ) {
        check_numbers(&all, cut);
    }
}

#[test]
fn numbers_of_many_pages_read_back() {
    let all: Vec<_> = (0..50_000).map(|i| (i % 11 != 0 && i < 40_000).then_some(i * i % 4_000)).collect();
    check_numbers(&all, 12_345);
    let distinct: Vec<_> = (0..30_000).map(Some).collect();
    check_numbers(&distinct, 1);
}

#[test]
fn a_page_without_an_order_leaves_the_chunk_without_an_index() {
    let index = |all: &[Option<i64>]| {
        let (_, metadata, _) = written(&[&numbers(all, 0)]);
        let columns = metadata.row_group(0).columns();
        let at = columns.iter().position(|c| c.column_path().string() == "duration_ms").unwrap();
        metadata.row_group(0).column(at).column_index_offset().is_some()
    };
    assert!(index(&[Some(7), Some(1)]) && !index(&[Some(7), Some(7)]));
}

#[test]
fn columns_of_many_pages_read_back() {
    let many: Vec<String> = (0..50_000).map(|i| format!("service-{}", i * i % 700)).collect();
    // With rows that lack a value on the second page only, and one page of nothing else.
    let some = |i: usize| !(25_000..26_000).contains(&i) && i < 40_000;
    let all: Vec<_> = many.iter().enumerate().map(|(i, text)| some(i).then_some(text.as_str())).collect();
    check(&all, &[10_000, 30_001], true);
    check(&all, &[10_000, 30_001], false);
    let (_, metadata, _) = written(&[&batch(&all, 0, true)]);
    let column = metadata.row_group(0).columns().iter().position(|c| c.column_path().string() == "service");
    let column = column.unwrap();
    let pages = metadata.offset_index().unwrap()[0][column].page_locations();
    assert_eq!(pages.iter().map(|page| page.first_row_index).collect::<Vec<_>>(), [0, 20_000, 40_000]);
    assert!(metadata.row_group(0).column(column).dictionary_page_offset().is_some());
    assert!(metadata.row_group(0).column(column).bloom_filter_offset().is_none());
}

#[test]
fn only_chunks_that_are_worth_a_decompressor_are_compressed() {
    let codecs = |rows: usize, text: &str| {
        let (_, metadata, _) = written(&[&batch(&vec![Some(text); rows], 0, false)]);
        let columns = metadata.row_group(0).columns().iter();
        let of =
            |name: &str| columns.clone().find(|c| c.column_path().string() == name).unwrap().compression();
        ["timestamp", "service", "message"].map(|name| matches!(of(name), Compression::ZSTD(_)))
    };
    assert_eq!(codecs(100, "a text"), [false, false, false]);
    // A hundred times eight bytes of times, one long word, and a hundred long texts.
    assert_eq!(codecs(100, &"long ".repeat(100)), [false, false, true]);
    assert_eq!(codecs(100, &"very long ".repeat(1000)), [false, true, true]);
    // A dictionary of one word, but many rows.
    assert_eq!(codecs(10_000, "a text"), [true, true, true]);
}

#[test]
fn texts_that_are_long_or_all_differ_have_no_dictionary() {
    let long: Vec<String> = (0..40).map(|i| "x".repeat(100_000 + i)).collect();
    let distinct: Vec<String> = (0..5_000).map(|i| format!("{i:032x}")).collect();
    for texts in [long, distinct] {
        let all: Vec<_> = texts.iter().map(|text| Some(text.as_str())).collect();
        for words in [true, false] {
            check(&all, &[7], words);
            let (_, metadata, _) = written(&[&batch(&all, 0, words)]);
            let group = metadata.row_group(0);
            let service = group.columns().iter().find(|c| c.column_path().string() == "service").unwrap();
            assert!(service.dictionary_page_offset().is_none());
        }
    }
}

#[test]
fn wide_rows_make_smaller_row_groups() {
    let wide = "x".repeat(3 << 20);
    let all: Vec<_> = (0..60).map(|i| Some(&wide[i..])).collect();
    let (read, metadata, _) = written(&[&batch(&all, 0, false)]);
    assert!(texts(&read, "message") == all);
    // Three columns of 3 MiB: 128 MiB are 14 rows.
    assert_eq!(metadata.row_groups().iter().map(|group| group.num_rows()).max(), Some(14));
    assert_eq!(metadata.file_metadata().num_rows(), 60);
}

#[test]
fn a_text_is_found_by_its_bloom_filter() {
    let distinct: Vec<String> = (0..3_000).map(|i| format!("{i:032x}")).collect();
    let all: Vec<_> = distinct.iter().map(|text| Some(text.as_str())).collect();
    let (_, _, bytes) = written(&[&batch(&all, 0, true)]);
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let columns = reader.metadata().row_group(0).columns().to_vec();
    let column = columns.iter().position(|c| c.column_path().string() == "trace_id").unwrap();
    let bloom = reader.get_row_group_column_bloom_filter(0, column).unwrap().unwrap();
    assert!(distinct.iter().all(|text| bloom.check(text.as_str())));
    let wrong = (3_000..13_000).filter(|i| bloom.check(format!("{i:032x}").as_str())).count();
    assert!(wrong < 200, "{wrong} of 10000 at 1 %");
}

#[test]
fn rows_in_another_order_come_from_their_batches() {
    let one = batch(&[Some("a"), None, Some("c")], 0, true);
    let other = batch(&[Some("d"), Some("a")], 3, false);
    let unused = batch(&[Some("z")], 9, true);
    let picked = vec![(0, 0), (0, 2), (2, 0), (2, 1)];
    let selection = Selection::new(&[&one, &unused, &other], picked);
    let encoder = Encoder::new(contract::table("logs").unwrap());
    let file = encoder.encode_rows("eu", Hour::of_micros(START), &selection).unwrap();
    let read = ParquetRecordBatchReaderBuilder::try_new(file.bytes).unwrap().build().unwrap();
    let read = read.map(|batch| batch.unwrap()).next().unwrap();
    let expected = [Some("a"), Some("c"), Some("d"), Some("a")];
    assert_eq!(texts(&read, "service"), expected);
    assert_eq!(texts(&read, "message"), expected);
    let words = |column: &ArrayRef| column.as_any().is::<DictionaryArray<Int32Type>>();
    assert!(!read.columns().iter().any(words), "a reader sees text");
}
