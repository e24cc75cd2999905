//! Tokens that carry a checksum: one that holds was issued, whatever its letters look like. One that does not hold says
//! nothing: providers change their forms, and old tokens have none.

/// The last characters of a token are the CRC-32 of those before, in base 62.
const CHECK_CHARS: usize = 6;
const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether `body`, which follows `prefix`, ends with its own checksum.
pub(super) fn holds(prefix: &str, body: &[u8]) -> bool {
    let has_one = matches!(prefix, "ghp_" | "gho_" | "ghu_" | "ghs_" | "ghr_" | "npm_");
    let Some((random, check)) = body.split_last_chunk::<CHECK_CHARS>() else { return false };
    has_one && *check == base62(crc32fast::hash(random))
}

fn base62(mut value: u32) -> [u8; CHECK_CHARS] {
    let mut out = [b'0'; CHECK_CHARS];
    for letter in out.iter_mut().rev() {
        *letter = LETTERS[value as usize % LETTERS.len()];
        value /= LETTERS.len() as u32;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::secret::all;

    #[test]
    fn checksums_of_issued_tokens_hold() {
        // The example that explanations of the form use.
        assert!(holds("ghp_", b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"));
        assert!(!holds("ghp_", b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18"));
        assert!(!holds("sk-", b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"));
    }

    #[test]
    fn one_that_holds_needs_no_random_look() {
        let random = "xxxxxxxxxxABCDEFGHijklmnopqrst";
        let check = String::from_utf8(base62(crc32fast::hash(random.as_bytes())).to_vec()).unwrap();
        assert_eq!(all(&format!("token {}{random}{check}", ["npm", "_"].concat()), false).len(), 1);
        assert!(all(&format!("token {}{random}0AAAA0", ["npm", "_"].concat()), false).is_empty());
    }
}
