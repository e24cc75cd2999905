//! Shell text, lexed as a shell would, then judged by what would run: not by which characters stand in it.
//! `npm test && npm run lint` is a command; `example.com; rm -rf ~` in a host name is not a host.

mod acts;
mod inject;
mod lex;
mod program;

use super::Match;
pub use acts::Act;
pub(crate) use inject::find as find_injection;
use std::ops::Range;

/// Everything grave that `text` would do as a script.
pub(crate) fn acts_of(text: &str) -> Vec<(Act, Range<usize>)> {
    acts::judge(&lex::parse(text))
}

/// Those of `found` that are one of `acts`.
pub(crate) fn pick(found: &[(Act, Range<usize>)], acts: &[Act]) -> Vec<Match> {
    let wanted = found.iter().filter(|(act, _)| acts.contains(act));
    wanted.take(4).map(|(_, range)| Match { range: range.clone(), reading: None }).collect()
}
