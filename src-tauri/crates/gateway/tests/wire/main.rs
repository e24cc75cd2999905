//! The gateway over real sockets.

mod around;
mod http;
#[cfg(unix)]
mod link;
mod rules;
mod support;
