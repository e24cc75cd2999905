//! A shim that finds no daemon starts one, as the daemon itself left word: never as its own environment says, never
//! again and again, and its Messages do not wait for it. (Five shims and the real daemon are in tests/e2e.)
#![cfg(target_os = "linux")]

mod support;
use portcullis_policy::Snapshot;
use portcullis_policy::snapshot::Revival;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use support::*;

/// A daemon that is a TEST DOUBLE: a script that notes how it was started and ends.
fn leave_word(home: &Home) {
    let program = home.path().join("bin/portcullis");
    let script = format!(
        "#!/bin/sh\ncd {home}\n{{ echo \"$@\"; env; readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2; ls /proc/$$/fd | tr '\n' ' '; echo; cut -d' ' -f6 /proc/$$/stat; echo $$; }} > how.part\nmv how.part how\necho started >> starts\nexit 1\n",
        home = home.path().display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let environment = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned()), ("HOME".to_owned(), "/right".to_owned())];
    let revival = Some(Revival { program, arguments: vec!["serve".into()], environment });
    fs::write(home.path().join("key"), b"key").unwrap();
    let sealed = Snapshot { revival, ..Snapshot::default() }.seal(b"key").unwrap();
    fs::write(home.path().join("run/snapshot.json"), sealed).unwrap();
}

fn ping(relay: &mut Relay) {
    relay.say(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    assert_eq!(relay.hear_json()["id"], 1);
}

#[test]
fn it_is_started_apart_from_the_app_and_from_its_environment() {
    let home = Home::new();
    leave_word(&home);
    // Something is open that the app did not mean to hand on.
    let mut command = Command::new("sh");
    command
        .args(["-c", "exec 9</dev/zero; exec \"$0\" \"$@\""])
        .arg(home.shim())
        .args(["run", "--id", ID, "--", "cat"]);
    command.env("HOME", "/wrong").env("PORTCULLIS_HOME", "/wrong").env("LD_WRONG", "1");
    let mut relay = Relay::start(command);
    ping(&mut relay);
    let how = until("the start", || fs::read_to_string(home.path().join("how")).ok());
    relay.finish();
    assert!(
        how.starts_with("serve\n") && how.contains("HOME=/right\n") && !how.to_lowercase().contains("wrong"),
        "{how}"
    );
    let lines: Vec<&str> = how.lines().collect();
    let [.., stdin, stdout, stderr, open, session, pid] = lines[..] else { panic!("{how}") };
    // Its output is the script's own file here; what it was given is checked by its input and its errors.
    assert_eq!((stdin, stderr), ("/dev/null", "/dev/null"));
    assert!(stdout.ends_with("how.part"), "{stdout}");
    assert!(!open.split(' ').any(|descriptor| descriptor == "9"), "nothing of the app is open in it: {how}");
    assert_eq!(session, pid, "it leads a session of its own");
}

#[test]
fn one_that_does_not_stay_is_not_started_for_ever() {
    let home = Home::new();
    leave_word(&home);
    let said = until("the end of the attempts", || {
        let mut relay = home.start(&["cat"]);
        ping(&mut relay);
        let (code, said) = relay.finish();
        assert_eq!(code, Some(0));
        said.contains("started several times").then_some(said)
    });
    assert!(said.contains("portcullis doctor"), "{said}");
    assert_eq!(home.read("starts").lines().count(), 3);
}

#[test]
fn without_word_or_with_an_edited_one_nothing_is_started() {
    let home = Home::new();
    leave_word(&home);
    let file = home.path().join("run/snapshot.json");
    let edited = fs::read_to_string(&file).unwrap().replace("\"serve\"", "\"other\"");
    fs::write(&file, edited).unwrap();
    for round in 0..2 {
        let mut relay = home.start(&["cat"]);
        ping(&mut relay);
        relay.finish();
        assert!(!home.path().join("run/starting").exists(), "round {round}");
        let _ = fs::remove_file(&file);
    }
}
