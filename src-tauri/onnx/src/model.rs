//! The classifier: read from bytes alone (so that it can name no other file), checked against the contracts, run.

use crate::features;
use crate::tokens::{Part, Tokens, WINDOW};
use anyhow::{Context as _, Result, bail, ensure};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid as _;
use tract_onnx::tract_hir::internal::DimLike as _;

const MAX_MODEL_BYTES: u64 = 1 << 30;
const FEATURES: std::ops::RangeInclusive<usize> = 16..=1 << 20;
const TOKENS: std::ops::RangeInclusive<usize> = 64..=4096;

pub struct Model {
    plan: Arc<TypedRunnableModel>,
    input: Input,
}

/// What of a text the model takes.
enum Input {
    Features(usize),
    Tokens(Tokens),
}

impl Model {
    pub fn read(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).context("it cannot be opened")?;
        let mut bytes = Vec::new();
        file.take(MAX_MODEL_BYTES + 1).read_to_end(&mut bytes).context("it cannot be read")?;
        ensure!(bytes.len() as u64 <= MAX_MODEL_BYTES, "it is larger than {MAX_MODEL_BYTES} bytes");
        let model = tract_onnx::onnx().model_for_read(&mut bytes.as_slice()).context("it is no ONNX model")?;
        drop(bytes);
        let (model, input) = fitted(model, path)?;
        let plan = model.into_optimized().context("it cannot be prepared")?.into_runnable()?;
        let model = Self { plan, input };
        // What it gives out is known only once it ran.
        model.score("").context("a first run failed")?;
        Ok(model)
    }

    /// For whoever reads the first line.
    pub fn takes(&self) -> String {
        match &self.input {
            Input::Features(count) => format!("{count} features"),
            Input::Tokens(tokens) => format!("{} tokens", tokens.window()),
        }
    }

    /// How likely the text is hostile, 0 to 1: that of its worst window.
    pub fn score(&self, text: &str) -> Result<f32> {
        let windows = match &self.input {
            Input::Features(count) => {
                let counts = Tensor::from_shape(&[1, *count], &features::of(text, *count))?;
                vec![tvec!(counts.into())]
            }
            Input::Tokens(tokens) => tokens.of(text)?,
        };
        windows.into_iter().try_fold(0f32, |worst, window| Ok(worst.max(self.run(window)?)))
    }

    fn run(&self, inputs: TVec<TValue>) -> Result<f32> {
        let outputs = self.plan.run(inputs)?;
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

/// The model with the sizes of its inputs settled, and what they take.
fn fitted(model: InferenceModel, path: &Path) -> Result<(InferenceModel, Input)> {
    let names: Vec<&str> = model.input_outlets()?.iter().map(|outlet| model.node(outlet.node).name.as_str()).collect();
    let parts: Option<Vec<Part>> = names.iter().map(|name| Part::named(name)).collect();
    if let Some(parts) = parts.filter(|parts| !parts.is_empty()) {
        return with_tokens(model, path, &parts);
    }
    ensure!(
        names.len() == 1,
        "its inputs are {names:?}; either one is expected, float32 [1, features], or token ids: input_ids, with or \
         without attention_mask and token_type_ids"
    );
    let Some(features) = length(&model, 0)?.filter(|width| FEATURES.contains(width)) else {
        bail!("its input names no number of features from {} to {}", FEATURES.start(), FEATURES.end());
    };
    Ok((model.with_input_fact(0, f32::fact([1, features]).into())?, Input::Features(features)))
}

fn with_tokens(mut model: InferenceModel, path: &Path, parts: &[Part]) -> Result<(InferenceModel, Input)> {
    let window = length(&model, 0)?.unwrap_or(WINDOW);
    ensure!(TOKENS.contains(&window), "it takes {window} tokens; {} to {} are expected", TOKENS.start(), TOKENS.end());
    let mut inputs = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let kind = model.input_fact(at)?.datum_type.concretize().unwrap_or(DatumType::I64);
        ensure!(kind.is_integer(), "its token ids are {kind:?}, not whole numbers");
        model = model.with_input_fact(at, kind.fact([1, window]).into())?;
        inputs.push((*part, kind));
    }
    let tokens = Tokens::new(path, inputs, window)?;
    Ok((model, Input::Tokens(tokens)))
}

/// The second of an input's two dimensions, where the model settles it.
fn length(model: &InferenceModel, input: usize) -> Result<Option<usize>> {
    let shape = &model.input_fact(input)?.shape;
    ensure!(shape.dims().count() == 2, "its input is not of two dimensions, [1, features] or [1, tokens]");
    Ok(shape.dim(1).and_then(|dim| dim.concretize()).and_then(|dim| dim.to_usize().ok()))
}

/// Probabilities already, not logits.
fn is_pair(benign: f32, hostile: f32) -> bool {
    benign >= 0.0 && hostile >= 0.0 && (benign + hostile - 1.0).abs() < 0.01
}
