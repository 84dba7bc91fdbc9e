//! The SQL functions: the same judgement, each showing a part of it.

use std::sync::{Arc, LazyLock};

use arrow::array::Array;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use super::columns::{column, data_type};
use super::documents;
use super::judge::{FACTORS, Judge, Question, Window};
use crate::domain::REGRESSION_FEATURES;
use crate::functions::Error;
use crate::functions::argument::{arrays, constant, doubles};

/// What a function shows of a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Everything, as a structure.
    Judgement,
    /// The class, or UNCERTAIN.
    Verdict,
    /// The probability of the surest class.
    Confidence,
    /// The probabilities of all classes.
    Probabilities,
    /// What spoke for and against.
    Factors,
    /// `model` or `rules`.
    JudgedBy,
}

impl Part {
    /// Every function.
    pub const ALL: [Part; 6] = [
        Part::Judgement,
        Part::Verdict,
        Part::Confidence,
        Part::Probabilities,
        Part::Factors,
        Part::JudgedBy,
    ];

    /// The name of the function.
    pub const fn function(self) -> &'static str {
        match self {
            Part::Judgement => "regression_judgement",
            Part::Verdict => "regression_verdict",
            Part::Confidence => "regression_confidence",
            Part::Probabilities => "regression_probabilities",
            Part::Factors => "regression_factors",
            Part::JudgedBy => "regression_judged_by",
        }
    }
}

/// One of the functions, with the judge it asks.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RegressionFunction {
    part: Part,
    signature: Signature,
    judge: Judge,
}

impl RegressionFunction {
    /// The function that shows a part of what `judge` says.
    pub fn new(part: Part, judge: Judge) -> Self {
        let features = vec![DataType::Float64; REGRESSION_FEATURES.len()];
        let with = |more: DataType| {
            let all = features.iter().cloned().chain([more]).collect();
            TypeSignature::OneOf(vec![TypeSignature::Exact(features.clone()), TypeSignature::Exact(all)])
        };
        let types = match part {
            Part::Judgement | Part::Verdict => with(DataType::Float64),
            Part::Factors => with(DataType::Int64),
            _ => TypeSignature::Exact(features.clone()),
        };
        RegressionFunction { part, signature: Signature::new(types, Volatility::Immutable), judge }
    }

    fn question(&self, more: Option<&Arc<dyn Array>>) -> Result<Question> {
        let function = self.part.function();
        let mut question = Question::default();
        match (self.part, more) {
            (Part::Judgement | Part::Verdict, Some(more)) if !more.is_empty() => {
                let least = constant::<Float64Type>(function, "min_confidence", more)?;
                if !(0.0..=1.0).contains(&least) {
                    let (argument, expected) = ("min_confidence", "0 to 1");
                    return Err(
                        Error::Argument { function, argument, expected, got: least.to_string() }.into()
                    );
                }
                question.min_confidence = Some(least);
            }
            (Part::Factors, Some(more)) if !more.is_empty() => {
                let count = constant::<Int64Type>(function, "k", more)?;
                let refuse = Error::Argument {
                    function,
                    argument: "k",
                    expected: "a whole number from 1",
                    got: count.to_string(),
                };
                question.factors = usize::try_from(count).ok().filter(|k| *k > 0).ok_or(refuse)?;
            }
            _ => {}
        }
        if question.factors == 0 && matches!(self.part, Part::Judgement | Part::Factors) {
            question.factors = FACTORS;
        }
        Ok(question)
    }
}

impl ScalarUDFImpl for RegressionFunction {
    fn name(&self) -> &str {
        self.part.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(data_type(self.part))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let (features, more) = arguments.split_at(REGRESSION_FEATURES.len());
        let question = self.question(more.first())?;
        let features = features.iter().map(doubles).collect::<Result<Vec<_>>>()?;
        let window = |row: usize| -> Window {
            std::array::from_fn(|at| features[at].is_valid(row).then(|| features[at].value(row)))
        };
        let windows: Vec<Window> = (0..args.number_rows).map(window).collect();
        let judged = self.judge.judge(&windows, question)?;
        Ok(ColumnarValue::Array(column(self.part, &judged, self.judge.name())?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Vec<Documentation>> =
            LazyLock::new(|| Part::ALL.iter().map(|part| documents::documentation(*part)).collect());
        Part::ALL.iter().position(|part| *part == self.part).map(|at| &DOCUMENTATION[at])
    }
}
