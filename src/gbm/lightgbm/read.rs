//! A model from its text.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::gbm::Error;
use crate::gbm::booster::Booster;
use crate::gbm::objective::Objective;
use crate::gbm::tree::{Child, Leaf, Missing, Node, Rule, Tree};

/// Cells are numbered in 16 bits; the lowest and the highest stand for what is missing.
const MAX_THRESHOLDS: usize = 65_000;

/// `key=value` lines up to an empty line, and where they began.
struct Section<'a> {
    line: usize,
    values: BTreeMap<&'a str, (usize, &'a str)>,
    flags: Vec<&'a str>,
}

impl<'a> Section<'a> {
    fn error(&self, reason: impl Into<String>) -> Error {
        Error::Text { line: self.line, reason: reason.into() }
    }

    fn text(&self, key: &str) -> Result<&'a str, Error> {
        let found = self.values.get(key).map(|(_, value)| *value);
        found.ok_or_else(|| self.error(format!("expected `{key}=` in the section that begins here")))
    }

    fn number<T: std::str::FromStr>(&self, key: &str) -> Result<T, Error> {
        let text = self.text(key)?;
        text.trim().parse().map_err(|_| self.wrong(key, "a number", text))
    }

    fn wrong(&self, key: &str, expected: &str, got: &str) -> Error {
        let line = self.values.get(key).map_or(self.line, |(line, _)| *line);
        let got: String = got.chars().take(60).collect();
        Error::Text { line, reason: format!("{key}: expected {expected}, got `{got}`") }
    }

    /// A list of exactly `count` numbers.
    fn list<T: std::str::FromStr>(&self, key: &str, count: usize) -> Result<Vec<T>, Error> {
        let text = self.text(key)?;
        let parsed: Result<Vec<T>, _> = text.split_whitespace().map(str::parse).collect();
        match parsed {
            Ok(list) if list.len() == count => Ok(list),
            _ => Err(self.wrong(key, &format!("{count} numbers"), text)),
        }
    }

    /// The same, where the key may be missing.
    fn list_or<T: std::str::FromStr + Clone>(
        &self,
        key: &str,
        count: usize,
        default: T,
    ) -> Result<Vec<T>, Error> {
        match self.values.get(key) {
            Some((_, text)) if !text.trim().is_empty() => self.list(key, count),
            _ => Ok(vec![default; count]),
        }
    }
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let mut open: Option<Section<'_>> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() {
            sections.extend(open.take());
            continue;
        }
        let section = open.get_or_insert_with(|| Section {
            line: number + 1,
            values: BTreeMap::new(),
            flags: Vec::new(),
        });
        match line.split_once('=') {
            Some((key, value)) => drop(section.values.insert(key, (number + 1, value))),
            None => section.flags.push(line),
        }
    }
    sections.extend(open);
    sections
}

impl Booster {
    /// Reads a model that LightGBM, or [`Booster::to_lightgbm`], wrote.
    pub fn from_lightgbm(text: &str) -> Result<Booster, Error> {
        let sections = sections(text);
        let header = match sections.first() {
            Some(header) if header.flags.contains(&"tree") => header,
            _ => return Err(Error::Text { line: 1, reason: "expected a first line `tree`".into() }),
        };
        let objective = Objective::parse(header.text("objective")?).map_err(|reason| header.error(reason))?;
        let outputs: usize = header.number("num_tree_per_iteration")?;
        if outputs != objective.outputs() {
            let expected = objective.outputs();
            return Err(header.error(format!("num_tree_per_iteration: expected {expected}, got {outputs}")));
        }
        let width = header.number::<usize>("max_feature_idx")?.saturating_add(1);
        let feature_names: Vec<String> =
            header.text("feature_names")?.split_whitespace().map(str::to_owned).collect();
        if feature_names.len() != width {
            let got = feature_names.len();
            return Err(header.error(format!("feature_names: expected {width} names, got {got}")));
        }
        let feature_infos =
            header.text("feature_infos")?.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let trees = sections[1..]
            .iter()
            .take_while(|section| !section.flags.contains(&"end of trees"))
            .filter(|section| section.values.contains_key("Tree"))
            .map(|section| tree(section, width))
            .collect::<Result<Vec<_>, _>>()?;
        if !sections.iter().any(|section| section.flags.contains(&"end of trees")) {
            let line = text.lines().count();
            return Err(Error::Text { line, reason: "expected `end of trees`; the text is cut".into() });
        }
        if trees.is_empty() || trees.len() % outputs != 0 {
            let got = trees.len();
            return Err(header.error(format!("expected a multiple of {outputs} trees, got {got}")));
        }
        let booster = Booster {
            objective,
            feature_names,
            feature_infos,
            trees,
            average: header.flags.contains(&"average_output"),
            explainer: OnceLock::new(),
            scorer: OnceLock::new(),
        };
        for feature in 0..width {
            let nodes = booster.trees.iter().flat_map(|tree| &tree.nodes).filter(|n| n.feature == feature);
            let (mut numeric, mut categorical) = (Vec::new(), false);
            for node in nodes {
                match &node.rule {
                    Rule::Numeric { threshold, .. } => numeric.push(threshold.to_bits()),
                    Rule::Categorical { .. } => categorical = true,
                }
            }
            numeric.sort_unstable();
            numeric.dedup();
            let name = &booster.feature_names[feature];
            if categorical && !numeric.is_empty() {
                return Err(header.error(format!("feature {name}: expected numbers or categories, got both")));
            }
            if numeric.len() > MAX_THRESHOLDS {
                let got = numeric.len();
                let reason =
                    format!("feature {name}: expected at most {MAX_THRESHOLDS} thresholds, got {got}");
                return Err(header.error(reason));
            }
        }
        Ok(booster)
    }
}

