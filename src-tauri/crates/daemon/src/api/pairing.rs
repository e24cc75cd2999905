//! One-use codes that pair a browser: shown in the terminal or carried in the URL's fragment, which never leaves the
//! browser. Ten minutes, and after five wrong tries a pause, so that nobody guesses.

use crate::{Error, secret};
use portcullis_domain::UnixMs;
use std::sync::{Mutex, PoisonError};

const LIFETIME_MS: UnixMs = 10 * 60 * 1000;
const MAX_WRONG: u32 = 5;
const PAUSE_MS: UnixMs = 60 * 1000;
/// The oldest goes first.
const MAX_CODES: usize = 16;

#[derive(Default)]
pub(crate) struct Pairing {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// `(code, valid until)`
    codes: Vec<(String, UnixMs)>,
    wrong: u32,
    paused_until: UnixMs,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Wrong,
    /// Seconds to wait.
    TooManyTries(i64),
}

impl Pairing {
    pub fn new_code(&self, now: UnixMs) -> Result<String, Error> {
        let code = secret::pairing_code()?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.codes.retain(|(_, until)| *until > now);
        if state.codes.len() >= MAX_CODES {
            state.codes.remove(0);
        }
        state.codes.push((code.clone(), now + LIFETIME_MS));
        Ok(code)
    }

    /// Uses a code up. Case, dashes and spaces do not matter: a person may type it.
    pub fn redeem(&self, code: &str, now: UnixMs) -> Result<(), Refusal> {
        let plain = |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect::<String>() };
        let given = plain(code).to_ascii_uppercase();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now < state.paused_until {
            return Err(Refusal::TooManyTries((state.paused_until - now + 999) / 1000));
        }
        state.codes.retain(|(_, until)| *until > now);
        // Every code is compared, so the time says nothing about which one was near.
        let found =
            state.codes.iter().enumerate().fold(None, |found, (at, (known, _))| {
                if secret::same(&plain(known), &given) { Some(at) } else { found }
            });
        match found {
            Some(at) => {
                state.codes.remove(at);
                state.wrong = 0;
                Ok(())
            }
            None => {
                state.wrong += 1;
                if state.wrong >= MAX_WRONG {
                    (state.wrong, state.paused_until) = (0, now + PAUSE_MS);
                }
                Err(Refusal::Wrong)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once_and_for_ten_minutes() {
        let pairing = Pairing::default();
        let code = pairing.new_code(0).unwrap();
        assert!(code.len() >= 9, "{code}");
        assert_eq!(pairing.redeem(&code.to_lowercase().replace('-', " "), 5), Ok(()));
        assert_eq!(pairing.redeem(&code, 5), Err(Refusal::Wrong), "used up");
        let code = pairing.new_code(0).unwrap();
        assert_eq!(pairing.redeem(&code, LIFETIME_MS), Err(Refusal::Wrong), "too late");
    }

    #[test]
    fn guessing_is_stopped_for_a_while_even_for_the_right_code() {
        let pairing = Pairing::default();
        let code = pairing.new_code(0).unwrap();
        for _ in 0..MAX_WRONG {
            assert_eq!(pairing.redeem("AAAAA-AAAAA", 1000), Err(Refusal::Wrong));
        }
        assert_eq!(pairing.redeem(&code, 2000), Err(Refusal::TooManyTries(59)));
        assert_eq!(pairing.redeem(&code, 1000 + PAUSE_MS), Ok(()));
    }
}
