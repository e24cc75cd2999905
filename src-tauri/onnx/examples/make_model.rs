//! Writes a small real ONNX file (opset 13: Gemm, Sigmoid) for the tests: `make_model <out.onnx> [nan|wide|three]`. A linear
//! classifier whose few words were chosen by hand; the other kinds are models that must be refused. The format is
//! protocol buffers, so a field is a tag, a length and bytes.

use std::env::args;

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

fn main() -> std::io::Result<()> {
    let (path, kind) = (args().nth(1).unwrap_or_else(|| "model.onnx".into()), args().nth(2).unwrap_or_default());
    let outputs = if kind == "three" { 3 } else { 1 };
    let mut weights = vec![0f32; FEATURES * outputs];
    for words in HOSTILE {
        weights[place(words) * outputs] = 12.0;
    }
    if kind == "nan" {
        weights.fill(f32::NAN);
    }
    let features = if kind == "wide" { -1 } else { FEATURES as i64 };
    let graph = [
        node("Gemm", &["text", "weights", "bias"], "sum"),
        node("Sigmoid", &["sum"], "score"),
        text(2, "judge"),
        message(5, &tensor("weights", &[FEATURES as i64, outputs as i64], &weights)),
        message(5, &tensor("bias", &[outputs as i64], &vec![-3.0; outputs])),
        message(11, &value("text", &[1, features])),
        message(12, &value("score", &[1, outputs as i64])),
    ];
    let opset = number(2, 13);
    let model = [number(1, 8), text(2, "portcullis"), message(7, &graph.concat()), message(8, &opset)];
    std::fs::write(path, model.concat())
}

fn place(words: &str) -> usize {
    words.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) as usize
        % FEATURES
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|input| text(1, input)).collect();
    message(1, &[inputs, text(2, output), text(3, output), text(4, operator)].concat())
}

/// TensorProto of float32.
fn tensor(name: &str, shape: &[i64], values: &[f32]) -> Vec<u8> {
    let dims: Vec<u8> = shape.iter().flat_map(|dim| number(1, *dim)).collect();
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [dims, number(2, 1), text(8, name), message(9, &raw)].concat()
}

/// ValueInfoProto of float32; -1: a dimension without a number.
fn value(name: &str, shape: &[i64]) -> Vec<u8> {
    let dim = |size: &i64| message(1, &if *size < 0 { text(2, "any") } else { number(1, *size) });
    let shape: Vec<u8> = shape.iter().flat_map(dim).collect();
    let tensor = [number(1, 1), message(2, &shape)].concat();
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
