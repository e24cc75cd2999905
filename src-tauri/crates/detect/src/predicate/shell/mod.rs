//! Shell text, lexed as a shell would, then judged by what would run: not by which characters stand in it.
//! `npm test && npm run lint` is a command; `example.com; rm -rf ~` in a host name is not a host.

mod acts;
mod inject;
mod lex;

use super::Match;
pub use acts::Act;
pub(crate) use inject::find as find_injection;

/// Longer commands are judged by this much of their start and, in the next window, of what follows.
const MAX_BYTES: usize = 64 * 1024;

pub fn find_acts(text: &str, acts: &[Act]) -> Vec<Match> {
    let text = &text[..text.floor_char_boundary(MAX_BYTES)];
    let pipelines = lex::parse(text);
    let mut out = Vec::new();
    for (act, range) in acts::judge(&pipelines) {
        if acts.contains(&act) && out.iter().all(|found: &Match| found.range != range) {
            out.push(Match { range, reading: None });
        }
    }
    out
}
