//! The server as a child process: argv, environment, exit status, signals, and that nothing outlives the shim.
#![cfg(unix)]

mod support;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use support::*;

#[test]
fn the_server_is_started_with_exactly_these_arguments() {
    let home = Home::new();
    let argv = ["", " ", "a b", "\"quoted\"", "it's", "$HOME `id` && *", "ünïcödé 🔒", "--", "--id", "\\", "line\nend"];
    let script = "import sys, json, os; print(json.dumps([sys.argv[1:], os.environ.get('SECRET'), os.getcwd()]))";
    let mut command = home.command(&[&["python3", "-c", script][..], &argv].concat());
    command.env("SECRET", "kept");
    let mut relay = Relay::start(command);
    let heard = relay.hear_json();
    let got: Vec<&str> = heard[0].as_array().unwrap().iter().filter_map(|arg| arg.as_str()).collect();
    assert_eq!(got, argv);
    assert_eq!(heard[1], "kept");
    assert_eq!(heard[2].as_str().unwrap().as_bytes(), home.path().canonicalize().unwrap().as_os_str().as_bytes());
    assert_eq!(relay.finish().0, Some(0));
}

#[test]
fn arguments_that_are_no_text_are_kept_too() {
    let home = Home::new();
    let mut command = home.command(&["python3", "-c", "import sys, os; print(os.fsencode(sys.argv[1]).hex())"]);
    command.arg(std::ffi::OsString::from_vec(b"a\xff\xfe".to_vec()));
    let mut relay = Relay::start(command);
    assert_eq!(relay.hear(), "61fffe");
}

