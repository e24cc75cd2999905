//! The system's keychain: keeps one small secret of ours. Every call here may be slow, so it is made on a thread that nobody
//! waits for longer than `PATIENCE`; none of them asks the person anything.

use std::sync::{Arc, mpsc};
use std::time::Duration;

/// How long a keychain may take before we go on without it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Errors are the reason why it cannot be used now, as a part of a sentence.
pub(crate) trait Keychain: Send + Sync {
    fn get(&self) -> Result<Option<Vec<u8>>, String>;
    fn set(&self, secret: &[u8]) -> Result<(), String>;
    fn delete(&self) -> Result<(), String>;
}

/// The one of this system, for the secret that is called `name`.
pub(crate) fn of_this_system(name: String) -> Option<Arc<dyn Keychain>> {
    system::Store::new(name).map(|store| Arc::new(store) as Arc<dyn Keychain>)
}

/// What `ask` answers, unless that takes too long. Then its thread is left behind.
pub(crate) fn soon<T: Send + 'static>(ask: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    let (tell, answer) = mpsc::sync_channel(1);
    let asked = std::thread::Builder::new().name("keychain".into()).spawn(move || {
        // Nobody may be waiting any more.
        let _ = tell.send(ask());
    });
    asked.map_err(|error| format!("it could not be asked ({error})"))?;
    answer.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(format!("it did not answer within {} s", PATIENCE.as_secs())))
}

#[cfg(target_os = "linux")]
mod system {
    //! The Secret Service (GNOME Keyring, KWallet, KeePassXC) on the session's D-Bus.

    use dbus_secret_service::{EncryptionType, Error, Item, SecretService};
    use std::collections::HashMap;

    const LABEL: &str = "Portcullis: key of the kept sign-ins";

    pub(super) struct Store {
        name: String,
    }

    impl Store {
        pub fn new(name: String) -> Option<Self> {
            Some(Self { name })
        }

        fn attributes(&self) -> HashMap<&str, &str> {
            HashMap::from([("application", "app.portcullis.desktop"), ("name", self.name.as_str())])
        }

        fn find<'a>(&self, service: &'a SecretService) -> Result<Option<Item<'a>>, String> {
            let mut found = service.search_items(self.attributes()).map_err(reason)?;
            match (found.unlocked.pop(), found.locked.is_empty()) {
                (Some(item), _) => Ok(Some(item)),
                (None, true) => Ok(None),
                (None, false) => Err("it is locked".into()),
            }
        }
    }

    /// Without a session's bus the library would start one of its own.
    fn has_bus() -> bool {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let socket = || set("XDG_RUNTIME_DIR").is_some_and(|folder| std::path::Path::new(&folder).join("bus").exists());
        set("DBUS_SESSION_BUS_ADDRESS").is_some() || socket()
    }

    fn connect() -> Result<SecretService, String> {
        if !has_bus() {
            return Err("there is no D-Bus session".into());
        }
        // The bus is a socket that only this user can open; no prompt is ever shown.
        SecretService::connect_with_max_prompt_timeout(EncryptionType::Plain, 0).map_err(reason)
    }

    fn reason(error: Error) -> String {
        match error {
            Error::Locked | Error::Prompt => "it is locked".into(),
            Error::NoResult => "it has no place to keep it".into(),
            other => other.to_string(),
        }
    }

    impl super::Keychain for Store {
        fn get(&self) -> Result<Option<Vec<u8>>, String> {
            let service = connect()?;
            self.find(&service)?.map(|item| item.get_secret().map_err(reason)).transpose()
        }

        fn set(&self, secret: &[u8]) -> Result<(), String> {
            let service = connect()?;
            let collection = service.get_default_collection().map_err(reason)?;
            if collection.is_locked().map_err(reason)? {
                return Err("it is locked".into());
            }
            let kept = collection.create_item(LABEL, self.attributes(), secret, true, "application/octet-stream");
            kept.map(drop).map_err(reason)
        }

        fn delete(&self) -> Result<(), String> {
            let service = connect()?;
            self.find(&service)?.map_or(Ok(()), |item| item.delete().map_err(reason))
        }
    }
}

#[cfg(any(target_os = "macos", windows))]
mod system {
    //! The login keychain, or the credential manager.

    #[cfg(target_os = "macos")]
    use apple_native_keyring_store::keychain::Store as Native;
    use keyring_core::{CredentialStore, Entry, Error};
    use std::sync::Arc;
    #[cfg(windows)]
    use windows_native_keyring_store::Store as Native;

    pub(super) struct Store {
        name: String,
    }

    impl Store {
        pub fn new(name: String) -> Option<Self> {
            Some(Self { name })
        }

        fn entry(&self) -> Result<Entry, String> {
            let store: Arc<CredentialStore> = Native::new().map_err(reason)?;
            Entry::new_in_store(&store, "app.portcullis.desktop", &self.name).map_err(reason)
        }
    }

    fn reason(error: Error) -> String {
        error.to_string()
    }

    impl super::Keychain for Store {
        fn get(&self) -> Result<Option<Vec<u8>>, String> {
            match self.entry()?.get_secret() {
                Err(Error::NoEntry) => Ok(None),
                other => other.map(Some).map_err(reason),
            }
        }

        fn set(&self, secret: &[u8]) -> Result<(), String> {
            self.entry()?.set_secret(secret).map_err(reason)
        }

        fn delete(&self) -> Result<(), String> {
            match self.entry()?.delete_credential() {
                Err(Error::NoEntry) => Ok(()),
                other => other.map_err(reason),
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod system {
    pub(super) enum Store {}

    impl Store {
        pub fn new(_: String) -> Option<Self> {
            None
        }
    }

    impl super::Keychain for Store {
        fn get(&self) -> Result<Option<Vec<u8>>, String> {
            match *self {}
        }
        fn set(&self, _: &[u8]) -> Result<(), String> {
            match *self {}
        }
        fn delete(&self) -> Result<(), String> {
            match *self {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_keychain_that_hangs_is_not_waited_for() {
        let (release, held) = mpsc::channel::<()>();
        let began = Instant::now();
        let answer = soon(move || held.recv().map_err(|_| String::new()));
        assert!(answer.unwrap_err().contains("did not answer"));
        assert!(began.elapsed() >= PATIENCE && began.elapsed() < PATIENCE * 5, "{:?}", began.elapsed());
        drop(release);
        assert_eq!(soon(|| Ok(7)), Ok(7));
    }
}
