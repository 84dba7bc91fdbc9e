//! Judgements as Arrow columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, ListArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;

use super::function::Part;
use super::judge::{Factor, Judged};
use crate::domain::Verdict;

fn number(name: &str) -> Field {
    Field::new(name, DataType::Float64, true)
}

fn factor_fields() -> Fields {
    let text = Field::new("feature", DataType::Utf8, true);
    vec![text, number("value"), number("threshold"), number("weight")].into()
}

fn factor_item() -> Arc<Field> {
    Arc::new(Field::new_list_field(DataType::Struct(factor_fields()), true))
}

fn probability_fields() -> Fields {
    Verdict::ALL.iter().map(|verdict| number(verdict.as_str())).collect()
}

fn judgement_fields() -> Fields {
    let parts = [
        ("verdict", Part::Verdict),
        ("confidence", Part::Confidence),
        ("probabilities", Part::Probabilities),
        ("factors", Part::Factors),
        ("judged_by", Part::JudgedBy),
    ];
    parts.map(|(name, part)| Field::new(name, data_type(part), true)).to_vec().into()
}

pub(super) fn data_type(part: Part) -> DataType {
    match part {
        Part::Judgement => DataType::Struct(judgement_fields()),
        Part::Verdict | Part::JudgedBy => DataType::Utf8,
        Part::Confidence => DataType::Float64,
        Part::Probabilities => DataType::Struct(probability_fields()),
        Part::Factors => DataType::List(factor_item()),
    }
}

pub(super) fn column(part: Part, judged: &[Option<Judged>], judge: &'static str) -> Result<ArrayRef> {
    let each = || judged.iter().map(Option::as_ref);
    let nulls: NullBuffer = judged.iter().map(Option::is_some).collect::<Vec<_>>().into();
    Ok(match part {
        Part::Verdict => Arc::new(each().map(|j| j.map(|j| j.verdict)).collect::<StringArray>()),
        Part::Confidence => Arc::new(each().map(|j| j.map(|j| j.confidence)).collect::<Float64Array>()),
        Part::JudgedBy => Arc::new(each().map(|j| j.map(|_| judge)).collect::<StringArray>()),
        Part::Probabilities => {
            let known: Vec<Option<&Vec<f64>>> =
                each().map(|j| j.and_then(|j| j.probabilities.as_ref())).collect();
            let share = |at: usize| -> ArrayRef {
                Arc::new(known.iter().map(|p| p.map(|p| p[at])).collect::<Float64Array>())
            };
            let nulls: NullBuffer = known.iter().map(Option::is_some).collect::<Vec<_>>().into();
            let shares = (0..Verdict::ALL.len()).map(share).collect();
            Arc::new(StructArray::try_new(probability_fields(), shares, Some(nulls))?)
        }
        Part::Factors => {
            let all = || judged.iter().flatten().flat_map(|j| &j.factors);
            let number = |value: fn(&Factor) -> Option<f64>| -> ArrayRef {
                Arc::new(all().map(value).collect::<Float64Array>())
            };
            let items = StructArray::try_new(
                factor_fields(),
                vec![
                    Arc::new(all().map(|f| Some(f.feature)).collect::<StringArray>()),
                    number(|f| f.value),
                    number(|f| f.threshold),
                    number(|f| Some(f.weight)),
                ],
                None,
            )?;
            let lengths = judged.iter().map(|j| j.as_ref().map_or(0, |j| j.factors.len()));
            let offsets = OffsetBuffer::from_lengths(lengths);
            Arc::new(ListArray::try_new(factor_item(), offsets, Arc::new(items), Some(nulls))?)
        }
        Part::Judgement => {
            let parts = [Part::Verdict, Part::Confidence, Part::Probabilities, Part::Factors, Part::JudgedBy];
            let columns = parts.map(|part| column(part, judged, judge)).into_iter().collect::<Result<_>>()?;
            Arc::new(StructArray::try_new(judgement_fields(), columns, Some(nulls))?)
        }
    })
}
