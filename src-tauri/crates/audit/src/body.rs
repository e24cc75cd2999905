//! Caps every text of a row before it is queued: the second line of defence behind whoever masked and capped it first,
//! and what bounds the memory of the queue.

use portcullis_domain::Exchange;

/// Names and addresses come from servers: long enough for any honest one.
const MAX_NAME_BYTES: usize = 512;
const MAX_TARGET_BYTES: usize = 4096;
const MAX_ERROR_BYTES: usize = 4096;
/// A Message that matches more often than this has been judged long before.
const MAX_FINDINGS: usize = 256;

/// Cuts `text` at a character boundary to at most `max` bytes and says how much is gone.
pub(crate) fn cap(text: &mut String, max: usize) {
    if text.len() <= max {
        return;
    }
    let end = text.floor_char_boundary(max);
    let gone = text.len() - end;
    text.truncate(end);
    text.push_str(&format!("… [{gone} bytes cut]"));
    text.shrink_to_fit();
}

pub(crate) fn cap_exchange(exchange: &mut Exchange, max_body_bytes: usize) {
    cap(&mut exchange.request, max_body_bytes);
    if let Some(response) = &mut exchange.response {
        cap(response, max_body_bytes);
    }
    cap(&mut exchange.upstream_name, MAX_NAME_BYTES);
    cap(&mut exchange.method, MAX_NAME_BYTES);
    if let Some(target) = &mut exchange.target {
        cap(target, MAX_TARGET_BYTES);
    }
    if let Some(error) = &mut exchange.error {
        cap(error, MAX_ERROR_BYTES);
    }
    exchange.findings.truncate(MAX_FINDINGS);
}

/// Roughly what a row weighs in memory.
pub(crate) fn weight(exchange: &Exchange) -> usize {
    1024 + exchange.request.len() + exchange.response.as_ref().map_or(0, String::len) + exchange.findings.len() * 512
}

#[cfg(test)]
mod tests {
    use super::cap;

    #[test]
    fn a_cut_falls_between_characters_and_says_how_much_is_gone() {
        let mut text = "a🔒🔒🔒".to_owned();
        cap(&mut text, 6);
        assert_eq!(text, "a🔒… [8 bytes cut]");
        let mut short = "🔒".to_owned();
        cap(&mut short, 4);
        assert_eq!(short, "🔒");
    }
}
