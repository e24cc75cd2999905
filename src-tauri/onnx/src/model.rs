//! The classifier: read from bytes alone (so that it can name no other file), checked against the contract, run.

use crate::features;
use anyhow::{Context as _, Result, bail, ensure};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid as _;
use tract_onnx::tract_hir::internal::DimLike as _;

const MAX_MODEL_BYTES: u64 = 512 << 20;
const FEATURES: std::ops::RangeInclusive<usize> = 16..=1 << 20;

pub struct Model {
    plan: Arc<TypedRunnableModel>,
    features: usize,
}

impl Model {
    pub fn read(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).context("it cannot be opened")?;
        let mut bytes = Vec::new();
        file.take(MAX_MODEL_BYTES + 1).read_to_end(&mut bytes).context("it cannot be read")?;
        ensure!(bytes.len() as u64 <= MAX_MODEL_BYTES, "it is larger than {MAX_MODEL_BYTES} bytes");
        let model = tract_onnx::onnx().model_for_read(&mut bytes.as_slice()).context("it is no ONNX model")?;
        let inputs = model.input_outlets()?.len();
        ensure!(inputs == 1, "it has {inputs} inputs; one is expected, float32 [1, features]");
        let shape = &model.input_fact(0)?.shape;
        ensure!(shape.dims().count() == 2, "its input is not of the shape [1, features]");
        let width = shape.dim(1).and_then(|dim| dim.concretize()).and_then(|dim| dim.to_usize().ok());
        let Some(features) = width.filter(|width| FEATURES.contains(width)) else {
            bail!("its input names no number of features from {} to {}", FEATURES.start(), FEATURES.end());
        };
        let model = model.with_input_fact(0, f32::fact([1, features]).into())?;
        let plan = model.into_optimized().context("it cannot be prepared")?.into_runnable()?;
        let model = Self { plan, features };
        // What it gives out is known only once it ran.
        model.score("").context("a first run failed")?;
        Ok(model)
    }

    pub fn features(&self) -> usize {
        self.features
    }

    /// How likely the text is hostile, 0 to 1.
    pub fn score(&self, text: &str) -> Result<f32> {
        let input = Tensor::from_shape(&[1, self.features], &features::of(text, self.features))?;
        let outputs = self.plan.run(tvec!(input.into()))?;
        let first = outputs.first().context("it gives out nothing")?.cast_to::<f32>()?.into_owned();
        let values: Vec<f32> = first.to_plain_array_view::<f32>()?.iter().copied().collect();
        let score = match values[..] {
            [score] => score,
            [benign, hostile] if is_pair(benign, hostile) => hostile,
            [benign, hostile] => 1.0 / (1.0 + (benign - hostile).exp()),
            _ => bail!("it gives out {} values; one or two are expected", values.len()),
        };
        ensure!((0.0..=1.0).contains(&score), "it gives out {score}, which is no probability");
        Ok(score)
    }
}

/// Probabilities already, not logits.
fn is_pair(benign: f32, hostile: f32) -> bool {
    benign >= 0.0 && hostile >= 0.0 && (benign + hostile - 1.0).abs() < 0.01
}
