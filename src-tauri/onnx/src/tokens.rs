//! The other input contract, of classifiers as they are published: token ids, made by the tokenizer that belongs to the
//! model (`tokenizer.json` in the same folder). A text of more tokens than the model takes at once is judged in windows
//! that overlap, and the worst one counts.

use anyhow::{Context as _, Result, anyhow, bail};
use std::path::Path;
use tokenizers::{
    Encoding, PaddingParams, PaddingStrategy, PostProcessor as _, Tokenizer, TruncationDirection, pad_encodings,
};
use tract_onnx::prelude::*;

/// Where the model names no length of its own. Every published family takes at least this many.
pub const WINDOW: usize = 256;
/// So that an order that lies across a border is whole in one of the two.
const OVERLAP: usize = 32;

/// One input of the model, by the name that exporters give it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    Ids,
    Mask,
    Types,
}

impl Part {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "input_ids" => Some(Self::Ids),
            "attention_mask" => Some(Self::Mask),
            "token_type_ids" => Some(Self::Types),
            _ => None,
        }
    }

    fn of(self, encoding: &Encoding) -> &[u32] {
        match self {
            Self::Ids => encoding.get_ids(),
            Self::Mask => encoding.get_attention_mask(),
            Self::Types => encoding.get_type_ids(),
        }
    }
}

pub struct Tokens {
    tokenizer: Tokenizer,
    /// In the model's order, each with the number type that it takes.
    inputs: Vec<(Part, DatumType)>,
    window: usize,
    /// Of a window, without the special tokens around it.
    content: usize,
    padding: PaddingParams,
}

impl Tokens {
    pub fn new(model: &Path, inputs: Vec<(Part, DatumType)>, window: usize) -> Result<Self> {
        if !inputs.iter().any(|(part, _)| *part == Part::Ids) {
            bail!("it has no input called input_ids");
        }
        let file = model.with_file_name("tokenizer.json");
        let bytes = std::fs::read(&file)
            .with_context(|| format!("it takes token ids, and {} cannot be read", file.display()))?;
        let unusable = |error: tokenizers::Error| anyhow!("{} cannot be used: {error}", file.display());
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(unusable)?;
        tokenizer.with_truncation(None).map_err(unusable)?;
        let special = tokenizer.get_post_processor().map_or(0, |it| it.added_tokens(false));
        let content = window.checked_sub(special).filter(|content| *content > OVERLAP);
        let content =
            content.ok_or_else(|| anyhow!("it takes too few tokens: {window}, with {special} special ones"))?;
        let mut padding = tokenizer.get_padding().cloned().unwrap_or_else(|| {
            let known = ["[PAD]", "<pad>"].into_iter().find_map(|token| Some((token, tokenizer.token_to_id(token)?)));
            known.map_or_else(PaddingParams::default, |(token, pad_id)| PaddingParams {
                pad_id,
                pad_token: token.to_owned(),
                ..PaddingParams::default()
            })
        });
        (padding.strategy, padding.pad_to_multiple_of) = (PaddingStrategy::Fixed(window), None);
        // Windows are padded, not the text before it is cut into them.
        tokenizer.with_padding(None);
        Ok(Self { tokenizer, inputs, window, content, padding })
    }

    pub fn window(&self) -> usize {
        self.window
    }

    /// What the model is given, window by window: at least one, also for an empty text.
    pub fn of(&self, text: &str) -> Result<Vec<TVec<TValue>>> {
        let failed = |error: tokenizers::Error| anyhow!("its tokenizer failed: {error}");
        let mut first = self.tokenizer.encode(text, false).map_err(failed)?;
        first.truncate(self.content, OVERLAP, TruncationDirection::Right);
        let others = first.take_overflowing();
        let windows = std::iter::once(first).chain(others);
        let whole = windows.map(|window| self.tokenizer.post_process(window, None, true));
        let mut whole: Vec<Encoding> = whole.collect::<tokenizers::Result<_>>().map_err(failed)?;
        pad_encodings(&mut whole, &self.padding).map_err(failed)?;
        whole.iter().map(|window| self.inputs.iter().map(|input| self.tensor(*input, window)).collect()).collect()
    }

    fn tensor(&self, (part, kind): (Part, DatumType), window: &Encoding) -> Result<TValue> {
        let values: Vec<i64> = part.of(window).iter().map(|value| i64::from(*value)).collect();
        let tensor = Tensor::from_shape(&[1, self.window], &values)?;
        Ok(tensor.cast_to_dt(kind)?.into_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids and masks of the windows that a text makes, for a model of 64 tokens.
    fn windows(text: &str) -> Vec<[Vec<i64>; 2]> {
        let place = tempfile::tempdir().unwrap();
        let vocabulary = r#"{"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "word": 4, "last": 5}"#;
        let tokenizer = include_str!("../examples/tokenizer.json").replace("\"VOCABULARY\"", vocabulary);
        std::fs::write(place.path().join("tokenizer.json"), tokenizer).unwrap();
        let inputs = vec![(Part::Ids, DatumType::I64), (Part::Mask, DatumType::I32)];
        let windows = Tokens::new(&place.path().join("m.onnx"), inputs, 64).unwrap().of(text).unwrap();
        let values = |tensor: &TValue| {
            let tensor = tensor.cast_to::<i64>().unwrap().into_owned();
            tensor.to_plain_array_view::<i64>().unwrap().iter().copied().collect::<Vec<_>>()
        };
        windows.iter().map(|inputs| [values(&inputs[0]), values(&inputs[1])]).collect()
    }

    #[test]
    fn a_short_text_is_one_window_padded_and_masked() {
        let mut ids = vec![2, 4, 1, 4, 3];
        let mut mask = vec![1; 5];
        ids.resize(64, 0);
        mask.resize(64, 0);
        assert_eq!(windows("Word, word"), [[ids, mask]]);
    }

    #[test]
    fn windows_overlap_and_none_of_a_text_is_left_out() {
        // 62 places for the text in each, 32 of them shared with the one before.
        for (words, count) in [(61, 1), (62, 2), (91, 2), (92, 3)] {
            let all = windows(&("word ".repeat(words) + "last"));
            assert_eq!(all.len(), count, "{words} words and the last");
            assert!(all.iter().all(|[ids, _]| ids[0] == 2 && ids.len() == 64 && ids.contains(&3)));
            let [ids, mask] = &all[count - 1];
            let end = ids.iter().position(|id| *id == 5).unwrap();
            assert_eq!((ids[end + 1], mask[end + 1], mask.get(end + 2).copied().unwrap_or(0)), (3, 1, 0));
        }
    }
}
