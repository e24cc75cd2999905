//! The drill: a hostile MCP server is called through the real installed path (config rewritten, shim, proxy) by a
//! bundled app, in a temporary HOME and a state directory of its own. The person's configs are never touched; the rows
//! go to the audit of whoever started it, under the app `drill`.

mod attacks;
mod client;
mod run;
pub mod server;

pub(crate) use run::run;

/// The app that a drill's rows carry.
pub const APP: &str = "drill";
