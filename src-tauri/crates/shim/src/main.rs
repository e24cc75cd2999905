//! `portcullis-shim`: the stdio relay put into client configs. It starts the real server with the same argv, environment
//! and directory, keeps every Message's bytes until it has a Verdict (the daemon's, or its own while the daemon is away)
//! and then forwards, replaces or answers. Standard threads only; stdout carries nothing of ours but valid Messages.
//!
//! Threads: one reader per Direction (`reader`), one per Direction that receives Verdicts and writes (`verdicts`), one
//! for signals, one for the server's stderr, and the main thread, which waits for the server to exit.

mod ancestry;
mod args;
mod errors;
mod home;
mod lane;
mod lines;
mod link;
mod local;
mod pairing;
mod process;
mod reader;
mod session;
mod sink;
mod spool;
mod starter;
mod verdicts;
mod watchdog;

use args::Command;
use portcullis_domain::Direction;
use session::Session;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// `sysexits.h` EX_USAGE and EX_SOFTWARE.
const EXIT_USAGE: i32 = 64;
const EXIT_INTERNAL: i32 = 70;
/// After the server exited: how long something that inherited its stdout may stay silent before the group is ended.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);
/// After the server exited: for what it wrote to stderr to go on. Longer only if something else holds it open.
const LAST_LINES_GRACE: Duration = Duration::from_millis(100);

fn main() {
    match args::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => show(args::HELP),
        Ok(Command::Version) => show(&format!("portcullis-shim {}\n", env!("CARGO_PKG_VERSION"))),
        Ok(Command::Run(run)) => relay(&run),
        Err(problem) => {
            say(&format!("{problem}. See portcullis-shim --help"));
            std::process::exit(EXIT_USAGE);
        }
    }
}

fn show(text: &str) {
    // A closed stdout is the reader's choice, not a failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// One line on stderr, where ClientApps keep a server's log.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "portcullis-shim: {line}");
}

fn relay(run: &args::Run) -> ! {
    let home = home::Home::of_this_executable().unwrap_or_else(|error| {
        say(&format!(
            "cannot tell where this program lies: {error}. Reinstall Portcullis, or run `portcullis restore`"
        ));
        std::process::exit(EXIT_INTERNAL);
    });
    let (server, pipes) = process::Server::spawn(&run.argv).unwrap_or_else(|error| {
        say(&format!("cannot start {:?}: {error}. Check the command in the app's MCP config", run.argv[0]));
        session::tell_not_started(&home, run, &format!("its command cannot be started: {error}"));
        std::process::exit(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 });
    });
    let server = Arc::new(server);
    let (client_in, client_out) = process::standard_streams();
    let session = Arc::new(Session::new(home, run, client_out, pipes.stdin));
    process::forward_signals(&server);
    let errors = errors::Errors::start(pipes.stderr);

    verdicts::start(&session, Direction::ToUpstream, &server);
    verdicts::start(&session, Direction::ToClient, &server);
    reader::start(&session, Direction::ToUpstream, client_in);
    reader::start(&session, Direction::ToClient, pipes.stdout);

    let ended = server.wait_until_exited();
    drain(&session, &server);
    errors.wait_until_over(LAST_LINES_GRACE);
    // After its last Message: a Message says that a server works.
    failure(ended, &errors.last_lines()).into_iter().for_each(|why| session.tell_failure(why));
    session.close_records();
    session.client.flush(Duration::from_secs(2));
    server.end_group();
    errors.wait_until_over(LEFTOVER_GRACE);
    server.exit_like_it()
}

/// In words, for the daemon. None: it ended well, or as it was asked to.
fn failure(ended: process::Ended, last_lines: &str) -> Option<String> {
    let how = match ended {
        process::Ended::AsAsked | process::Ended::Code(0) => return None,
        process::Ended::Code(code) => format!("server exits with code {code}"),
        process::Ended::Signal(signal) => format!("server is ended by signal {signal}"),
    };
    Some(if last_lines.is_empty() { how } else { format!("{how}: {last_lines}") })
}

/// The server is gone; what it said last must still reach the client. Waits as long as Messages are under way, but not
/// for a stray process that holds the server's stdout open and says nothing.
fn drain(session: &Session, server: &process::Server) {
    let lane = session.lane(Direction::ToClient);
    let mut group_ended = false;
    while !lane.wait_finished(LEFTOVER_GRACE) {
        if !lane.is_idle_since(LEFTOVER_GRACE) {
            continue;
        }
        if group_ended {
            return;
        }
        server.end_group();
        group_ended = true;
    }
}

/// Starts a thread whose panic ends the process: a relay that lost a part must not look alive, and the server dies with it.
fn start_thread(name: &str, body: impl FnOnce() + Send + 'static) {
    let guarded = move || {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err() {
            say("internal error; the server is stopped");
            std::process::exit(EXIT_INTERNAL);
        }
    };
    if let Err(error) = std::thread::Builder::new().name(name.into()).spawn(guarded) {
        say(&format!("cannot start a thread: {error}"));
        std::process::exit(EXIT_INTERNAL);
    }
}
