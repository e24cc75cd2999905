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
    let mut found = acts::judge(&lex::parse(text));
    if is_fork_bomb(text) {
        found.push((Act::Destroy, 0..text.len()));
    }
    found
}

/// A function that pipes itself into itself: `:(){ :|:& };:`.
fn is_fork_bomb(text: &str) -> bool {
    let Some(at) = text.find("(){").or_else(|| text.find("() {")) else { return false };
    let name = text[..at].rsplit([' ', ';', '\n', '&', '|']).next().unwrap_or("");
    let body = text[at..].split('}').next().unwrap_or("");
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    !name.is_empty() && body.contains(&format!("{name}|{name}&"))
}

/// Those of `found` that are one of `acts`.
pub(crate) fn pick(found: &[(Act, Range<usize>)], acts: &[Act]) -> Vec<Match> {
    let wanted = found.iter().filter(|(act, _)| acts.contains(act));
    wanted.take(4).map(|(_, range)| Match { range: range.clone(), reading: None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_pipe_into_themselves() {
        for text in [":(){ :|:& };:", "f() { f | f & }; f", "echo x; bomb(){ bomb|bomb& };bomb"] {
            assert!(acts_of(text).iter().any(|(act, _)| *act == Act::Destroy), "{text}");
        }
        for text in ["build() { make | tee log; }; build", "f(){ g|f; }", "(){ x|x& }"] {
            assert!(acts_of(text).is_empty(), "{text}");
        }
    }
}