#[test]
fn launchers_get_the_command_lines_of_configs_word_for_word() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let tools = home.path().join("tools");
    std::fs::create_dir(&tools).unwrap();
    for launcher in ["npx", "uvx", "docker", "cmd"] {
        let file = tools.join(launcher);
        std::fs::write(&file, "#!/bin/sh\nbasename \"$0\"\nprintf '%s\\n' \"$@\"\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = std::env::join_paths([tools].into_iter().chain(std::env::split_paths(&std::env::var("PATH").unwrap())));
    let path = path.unwrap();
    for argv in [
        &["npx", "-y", "@modelcontextprotocol/server-filesystem@latest", "/home/a b", "--", "-y"][..],
        &["uvx", "--from", "git+https://example.org/x@v1#egg=y", "tool", "--opt=a b"],
        &[
            "docker",
            "run",
            "-i",
            "--rm",
            "-e",
            "TOKEN",
            "-v",
            "/a b:/c:ro",
            "--mount",
            "type=bind,src=$HOME,dst=/h",
            "img",
        ],
        &["cmd", "/c", "npx", "-y", "@scope/server", "C:\\Users\\a b\\", "%APPDATA%", "^&", "/?"],
    ] {
        let mut command = home.command(argv);
        command.env("PATH", &path);
        let said = String::from_utf8(Relay::start(command).hear_all()).unwrap();
        assert_eq!(said.lines().collect::<Vec<_>>(), argv);
    }
}

#[test]
fn the_servers_stderr_passes_byte_for_byte_and_unread() {
    let home = Home::new();
    let script =
        "import sys; sys.stderr.buffer.write(b'\\xff\\xfe POISON \\x1b[31m\\r\\n{\"jsonrpc\": 1}' + b'x' * 300000)";
    let output = home.command(&["python3", "-c", script]).stdin(std::process::Stdio::null()).output().unwrap();
    let sent = [&b"\xff\xfe POISON \x1b[31m\r\n{\"jsonrpc\": 1}"[..], &[b'x'; 300_000]].concat();
    // What we say ourselves are whole lines around it.
    assert!(output.stderr.windows(sent.len()).any(|part| part == sent), "{} bytes", output.stderr.len());
    assert!(output.stdout.is_empty());
}

#[test]
fn exit_codes_and_fatal_signals_are_the_servers() {
    let home = Home::new();
    for code in [0, 1, 7, 255] {
        let mut relay = home.start(&["sh", "-c", &format!("exit {code}")]);
        assert_eq!(relay.wait().code(), Some(code));
    }
    for signal in [libc::SIGTERM, libc::SIGKILL, libc::SIGABRT] {
        let mut relay = home.start(&["sh", "-c", &format!("kill -{signal} $$")]);
        assert_eq!(relay.wait().signal(), Some(signal));
    }
}

#[test]
fn what_the_server_says_last_arrives_and_so_does_its_stderr() {
    let home = Home::new();
    let mut relay = home.start(&[
        "sh",
        "-c",
        "i=0; while [ $i -lt 3000 ]; do echo \"line $i\"; i=$((i+1)); done; echo oops >&2; exit 3",
    ]);
    let said = String::from_utf8(relay.hear_all()).unwrap();
    assert_eq!(said.lines().count(), 3000);
    let (code, stderr) = relay.finish();
    assert_eq!(code, Some(3));
    assert!(stderr.contains("oops"), "{stderr}");
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let home = Home::new();
    let (code, stderr) = home.start(&["/no/such/server"]).finish();
    assert_eq!(code, Some(127));
    assert!(stderr.contains("/no/such/server") && stderr.contains("MCP config"), "{stderr}");
}

#[test]
fn the_end_of_the_clients_stream_ends_a_server_that_listens_to_it() {
    let home = Home::new();
    let mut relay = home.python("sys.stdin.read()\nopen('ended', 'w').write('by itself')\nsys.exit(5)");
    relay.hang_up();
    assert_eq!(relay.wait().code(), Some(5));
    assert_eq!(home.read("ended"), "by itself");
}

#[test]
fn a_server_that_stays_is_asked_to_end_and_then_ended() {
    let home = Home::new();
    let mut polite =
        home.python("signal.signal(signal.SIGTERM, lambda *_: os._exit(9))\nsay('ready')\ntime.sleep(600)");
    let mut deaf = home.python("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('ready')\ntime.sleep(600)");
    for relay in [&mut polite, &mut deaf] {
        assert_eq!(relay.hear(), "ready");
        relay.hang_up();
    }
    assert_eq!(polite.wait().code(), Some(9));
    assert_eq!(deaf.wait().signal(), Some(libc::SIGKILL));
}

#[test]
fn signals_reach_the_servers_whole_group() {
    let home = Home::new();
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        let mut relay = home.python(&format!(
            "def end(*_):\n say('ending')\n os._exit(40 + {signal})\nsignal.signal({signal}, end)\nchild = os.fork()\nif child == 0:\n time.sleep(600)\nsay(str(child))\nos.waitpid(child, 0)\ntime.sleep(600)"
        ));
        let grandchild: u32 = relay.hear().parse().unwrap();
        relay.kill(signal);
        assert_eq!(relay.hear(), "ending", "a handler may still talk");
        assert_eq!(relay.wait().code(), Some(40 + signal));
        until("the grandchild's end", || is_gone(grandchild).then_some(()));
    }
}

#[test]
fn a_server_killed_by_a_forwarded_signal_is_reported_as_such() {
    let home = Home::new();
    let mut relay = home.start(&["sh", "-c", "echo ready; exec sleep 600"]);
    assert_eq!(relay.hear(), "ready");
    relay.kill(libc::SIGTERM);
    assert_eq!(relay.wait().signal(), Some(libc::SIGTERM));
}

#[test]
fn nothing_outlives_a_shim_that_is_killed() {
    let home = Home::new();
    let mut relay = home.start(&["sh", "-c", "trap '' TERM HUP INT; sleep 600 & echo $! $$; wait"]);
    let pids: Vec<u32> = relay.hear().split(' ').map(|pid| pid.parse().unwrap()).collect();
    relay.kill(libc::SIGKILL);
    relay.child.wait().unwrap();
    for pid in pids {
        until("the server's end", || is_gone(pid).then_some(()));
    }
}

