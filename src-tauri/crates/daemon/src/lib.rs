//! Composition root without a GUI: wires domain, detect, policy, audit, clients and gateway; owns config, start and
//! shutdown, the local API for the dashboard and the `portcullis` command line. The desktop shell embeds `Daemon` and
//! talks to it through a `Handle`. Nothing here speaks MCP on the wire, SQL, or another app's config format.

mod access;
mod api;
mod apps;
mod asks;
pub mod cli;
mod clock;
mod config;
mod core;
mod decision_file;
mod drill;
mod error;
mod export;
mod handle;
mod home;
mod judges;
mod keychain;
mod lock;
mod net;
mod open_files;
mod originals;
mod own_sign_ins;
mod pins;
mod presence;
mod problems;
mod quarantine;
mod replay;
mod revival;
mod rows;
mod rules;
mod seal;
mod sealed_file;
mod sealed_pins;
mod secret;
mod shim_binary;
mod sign_ins;
mod signature_watch;
mod signatures;
mod spool;
mod start;
mod upkeep;

pub use crate::core::{Config, Tap};
pub use config::{DASHBOARD_PORT, PROXY_PORT};
pub use error::Error;
pub use handle::Handle;
pub use home::Home;
pub use lock::Running;
pub use start::{Daemon, attach};
