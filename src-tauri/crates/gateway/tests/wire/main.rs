//! The gateway over real sockets.

mod around;
mod hold;
mod http;
mod legacy;
#[cfg(unix)]
mod link;
mod rules;
mod stateless;
mod streams;
mod support;