#[test]
fn what_a_server_leaves_behind_does_not_keep_the_shim() {
    let home = Home::new();
    let mut relay = home.start(&["sh", "-c", "sleep 600 & echo $!; exit 4"]);
    let left: u32 = relay.hear().parse().unwrap();
    assert_eq!(relay.wait().code(), Some(4));
    until("the leftover's end", || is_gone(left).then_some(()));
}

#[test]
fn a_client_that_stops_reading_is_felt_by_the_server() {
    let home = Home::new();
    let mut command = home.command(&["python3", "-c", "import sys, time\ntry:\n while True: print('x', flush=True)\nexcept BrokenPipeError: open('felt', 'w').write('yes')"]);
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    until("the server's end", || child.try_wait().unwrap());
    assert_eq!(home.read("felt"), "yes");
}

#[test]
fn help_version_and_usage() {
    let run =
        |args: &[&str]| std::process::Command::new(env!("CARGO_BIN_EXE_portcullis-shim")).args(args).output().unwrap();
    let help = run(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("run --id <id> -- <command>"));
    assert!(String::from_utf8_lossy(&run(&["--version"]).stdout).starts_with("portcullis-shim 0."));
    let wrong = run(&["run", "--", "cat"]);
    assert_eq!(wrong.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--id is missing"));
}

/// Gone, or dead and waiting for whoever collects orphans.
fn is_gone(pid: u32) -> bool {
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap().stdout;
    let state = String::from_utf8_lossy(&state);
    state.trim().is_empty() || state.starts_with('Z')
}

#[test]
fn the_daemon_hears_how_a_server_failed_and_the_app_reads_all_of_its_stderr() {
    let home = Home::new();
    let daemon = FakeDaemon::start(&home, |_, _| allow());
    // The app does not hang up first.
    let ended = |argv: &[&str]| {
        let mut relay = home.start(argv);
        relay.wait();
        relay.finish()
    };
    let (code, stderr) = ended(&["sh", "-c", "echo oops >&2; printf 'Error: no pg\\n\\n' >&2; exit 3"]);
    assert_eq!((code, stderr.as_str()), (Some(3), "oops\nError: no pg\n\n"));
    assert_eq!(daemon.wait_for_failure(), "server exits with code 3: oops\nError: no pg");

    ended(&["sh", "-c", "kill -SEGV $$"]);
    assert_eq!(daemon.wait_for_failure(), "server is ended by signal 11");

    assert_eq!(ended(&["/nowhere/server"]).0, Some(127));
    let failure = daemon.wait_for_failure();
    assert!(failure.starts_with("its command cannot be started: No such file"), "{failure}");
}

/// Word of a failure comes on a third link, whose greeting is heard before the shim ends.
#[test]
fn a_server_that_was_asked_to_end_did_not_fail() {
    let home = Home::new();
    let daemon = FakeDaemon::start(&home, |_, _| allow());
    let links = || std::mem::take(&mut *daemon.shared.hellos.lock().unwrap()).len();
    let mut relay = home.start(&["sh", "-c", "cat; exit 4"]);
    daemon.wait_for_both_links();
    relay.hang_up();
    relay.wait();
    assert_eq!((relay.finish().0, links()), (Some(4), 2), "the app hung up first");

    let mut relay = home.start(&["sh", "-c", "cat >/dev/null; echo; exec sleep 60"]);
    daemon.wait_for_both_links();
    relay.kill(libc::SIGTERM);
    relay.wait();
    assert_eq!(links(), 2, "a signal to us");

    let mut relay = home.start(&["sh", "-c", "sleep 0.2"]);
    daemon.wait_for_both_links();
    assert_eq!(relay.wait().code(), Some(0));
    assert_eq!(links(), 2, "it was done");
}
