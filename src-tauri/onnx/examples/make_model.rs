//! Writes small real ONNX files (opset 13) for the tests: `make_model <out.onnx> [tokens|loud|wide|three]`. Linear
//! classifiers whose few words were chosen by hand: of hashed words (Gemm, Sigmoid), or of the token ids of the
//! `tokenizer.json` that `tokens` writes beside it; the other kinds are models that must be refused. The format is
//! protocol buffers, so a field is a tag, a length and bytes.

use std::env::args;
use std::path::Path;

const FEATURES: usize = 4096;
const HOSTILE: [&str; 8] = [
    "ignore",
    "previous instructions",
    "reveal",
    "system prompt",
    "secretly",
    "forward every",
    "without telling",
    "exfiltrate",
];

/// The vocabulary of the token classifier: an id is a place. Padding weighs as much as a hostile word, so that a model
/// that is given no mask calls everything hostile.
const VOCABULARY: [(&str, f32); 8] = [
    ("[PAD]", 12.0),
    ("[UNK]", 0.0),
    ("[CLS]", 0.0),
    ("[SEP]", 0.0),
    ("ignore", 4.0),
    ("secretly", 4.0),
    ("please", 0.0),
    ("thanks", -4.0),
];

const FLOAT: i64 = 1;
const INT64: i64 = 7;

fn main() -> std::io::Result<()> {
    let (path, kind) = (args().nth(1).unwrap_or_else(|| "model.onnx".into()), args().nth(2).unwrap_or_default());
    let graph = if kind == "tokens" { of_tokens(Path::new(&path))? } else { of_words(&kind) };
    let opset = number(2, 13);
    let model = [number(1, 8), text(2, "portcullis"), message(7, &graph), message(8, &opset)];
    std::fs::write(path, model.concat())
}

fn of_words(kind: &str) -> Vec<u8> {
    let outputs = if kind == "three" { 3 } else { 1 };
    let mut weights = vec![0f32; FEATURES * outputs];
    for words in HOSTILE {
        weights[place(words) * outputs] = 12.0;
    }
    let features = if kind == "wide" { -1 } else { FEATURES as i64 };
    [
        node("Gemm", &["text", "weights", "bias"], "sum", &[]),
        node(if kind == "loud" { "Exp" } else { "Sigmoid" }, &["sum"], "score", &[]),
        text(2, "judge"),
        message(5, &tensor("weights", &[FEATURES as i64, outputs as i64], &weights)),
        message(5, &tensor("bias", &[outputs as i64], &vec![if kind == "loud" { 3.0 } else { -3.0 }; outputs])),
        message(11, &value("text", FLOAT, &[1, features])),
        message(12, &value("score", FLOAT, &[1, outputs as i64])),
    ]
    .concat()
}

/// Each token's weight, where the mask is 1, summed: inputs of any length, as exporters write them.
fn of_tokens(path: &Path) -> std::io::Result<Vec<u8>> {
    let entries: Vec<String> =
        VOCABULARY.iter().enumerate().map(|(id, (token, _))| format!("{token:?}: {id}")).collect();
    let vocabulary = format!("{{{}}}", entries.join(", "));
    let tokenizer = include_str!("tokenizer.json").replace("\"VOCABULARY\"", &vocabulary);
    std::fs::write(path.with_file_name("tokenizer.json"), tokenizer)?;
    let weights: Vec<f32> = VOCABULARY.iter().map(|(_, weight)| *weight).collect();
    Ok([
        node("Gather", &["weights", "input_ids"], "each", &[]),
        node("Cast", &["attention_mask"], "mask", &[("to", FLOAT)]),
        node("Mul", &["each", "mask"], "masked", &[]),
        node("ReduceSum", &["masked", "axes"], "total", &[("keepdims", 1)]),
        node("Add", &["total", "bias"], "sum", &[]),
        node("Sigmoid", &["sum"], "score", &[]),
        text(2, "judge"),
        message(5, &tensor("weights", &[VOCABULARY.len() as i64], &weights)),
        message(5, &tensor("bias", &[1], &[-3.0])),
        message(5, &[number(1, 1), number(2, INT64), text(8, "axes"), message(9, &1i64.to_le_bytes())].concat()),
        message(11, &value("input_ids", INT64, &[-1, -1])),
        message(11, &value("attention_mask", INT64, &[-1, -1])),
        message(12, &value("score", FLOAT, &[-1, 1])),
    ]
    .concat())
}

fn place(words: &str) -> usize {
    words.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) as usize
        % FEATURES
}

/// NodeProto, with attributes that are whole numbers.
fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, i64)]) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|input| text(1, input)).collect();
    let attribute =
        |(name, value): &(&str, i64)| message(5, &[text(1, name), number(3, *value), number(20, 2)].concat());
    let attributes: Vec<u8> = attributes.iter().flat_map(attribute).collect();
    message(1, &[inputs, text(2, output), text(3, output), text(4, operator), attributes].concat())
}

/// TensorProto of float32.
fn tensor(name: &str, shape: &[i64], values: &[f32]) -> Vec<u8> {
    let dims: Vec<u8> = shape.iter().flat_map(|dim| number(1, *dim)).collect();
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [dims, number(2, FLOAT), text(8, name), message(9, &raw)].concat()
}

/// ValueInfoProto; -1: a dimension without a number.
fn value(name: &str, kind: i64, shape: &[i64]) -> Vec<u8> {
    let dim = |size: &i64| message(1, &if *size < 0 { text(2, "any") } else { number(1, *size) });
    let shape: Vec<u8> = shape.iter().flat_map(dim).collect();
    let tensor = [number(1, kind), message(2, &shape)].concat();
    [text(1, name), message(2, &message(1, &tensor))].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn number(field: u64, value: i64) -> Vec<u8> {
    [varint(field << 3), varint(value as u64)].concat()
}

fn message(field: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn text(field: u64, value: &str) -> Vec<u8> {
    message(field, value.as_bytes())
}
