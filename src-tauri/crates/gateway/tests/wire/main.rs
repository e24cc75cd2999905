//! The gateway over real sockets.

mod http;
#[cfg(unix)]
mod link;
mod support;
