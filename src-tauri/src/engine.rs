//! The daemon this app works with: its own, or one that was already running (then the app is only a view of it, and
//! leaves it running when it ends). Of the daemon nothing but its `Handle` is used elsewhere in the shell.

use portcullis_daemon::{Config, Daemon, Error, Handle, attach};
use std::sync::{Mutex, PoisonError};

pub struct Engine {
    config: Config,
    handle: Mutex<Handle>,
    own: Mutex<Option<Daemon>>,
}

impl Engine {
    pub async fn start(config: Config) -> Result<Self, Error> {
        let (handle, own) = begin(&config).await?;
        Ok(Self { config, handle: Mutex::new(handle), own: Mutex::new(own) })
    }

    pub fn handle(&self) -> Handle {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The other process' daemon has ended: attach to its successor, or be the daemon from now on.
    pub async fn revive(&self) -> Result<(), Error> {
        let (handle, own) = begin(&self.config).await?;
        *self.handle.lock().unwrap_or_else(PoisonError::into_inner) = handle;
        if own.is_some() {
            *self.own.lock().unwrap_or_else(PoisonError::into_inner) = own;
        }
        Ok(())
    }

    /// Ends our own daemon in order; the person wants it ended, so no shim starts another.
    pub async fn shutdown(&self) {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(daemon) = own {
            daemon.quit().await;
        }
    }
}

async fn begin(config: &Config) -> Result<(Handle, Option<Daemon>), Error> {
    match Daemon::start(config.clone()).await {
        Ok(daemon) => Ok((daemon.handle(), Some(daemon))),
        Err(already @ Error::AlreadyRunning { .. }) => match attach(&config.home)? {
            Some(handle) => Ok((handle, None)),
            None => Err(already),
        },
        Err(error) => Err(error),
    }
}
