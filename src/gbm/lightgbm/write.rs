//! A model as text that LightGBM loads.

use std::fmt::{Display, Write};

use crate::gbm::booster::Booster;
use crate::gbm::tree::{Child, Missing, Rule, Tree};

impl Booster {
    /// The model as LightGBM's `Booster(model_str=...)` reads it. Numbers are written so that they read back the same.
    pub fn to_lightgbm(&self) -> String {
        let trees: Vec<String> =
            self.trees.iter().enumerate().map(|(number, tree)| tree_text(number, tree)).collect();
        let mut text = String::from("tree\nversion=v4\n");
        let outputs = self.outputs();
        let mut line = |key: &str, value: &dyn Display| {
            let _ = writeln!(text, "{key}={value}");
        };
        line("num_class", &outputs);
        line("num_tree_per_iteration", &outputs);
        line("label_index", &0);
        line("max_feature_idx", &(self.feature_names.len() - 1));
        line("objective", &self.objective.text());
        if self.average {
            text.push_str("average_output\n");
        }
        let mut line = |key: &str, value: &dyn Display| {
            let _ = writeln!(text, "{key}={value}");
        };
        line("feature_names", &self.feature_names.join(" "));
        line("feature_infos", &self.feature_infos.join(" "));
        line("tree_sizes", &join(trees.iter().map(String::len)));
        text.push('\n');
        text.extend(trees);
        text.push_str("end of trees\n\nfeature_importances:\n");
        let mut importances: Vec<(usize, &String)> = self
            .split_counts()
            .into_iter()
            .zip(&self.feature_names)
            .filter(|(count, _)| *count > 0)
            .collect();
        importances.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        for (count, name) in importances {
            let _ = writeln!(text, "{name}={count}");
        }
        text.push_str("\nparameters:\nend of parameters\n\npandas_categorical:null\n");
        text
    }
}

fn join<T: Display>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

fn tree_text(number: usize, tree: &Tree) -> String {
    let mut text = format!("Tree={number}\n");
    let mut line = |key: &str, value: String| {
        let _ = writeln!(text, "{key}={value}");
    };
    let nodes = || tree.nodes.iter();
    let (mut bounds, mut words) = (vec![0], Vec::<u32>::new());
    let mut thresholds = Vec::new();
    for node in nodes() {
        match &node.rule {
            Rule::Numeric { threshold, .. } => thresholds.push(threshold.to_string()),
            Rule::Categorical { bits } => {
                thresholds.push((bounds.len() - 1).to_string());
                words.extend(bits);
                bounds.push(words.len());
            }
        }
    }
    let decision = |rule: &Rule| match rule {
        Rule::Categorical { .. } => 1,
        Rule::Numeric { missing, default_left, .. } => {
            let kind = match missing {
                Missing::None => 0,
                Missing::Zero => 1,
                Missing::Nan => 2,
            };
            kind << 2 | u8::from(*default_left) << 1
        }
    };
    let child = |child: Child| match child {
        Child::Node(node) => node as i64,
        Child::Leaf(leaf) => !(leaf as i64),
    };
    line("num_leaves", tree.leaves.len().to_string());
    line("num_cat", (bounds.len() - 1).to_string());
    line("split_feature", join(nodes().map(|n| n.feature)));
    line("split_gain", join(nodes().map(|n| n.gain)));
    line("threshold", thresholds.join(" "));
    line("decision_type", join(nodes().map(|n| decision(&n.rule))));
    line("left_child", join(nodes().map(|n| child(n.left))));
    line("right_child", join(nodes().map(|n| child(n.right))));
    line("leaf_value", join(tree.leaves.iter().map(|leaf| leaf.value)));
    line("leaf_weight", join(tree.leaves.iter().map(|leaf| leaf.weight)));
    line("leaf_count", join(tree.leaves.iter().map(|leaf| leaf.count)));
    line("internal_value", join(nodes().map(|n| n.value)));
    line("internal_weight", join(nodes().map(|n| n.weight)));
    line("internal_count", join(nodes().map(|n| n.count)));
    if bounds.len() > 1 {
        line("cat_boundaries", join(bounds.iter()));
        line("cat_threshold", join(words.iter()));
    }
    line("is_linear", "0".to_owned());
    line("shrinkage", tree.shrinkage.to_string());
    text.push_str("\n\n");
    text
}
