//! `<home>/judges`: what the person set, sealed, because it says where texts of messages go. A file that something else
//! edited or put back is void: then no judge is on.

use crate::sealed_file::{Content, Keep, SealedFile};
use crate::{Error, home::Home};
use portcullis_domain::api::{JudgeKind, JudgeName, JudgeSettings, KeySource};
use std::collections::BTreeMap;
use std::path::Path;
use url::{Host, Url};

pub(crate) const NAME: &str = "judges";

pub(crate) type All = BTreeMap<JudgeName, JudgeSettings>;

/// The file, the settings, and what is wrong with it, one sentence.
pub(crate) fn open(
    home: &Home,
    key: &[u8],
    known: Option<&str>,
    keep: Keep,
) -> Result<(SealedFile, All, Option<String>), Error> {
    let (file, content) = SealedFile::open(home.judges_file(), NAME, key, known, keep)?;
    let is_sound = |all: &All| all.iter().all(|(name, settings)| check(*name, settings).is_ok());
    let (all, why) = match content {
        Content::Nothing => (All::new(), None),
        Content::Void(why) => (All::new(), Some(why)),
        Content::Body(body) => match serde_json::from_str::<All>(&body).ok().filter(is_sound) {
            Some(all) => (all, None),
            None => (All::new(), Some("cannot be read")),
        },
    };
    let path = file.path().display();
    let problem = why.map(|why| format!("{path} {why}, so every judge is off. Set them again if you want them."));
    Ok((file, all, problem))
}

pub(crate) fn save(file: &SealedFile, all: &All) -> Result<(), Error> {
    file.save(&serde_json::to_string(all).map_err(|_| Error::Seal("the judges' settings could not be written"))?)
}

/// Why these settings cannot be taken.
pub(crate) fn check(name: JudgeName, settings: &JudgeSettings) -> Result<(), String> {
    for (what, value, allowed) in [
        ("timeout_seconds", settings.timeout_seconds, 1..=60),
        ("most_per_day", settings.most_per_day, 1..=100_000),
        ("threshold_percent", settings.threshold_percent, 1..=100),
    ] {
        if !allowed.contains(&value) {
            return Err(format!("{what} must be from {} to {}", allowed.start(), allowed.end()));
        }
    }
    match (name, &settings.kind) {
        (JudgeName::Model, JudgeKind::Model { url, model, key, .. }) => {
            check_url(url)?;
            if model.is_empty() || model.len() > 200 || model.chars().any(char::is_control) {
                return Err("the model needs a name of at most 200 characters".into());
            }
            match key {
                Some(KeySource::Env(name))
                    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') =>
                {
                    Err("the key's environment variable needs a name of letters, digits and _".into())
                }
                Some(KeySource::File(path)) if !Path::new(path).is_absolute() => {
                    Err("the key's file needs its whole path".into())
                }
                _ => Ok(()),
            }
        }
        (JudgeName::Onnx, JudgeKind::Onnx { file }) if Path::new(file).is_absolute() => Ok(()),
        (JudgeName::Onnx, JudgeKind::Onnx { .. }) => Err("the model's file needs its whole path".into()),
        _ => Err("these are settings of another judge".into()),
    }
}

fn check_url(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("the address cannot be read: {error}"))?;
    let is_here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    };
    if !(url.scheme() == "https" && url.has_host() || url.scheme() == "http" && is_here) {
        return Err("the address must be https, or http on this very machine".into());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("the address must hold no user, password, query or fragment; a key has a place of its own".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::api::{JudgeScope, ModelStyle};

    fn model(url: &str) -> JudgeSettings {
        JudgeSettings {
            enabled: true,
            scope: JudgeScope::Grey,
            timeout_seconds: 10,
            most_per_day: 200,
            threshold_percent: 70,
            kind: JudgeKind::Model { style: ModelStyle::Openai, url: url.into(), model: "m".into(), key: None },
        }
    }

    #[test]
    fn texts_go_over_https_or_stay_on_this_machine() {
        for url in ["https://api.example.com/v1", "http://127.0.0.1:11434", "http://[::1]:1", "http://localhost:11434/"]
        {
            assert_eq!(check(JudgeName::Model, &model(url)), Ok(()), "{url}");
        }
        for url in [
            "http://api.example.com/v1",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example",
            "ftp://127.0.0.1",
            "https://user:key@api.example.com",
            "https://api.example.com/?key=x",
            "file:///etc/passwd",
            "x",
        ] {
            assert!(check(JudgeName::Model, &model(url)).is_err(), "{url}");
        }
        assert!(check(JudgeName::Onnx, &model("https://x.example")).is_err());
        let key = |key| JudgeSettings {
            kind: JudgeKind::Model {
                style: ModelStyle::Ollama,
                url: "https://x.example".into(),
                model: "m".into(),
                key: Some(key),
            },
            ..model("")
        };
        assert!(check(JudgeName::Model, &key(KeySource::Env("A B".into()))).is_err());
        assert!(check(JudgeName::Model, &key(KeySource::File("key".into()))).is_err());
        assert!(check(JudgeName::Model, &JudgeSettings { timeout_seconds: 0, ..model("https://x.example") }).is_err());
    }

    #[test]
    fn an_edited_or_an_older_file_switches_every_judge_off() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("s")).unwrap();
        home.create().unwrap();
        let mark = std::sync::Arc::new(std::sync::Mutex::new(None::<String>));
        let opened = || {
            let (kept, known) = (mark.clone(), mark.lock().unwrap().clone());
            open(&home, b"key", known.as_deref(), Box::new(move |mark| *kept.lock().unwrap() = Some(mark))).unwrap()
        };
        let (file, all, problem) = opened();
        assert_eq!((all, problem), (All::new(), None));
        let all = All::from([(JudgeName::Model, model("https://good.example"))]);
        save(&file, &all).unwrap();
        let (file, read, problem) = opened();
        assert_eq!((read, problem), (all, None));
        let text = std::fs::read_to_string(home.judges_file()).unwrap();
        save(&file, &All::new()).unwrap();
        // The first one: where texts went before the person thought better of it.
        for edited in
            [text.clone(), text.replace("good.example", "evil.example"), "\n{}".into(), "{}".into(), String::new()]
        {
            std::fs::write(home.judges_file(), &edited).unwrap();
            let (_, all, problem) = opened();
            assert!(all.is_empty() && problem.unwrap().contains("off"), "{edited}");
        }
    }
}
