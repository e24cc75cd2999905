//! The gateway over real sockets.

mod around;
mod hold;
mod http;
#[cfg(unix)]
mod link;
mod rules;
mod support;
