//! `<home>/decisions`: every Decision with a MAC of its own, and one over the whole. A line whose MAC does not fit is void
//! and reported, the others stay in force; a file that lost lines is reported, too (design: tamper-evident).

use crate::{Error, home, home::Home};
use hmac::{Hmac, KeyInit as _, Mac as _};
use portcullis_domain::DecisionState;
use portcullis_domain::api::DecisionRow;
use sha2::Sha256;

fn mac(text: &str, key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("any key length will do") };
    mac.update(text.as_bytes());
    mac
}

pub(crate) fn seal(text: &str, key: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&mac(text, key).finalize().into_bytes())
}

pub(crate) fn fits(text: &str, seal: &str, key: &[u8]) -> bool {
    let seal = data_encoding::HEXLOWER.decode(seal.as_bytes());
    seal.is_ok_and(|seal| mac(text, key).verify_slice(&seal).is_ok())
}

pub(crate) fn to_text(rows: &[DecisionRow], key: &[u8]) -> Result<String, serde_json::Error> {
    let mut body = String::new();
    for row in rows {
        let json = serde_json::to_string(row)?;
        body.push_str(&format!("{} {json}\n", seal(&json, key)));
    }
    Ok(format!("{}\n{body}", seal(&body, key)))
}

/// The rows, and what is wrong with the file, one sentence.
pub(crate) fn from_text(text: &str, key: &[u8]) -> (Vec<DecisionRow>, Option<String>) {
    let (whole, body) = text.split_once('\n').unwrap_or((text, ""));
    let mut rows = Vec::new();
    let mut tampered = 0;
    for line in body.lines() {
        let (line_seal, json) = line.split_once(' ').unwrap_or(("", line));
        let row: Option<DecisionRow> = serde_json::from_str(json).ok();
        match row {
            Some(row) if fits(json, line_seal, key) => rows.push(row),
            Some(row) => {
                tampered += 1;
                rows.push(DecisionRow { state: DecisionState::Tampered, ended_at: Some(crate::clock::now()), ..row });
            }
            None => tampered += 1,
        }
    }
    let problem = if tampered > 0 {
        Some(format!("{tampered} stored decisions were edited by something else and are void."))
    } else if !fits(body, whole, key) {
        Some("Stored decisions were removed or moved about by something else; those that are left hold.".into())
    } else {
        None
    };
    (rows, problem)
}

pub(crate) fn load(home: &Home, key: &[u8]) -> Result<(Vec<DecisionRow>, Option<String>), Error> {
    let text = home::read_optional(&home.decisions_file())?;
    Ok(text.map_or((Vec::new(), None), |text| from_text(&text, key)))
}

pub(crate) fn save(home: &Home, key: &[u8], rows: &[DecisionRow]) -> Result<(), String> {
    let text = to_text(rows, key).map_err(|error| error.to_string())?;
    home::write_private(&home.decisions_file(), text.as_bytes()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{
        ArgumentScope, Binding, Decision, DecisionId, Direction, Effect, Scope, Severity, SignatureScope,
    };

    fn row(id: &str, effect: Effect) -> DecisionRow {
        let decision = Decision {
            id: DecisionId::new(id),
            at: 1,
            effect,
            scope: Scope {
                app: None,
                upstream: None,
                direction: Direction::ToUpstream,
                method: "tools/call".into(),
                target: None,
                arguments: ArgumentScope::Any,
                destinations: None,
                signatures: SignatureScope::UpTo { severity: Severity::High },
            },
            binding: Binding::default(),
            once: false,
            session: None,
            expires_at: None,
            ask: None,
            app_name: "Cursor".into(),
            upstream_name: "files".into(),
            severity: Severity::High,
        };
        DecisionRow { decision, state: DecisionState::Active, ended_at: None, uses: 3, last_used_at: Some(2) }
    }

    #[test]
    fn an_edited_line_is_void_and_reported_and_the_others_hold() {
        let rows = vec![row("a", Effect::Deny), row("b", Effect::Deny)];
        let text = to_text(&rows, b"key").unwrap();
        assert_eq!(from_text(&text, b"key"), (rows.clone(), None));
        let edited = text.replacen("\"deny\"", "\"allow\"", 1);
        let (read, problem) = from_text(&edited, b"key");
        assert_eq!(read[0].state, DecisionState::Tampered);
        assert_eq!(read[1], rows[1]);
        assert!(problem.unwrap().contains("void"));
        let (read, problem) = from_text(&text, b"another key");
        assert!(read.iter().all(|row| row.state == DecisionState::Tampered) && problem.is_some());
    }

    #[test]
    fn a_line_that_was_taken_out_or_put_back_from_elsewhere_is_reported() {
        let text = to_text(&[row("a", Effect::Deny), row("b", Effect::Allow)], b"key").unwrap();
        let shorter: String =
            text.lines().filter(|line| !line.contains("\"deny\"")).map(|l| format!("{l}\n")).collect();
        let (read, problem) = from_text(&shorter, b"key");
        assert_eq!(read.len(), 1);
        assert!(problem.unwrap().contains("removed"));
    }
}
