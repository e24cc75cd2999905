//! The input contract: what of a text a classifier is given. Whoever trains one has to do exactly this, so it never
//! changes; another contract would be another program.
//!
//! Words are runs of letters and digits of the text in lower case (Unicode). Each word, and each two neighbours joined by
//! one space, counts at the place of its FNV-1a hash (32 bits, UTF-8 bytes) modulo the number of features. Then the counts
//! are divided by their Euclidean length.

pub fn of(text: &str, features: usize) -> Vec<f32> {
    let mut counts = vec![0f32; features];
    let lower = text.to_lowercase();
    let mut before: Option<&str> = None;
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        counts[place(&[word], features)] += 1.0;
        if let Some(before) = before {
            counts[place(&[before, " ", word], features)] += 1.0;
        }
        before = Some(word);
    }
    let length = counts.iter().map(|count| count * count).sum::<f32>().sqrt();
    if length > 0.0 {
        counts.iter_mut().for_each(|count| *count /= length);
    }
    counts
}

fn place(parts: &[&str], features: usize) -> usize {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash as usize % features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_stays_what_it_is() {
        // FNV-1a's published values.
        assert_eq!(place(&[""], usize::MAX), 0x811c_9dc5);
        assert_eq!(place(&["a"], usize::MAX), 0xe40c_292c);
        assert_eq!(place(&["foo", "bar"], usize::MAX), 0xbf9c_f968);
        let counts = of("Foo, bar! FOO", 1 << 20);
        let at = |parts: &[&str]| counts[place(parts, 1 << 20)];
        // foo twice, bar, "foo bar", "bar foo": length of (2, 1, 1, 1).
        let length = 7f32.sqrt();
        assert_eq!(
            (at(&["foo"]), at(&["bar"]), at(&["foo bar"]), at(&["bar foo"])),
            (2.0 / length, 1.0 / length, 1.0 / length, 1.0 / length)
        );
        assert!(of("!?", 16).iter().all(|count| *count == 0.0));
    }
}
