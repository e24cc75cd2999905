//! The daemon in this process, looked at through its API and its files.

mod api;
mod common;
mod history;
mod judges;
mod lifecycle;
mod pins;
mod presence;
mod sign_ins;
mod signatures;
