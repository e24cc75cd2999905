//! Exit codes that scripts can use. They are documented in `portcullis --help` and never change their meaning.

use crate::Error;
use portcullis_domain::api::ApiError;
use std::io;

pub const FLAGGED: u8 = 1;
pub const BLOCKED: u8 = 2;
pub const USAGE: u8 = 64;
pub const BAD_DATA: u8 = 65;
pub const NO_INPUT: u8 = 66;
pub const UNAVAILABLE: u8 = 69;
pub const INTERNAL: u8 = 70;
pub const IO: u8 = 74;
pub const BUSY: u8 = 75;
pub const NOT_CONFIRMED: u8 = 77;
pub const CONFIG: u8 = 78;

pub const HELP: &str = "\
Exit codes:
  0   done; `scan`: clean; `drill`: everything was caught
  1   `scan`: flagged; `drill`: something was not caught; `doctor`, `signatures`: something is wrong
  2   `scan`: blocked
  64  wrong usage           65  the input is not what it should be     66  the input file cannot be read
  69  daemon, app or server not available      70  internal error      74  reading or writing failed
  75  another command is at work, try again    77  not confirmed, or not by a person   78  the configuration is wrong

State is kept in ~/.portcullis; set PORTCULLIS_HOME to another folder (without spaces in its path).";

/// Why a command ended early.
#[derive(Debug)]
pub struct Failed {
    pub code: u8,
    pub message: String,
    pub pipe_closed: bool,
}

impl Failed {
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), pipe_closed: false }
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        let pipe_closed = error.kind() == io::ErrorKind::BrokenPipe;
        Self { code: IO, message: format!("reading or writing failed: {error}"), pipe_closed }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Config { .. }
            | Error::NoHome
            | Error::HomeWithSpace(_)
            | Error::HomeNotAbsolute(_)
            | Error::HomeNotPrivate { .. } => CONFIG,
            Error::AlreadyRunning { .. } | Error::Locked(_) => BUSY,
            Error::PortTaken { .. } | Error::Listen(_) | Error::MissingBinary { .. } => UNAVAILABLE,
            Error::Io { .. } | Error::Audit(_) | Error::Clients(_) => IO,
            Error::Random(_) | Error::Seal(_) => INTERNAL,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        let code = match error.code.as_str() {
            "bad_request" | "bad_cursor" => USAGE,
            "unknown_app" | "not_found" | "unreachable" => UNAVAILABLE,
            "config_unparseable" | "config_unsafe" => BAD_DATA,
            "busy" | "config_changed" | "preview_expired" => BUSY,
            "no_presence" | "from_an_app" => NOT_CONFIRMED,
            "internal" | "odd_answer" | "verification_failed" => INTERNAL,
            _ => IO,
        };
        Self::new(code, error.message)
    }
}