fn tree(section: &Section<'_>, width: usize) -> Result<Tree, Error> {
    let leaf_count: usize = section.number("num_leaves")?;
    if section.values.get("is_linear").is_some_and(|(_, value)| value.trim() == "1") {
        return Err(
            section.error("expected constant leaves, got a linear tree (train with linear_tree=false)")
        );
    }
    if leaf_count == 0 {
        return Err(section.error("num_leaves: expected at least 1, got 0"));
    }
    let values: Vec<f64> = section.list("leaf_value", leaf_count)?;
    let weights = section.list_or("leaf_weight", leaf_count, 0.0)?;
    let counts = section.list_or("leaf_count", leaf_count, 0_u64)?;
    let leaves = values
        .into_iter()
        .zip(weights)
        .zip(counts)
        .map(|((value, weight), count)| Leaf { value, weight, count })
        .collect();
    let shrinkage = section.values.get("shrinkage").and_then(|(_, v)| v.trim().parse().ok()).unwrap_or(1.0);
    Ok(Tree { nodes: nodes(section, leaf_count, width)?, leaves, shrinkage })
}

fn nodes(section: &Section<'_>, leaf_count: usize, width: usize) -> Result<Vec<Node>, Error> {
    let count = leaf_count - 1;
    if count == 0 {
        return Ok(Vec::new());
    }
    let features: Vec<usize> = section.list("split_feature", count)?;
    let gains: Vec<f64> = section.list_or("split_gain", count, 0.0)?;
    let thresholds: Vec<f64> = section.list("threshold", count)?;
    let decisions: Vec<u8> = section.list("decision_type", count)?;
    let left: Vec<i64> = section.list("left_child", count)?;
    let right: Vec<i64> = section.list("right_child", count)?;
    let values = section.list_or("internal_value", count, 0.0)?;
    let weights = section.list_or("internal_weight", count, 0.0)?;
    let counts = section.list_or("internal_count", count, 0_u64)?;
    let categories: usize = section.number("num_cat")?;
    let (bounds, words): (Vec<usize>, Vec<u32>) = match categories {
        0 => (Vec::new(), Vec::new()),
        _ => {
            let bounds: Vec<usize> = section.list("cat_boundaries", categories + 1)?;
            let words = section.list("cat_threshold", bounds.last().copied().unwrap_or_default())?;
            (bounds, words)
        }
    };
    // Each node and leaf but the root has one parent that comes before it: no circle can be walked.
    let mut seen = vec![false; count + leaf_count];
    seen[0] = true;
    let mut child = |key: &str, at: usize, number: i64| {
        let (slot, child) = match number {
            0.. => (number as usize, Child::Node(number as usize)),
            _ => (count + !number as usize, Child::Leaf(!number as usize)),
        };
        let sound = slot < seen.len() && !seen[slot] && (number < 0 || number as usize > at && slot < count);
        if !sound {
            return Err(section.wrong(key, "each node and leaf once, after its parent", &number.to_string()));
        }
        seen[slot] = true;
        Ok(child)
    };
    (0..count)
        .map(|at| {
            if features[at] >= width {
                let got = features[at].to_string();
                return Err(section.wrong("split_feature", &format!("features below {width}"), &got));
            }
            let rule = if decisions[at] & 1 == 1 {
                let set = thresholds[at] as usize;
                let words = (set < categories).then(|| words.get(bounds[set]..bounds[set + 1])).flatten();
                let bits = words.ok_or_else(|| {
                    section.wrong("threshold", "the number of a category set", &thresholds[at].to_string())
                })?;
                Rule::Categorical { bits: bits.to_vec() }
            } else {
                let missing = match decisions[at] >> 2 & 3 {
                    0 => Missing::None,
                    1 => Missing::Zero,
                    2 => Missing::Nan,
                    other => {
                        return Err(section.wrong(
                            "decision_type",
                            "a missing type of 0 to 2",
                            &other.to_string(),
                        ));
                    }
                };
                if thresholds[at].is_nan() {
                    return Err(section.wrong("threshold", "numbers", "nan"));
                }
                Rule::Numeric { threshold: thresholds[at], missing, default_left: decisions[at] & 2 == 2 }
            };
            Ok(Node {
                feature: features[at],
                rule,
                left: child("left_child", at, left[at])?,
                right: child("right_child", at, right[at])?,
                gain: gains[at],
                value: values[at],
                weight: weights[at],
                count: counts[at],
            })
        })
        .collect()
}
