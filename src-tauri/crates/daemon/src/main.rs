//! The `portcullis` program: the command line of `portcullis_daemon::cli`, and nothing else.

fn main() -> std::process::ExitCode {
    portcullis_daemon::cli::main()
}
