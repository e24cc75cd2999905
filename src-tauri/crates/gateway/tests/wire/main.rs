//! The gateway over real sockets.

mod around;
mod dead;
mod hold;
mod http;
mod legacy;
#[cfg(unix)]
mod link;
mod places;
mod readers;
mod rules;
mod sign_in;
mod stateless;
mod streams;
mod support;
