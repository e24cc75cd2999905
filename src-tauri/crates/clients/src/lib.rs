//! Other apps' config files: the only code of Portcullis that knows them. Finds them, shows what a change would write,
//! writes it, keeps what was there before in a journal and gives it back. It edits the values it owns and not a byte more,
//! journals before it writes, and survives being killed at any instant. Adding an app is adding a file to `apps/`.

mod applock;
mod clients;
mod config;
mod coverage;
mod descriptor;
mod diff;
mod entry;
mod error;
mod file;
mod format;
mod journal;
mod machine;
mod managed;
mod mask;
mod plan;
mod process;
mod project;
#[cfg(test)]
mod tests;
mod upstreams;
mod view;
mod watch;
mod write;

pub use clients::{Clients, ClientsConfig, Serving};
pub use coverage::Past;
pub use descriptor::{Descriptor, Example, bundled};
pub use error::Error;
pub use machine::{Machine, Os};
pub use process::{ProcessInfo, Processes, SystemProcesses, ancestry};
pub use view::{AppView, FileView, Problem, ServerView, Traffic};
pub use watch::{ConfigChange, Watch};
pub use write::{Report, Written};
