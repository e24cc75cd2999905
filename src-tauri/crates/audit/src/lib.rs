//! The audit log: the only user of SQLite. It owns the database file (schema, migrations, one module per table), the
//! writer thread, full-text search, retention, and the stored Pins.
//!
//! It must not judge (that is policy), must not mask (bodies arrive masked; they are only capped here), and knows no
//! clock of its own: times come with the rows, and retention asks the `Clock` it was given. Functions are synchronous:
//! `record` and `save_pin` return at once and never wait for the disk, everything that reads does wait for it.

mod asked;
mod audit;
mod body;
mod error;
mod export;
mod filter;
mod limits;
mod migrations;
mod open;
mod queue;
mod reader;
mod recover;
mod retention;
mod tables;
mod writer;

pub use asked::SignatureAsked;
pub use audit::{Audit, Clock};
pub use error::Error;
pub use filter::ExchangeFilter;
pub use limits::AuditLimits;
pub use reader::{AlertState, Reader, StoredExchange, UpstreamActivity};
