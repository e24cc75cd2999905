//! The gateway over real sockets.

mod around;
mod dead;
mod hold;
mod http;
#[cfg(unix)]
mod link;
mod rules;
mod sign_in;
mod support;
