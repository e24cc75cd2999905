//! Where the tokens of sign-ins lie: in one sealed file in the state directory. With a keychain that answers, half of the
//! file's key lies there; without one the key comes from our own key file alone. Tokens never wait for the keychain: they
//! are written without it first, and over again with it. A keychain that is locked or late is asked again.

use crate::core::locked;
use crate::home::{self, Home};
use crate::keychain::{self, Keychain};
use crate::seal::Seal;
use crate::{Error, clock, secret};
use portcullis_domain::UpstreamId;
use portcullis_gateway::oauth::{Grant, Options, SignIns, Vault};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

type Grants = HashMap<UpstreamId, Grant>;

const PURPOSE: &str = "portcullis sign-ins v1";
const CHAINED_PURPOSE: &str = "portcullis sign-ins with a keychain v1";
/// How long after an attempt the keychain is asked again; then always the last.
const AGAIN_SECONDS: [u64; 3] = [1, 5, 30];

struct Store {
    me: Weak<Store>,
    /// Sealed with our own key.
    plain: PathBuf,
    /// Sealed with our own key and the keychain's.
    chained: PathBuf,
    key: Vec<u8>,
    seal: Seal,
    keychain: Option<Arc<dyn Keychain>>,
    /// One conversation with it at a time: a late one must not replace what another was told to be kept.
    talking: Arc<Mutex<()>>,
    sign_ins: OnceLock<Weak<SignIns>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    found: Grants,
    /// Once the keychain gave its half of the key.
    chained: Option<Seal>,
    /// A thread asks the keychain.
    asking: bool,
    /// Of which servers something is stored, and which the person left since: what the keychain still holds of those must
    /// not come back.
    stored: HashSet<UpstreamId>,
    left: HashSet<UpstreamId>,
}

/// The sign-ins of this home, and what was wrong with what the last run left.
pub(crate) fn open(home: &Home, key: &[u8], options: Options) -> Result<(Arc<SignIns>, Option<String>), Error> {
    open_with(home, key, options, keychain_of(home))
}

/// That of the person's own state; another home (a test's, a second one) must leave nothing in it.
pub(crate) fn keychain_of(home: &Home) -> Option<Arc<dyn Keychain>> {
    let own = dirs::home_dir()?.join(".portcullis");
    (home.path() == own).then(|| keychain::of_this_system(home.path().display().to_string()))?
}

fn open_with(
    home: &Home,
    key: &[u8],
    options: Options,
    keychain: Option<Arc<dyn Keychain>>,
) -> Result<(Arc<SignIns>, Option<String>), Error> {
    let (plain, seal) = (home.sign_ins_file(), Seal::new(key, PURPOSE)?);
    let (found, mut problem) = match read(&plain, &seal) {
        Ok(found) => (found, None),
        Err(error) => (HashMap::new(), Some(void(&plain, &error))),
    };
    let store = Arc::new_cyclic(|me| Store {
        me: me.clone(),
        plain,
        chained: home.chained_sign_ins_file(),
        key: key.to_vec(),
        seal,
        keychain,
        talking: Arc::default(),
        sign_ins: OnceLock::new(),
        state: Mutex::new(State { found, ..State::default() }),
    });
    let waits = store.chained.exists();
    if waits || !locked(&store.state).found.is_empty() {
        match store.unchain() {
            Ok((chained, found, void)) => {
                problem = problem.or(void);
                let mut state = locked(&store.state);
                // What was written without the keychain is newer.
                let newer = std::mem::replace(&mut state.found, found);
                let moves = !newer.is_empty();
                state.found.extend(newer);
                state.chained = Some(chained);
                if moves {
                    let moved = store.write(&state, &state.found);
                    if let Err(error) = moved {
                        tracing::warn!(%error, "the kept sign-ins could not be moved");
                    }
                }
            }
            Err(why) if waits => tracing::warn!(%why, "the kept sign-ins wait for the system's keychain"),
            Err(_) => {}
        }
    }
    let sign_ins = Arc::new(SignIns::new(store.clone(), Arc::new(clock::now), options));
    let _ = store.sign_ins.set(Arc::downgrade(&sign_ins));
    let mut state = locked(&store.state);
    if waits && state.chained.is_none() {
        store.keep_asking(&mut state);
    }
    drop(state);
    Ok((sign_ins, problem))
}

fn void(path: &Path, error: &Error) -> String {
    format!("The kept sign-ins in {} are void ({error}). Sign in again.", path.display())
}

fn read(path: &Path, seal: &Seal) -> Result<Grants, Error> {
    let sealed = match std::fs::read(path) {
        Ok(sealed) => sealed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(source) => return Err(Error::Io { doing: "could not read", path: path.into(), source }),
    };
    serde_json::from_slice(&seal.open(&sealed)?).map_err(|_| Error::Seal("it is of another version"))
}

impl Store {
    /// The key with the keychain's half, what it opens, and what is void of that. Err: why there is none now.
    fn unchain(&self) -> Result<(Seal, Grants, Option<String>), String> {
        let keychain = self.keychain.clone().ok_or("there is none")?;
        let talking = self.talking.clone();
        let half = keychain::soon(move || {
            let _one = locked(&talking);
            if let Some(half) = keychain.get()? {
                return Ok(half);
            }
            let half = secret::random::<32>().map_err(|error| error.to_string())?.to_vec();
            keychain.set(&half)?;
            // Some keep nothing, and say so nowhere.
            let kept = keychain.get()?.as_deref() == Some(&half[..]);
            if kept { Ok(half) } else { Err("it did not keep what it was given".into()) }
        })?;
        let seal = Seal::new(&[&self.key[..], &half].concat(), CHAINED_PURPOSE).map_err(|error| error.to_string())?;
        match read(&self.chained, &seal) {
            Ok(found) => Ok((seal, found, None)),
            Err(error) => Ok((seal, HashMap::new(), Some(void(&self.chained, &error)))),
        }
    }

    /// With the keychain's key once it is there, and then not in the other file any more.
    fn write(&self, state: &State, grants: &Grants) -> Result<(), Error> {
        let plain = serde_json::to_vec(grants).map_err(|_| Error::Seal("it could not be written"))?;
        let Some(chained) = &state.chained else {
            return home::write_private(&self.plain, &self.seal.seal(&plain)?);
        };
        home::write_private(&self.chained, &chained.seal(&plain)?)?;
        match std::fs::remove_file(&self.plain) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::Io { doing: "could not remove", path: self.plain.clone(), source })
            }
            _ => Ok(()),
        }
    }

    /// On a thread of its own, for as long as the sign-ins live.
    fn keep_asking(&self, state: &mut State) {
        if self.keychain.is_none() || std::mem::replace(&mut state.asking, true) {
            return;
        }
        let Some(store) = self.me.upgrade() else { return };
        let last = AGAIN_SECONDS[AGAIN_SECONDS.len() - 1];
        let asks = move || {
            let waits = std::iter::once(0).chain(AGAIN_SECONDS).chain(std::iter::repeat(last));
            // Without tokens that only it opens, a keychain that cannot be had now is left alone.
            let most = if store.chained.exists() { usize::MAX } else { AGAIN_SECONDS.len() + 1 };
            for seconds in waits.take(most) {
                std::thread::sleep(Duration::from_secs(seconds));
                let Some(sign_ins) = store.sign_ins.get().and_then(Weak::upgrade) else { return };
                match store.unchain() {
                    Ok((chained, mut found, void)) => {
                        found.retain(|upstream, _| !locked(&store.state).left.contains(upstream));
                        if let Some(void) = void {
                            tracing::warn!("{void}");
                        }
                        let ready = || locked(&store.state).chained = Some(chained);
                        if let Err(why) = sign_ins.adopt(found, ready) {
                            tracing::warn!(%why, "the sign-ins could not be sealed with the keychain's key");
                        }
                        return;
                    }
                    Err(why) => tracing::debug!(%why, "the keychain could not be used"),
                }
            }
        };
        if let Err(error) = std::thread::Builder::new().name("sign-ins".into()).spawn(asks) {
            tracing::warn!(%error, "the keychain is not asked");
        }
    }
}

impl Vault for Store {
    fn load(&self) -> Grants {
        let mut state = locked(&self.state);
        state.stored = state.found.keys().cloned().collect();
        std::mem::take(&mut state.found)
    }

    fn store(&self, grants: &Grants) -> Result<(), String> {
        let mut state = locked(&self.state);
        let stored = std::mem::replace(&mut state.stored, grants.keys().cloned().collect());
        state.left.extend(stored);
        state.left.retain(|upstream| !grants.contains_key(upstream));
        self.write(&state, grants).map_err(|error| error.to_string())?;
        if state.chained.is_none() && !grants.is_empty() {
            self.keep_asking(&mut state);
        }
        Ok(())
    }
}

/// Where the tokens lie and what is known of the keychain, for a person who looks.
pub(crate) fn whereabouts(home: &Home) -> Option<String> {
    let plain = home.sign_ins_file().exists();
    if home.chained_sign_ins_file().exists() {
        let newer = if plain { "; the newest wait for it" } else { "" };
        return Some(format!("sealed with a key in the system's keychain{newer}"));
    }
    plain.then(|| "sealed with our own key file alone: no keychain was used".into())
}

/// Takes our key out of the keychain; what it sealed is lost.
pub(crate) fn forget_key(home: &Home) -> Result<(), String> {
    let used = home.chained_sign_ins_file().exists();
    match keychain_of(home).filter(|_| used) {
        Some(keychain) => keychain::soon(move || keychain.delete()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_gateway::oauth::Client;
    use std::time::Instant;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("s")).unwrap();
        home.create().unwrap();
        (dir, home)
    }

    fn grant(token: &str) -> Grant {
        Grant {
            issuer: "https://id.example".into(),
            client: Client { id: "c".into(), secret: None },
            redirect: "http://127.0.0.1:1/oauth/callback".into(),
            token_endpoint: "https://id.example/token".into(),
            resource: "https://mcp.example".into(),
            scope: None,
            access_token: format!("at-SECRET-{token}"),
            refresh_token: Some("rt-SECRET".into()),
            expires_at: Some(7),
        }
    }

    fn id(n: u8) -> UpstreamId {
        UpstreamId::from_random([n; 16])
    }

    fn one(n: u8) -> Grants {
        HashMap::from([(id(n), grant(&n.to_string()))])
    }

    fn plain_seal() -> Seal {
        Seal::new(KEY, PURPOSE).unwrap()
    }

    /// As the last run left it, without a keychain.
    fn left(home: &Home, grants: &Grants) {
        let sealed = plain_seal().seal(&serde_json::to_vec(grants).unwrap()).unwrap();
        home::write_private(&home.sign_ins_file(), &sealed).unwrap();
    }

    /// In memory; `away` is why it does not answer.
    #[derive(Default)]
    struct Chain {
        kept: Mutex<Option<Vec<u8>>>,
        away: Mutex<Option<&'static str>>,
        forgetful: bool,
        slow: bool,
    }

    impl Chain {
        fn here(&self) -> Result<(), String> {
            if self.slow {
                std::thread::sleep(Duration::from_secs(3600));
            }
            locked(&self.away).map_or(Ok(()), |why| Err(why.into()))
        }
    }

    impl Keychain for Chain {
        fn get(&self) -> Result<Option<Vec<u8>>, String> {
            self.here()?;
            Ok(locked(&self.kept).clone())
        }
        fn set(&self, secret: &[u8]) -> Result<(), String> {
            self.here()?;
            if !self.forgetful {
                *locked(&self.kept) = Some(secret.to_vec());
            }
            Ok(())
        }
        fn delete(&self) -> Result<(), String> {
            self.here()?;
            *locked(&self.kept) = None;
            Ok(())
        }
    }

    fn opened(home: &Home, chain: Option<&Arc<Chain>>) -> (Arc<SignIns>, Option<String>) {
        open_with(home, KEY, Options::default(), chain.map(|chain| chain.clone() as Arc<dyn Keychain>)).unwrap()
    }

    fn until(what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !holds() {
            assert!(Instant::now() < deadline, "{what} did not come");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn tokens_survive_a_restart_unreadable_and_a_changed_file_is_void() {
        let (_dir, home) = home();
        let (sign_ins, _) = opened(&home, None);
        sign_ins.adopt(one(3), || {}).unwrap();
        let raw = std::fs::read(home.sign_ins_file()).unwrap();
        assert!(!String::from_utf8_lossy(&raw).contains("SECRET"));
        assert!(!format!("{:?}", grant("x")).contains("SECRET"));
        assert_eq!(read(&home.sign_ins_file(), &plain_seal()).unwrap(), one(3));
        assert!(opened(&home, None).0.state(&id(3)).is_some());
        std::fs::write(home.sign_ins_file(), &raw[1..]).unwrap();
        let (sign_ins, problem) = opened(&home, None);
        assert!(sign_ins.state(&id(3)).is_none() && problem.unwrap().contains("Sign in again"));
    }

    #[test]
    fn with_a_keychain_our_own_key_alone_opens_nothing() {
        let (_dir, home) = home();
        let chain = Arc::new(Chain::default());
        let (sign_ins, _) = opened(&home, Some(&chain));
        assert!(locked(&chain.kept).is_none(), "nothing is put there before there is a sign-in");
        sign_ins.adopt(one(3), || {}).unwrap();
        until("the keychain's key", || home.chained_sign_ins_file().exists() && !home.sign_ins_file().exists());
        assert!(read(&home.chained_sign_ins_file(), &plain_seal()).is_err());
        assert!(read(&home.chained_sign_ins_file(), &Seal::new(KEY, CHAINED_PURPOSE).unwrap()).is_err());
        let half = locked(&chain.kept).clone().unwrap();
        assert!(read(&home.chained_sign_ins_file(), &Seal::new(&half, CHAINED_PURPOSE).unwrap()).is_err());
        let (again, problem) = opened(&home, Some(&chain));
        assert!(again.state(&id(3)).is_some() && problem.is_none());
        // A later sign-in is sealed with it at once.
        again.adopt(one(4), || {}).unwrap();
        assert!(!home.sign_ins_file().exists());
        assert!(opened(&home, Some(&chain)).0.state(&id(4)).is_some());
    }

    #[test]
    fn what_an_older_version_left_is_moved() {
        let (_dir, home) = home();
        left(&home, &one(3));
        let chain = Arc::new(Chain::default());
        assert!(opened(&home, Some(&chain)).0.state(&id(3)).is_some());
        assert!(home.chained_sign_ins_file().exists() && !home.sign_ins_file().exists());
        assert!(opened(&home, Some(&chain)).0.state(&id(3)).is_some());
    }

    #[test]
    fn a_locked_keychain_loses_nothing_and_its_tokens_come_back_when_it_is_unlocked() {
        let (_dir, home) = home();
        let chain = Arc::new(Chain::default());
        left(&home, &one(3));
        drop(opened(&home, Some(&chain)));
        *locked(&chain.away) = Some("it is locked");
        let (sign_ins, problem) = opened(&home, Some(&chain));
        assert!(sign_ins.state(&id(3)).is_none() && problem.is_none());
        // What is signed in to meanwhile is kept without it.
        sign_ins.adopt(one(4), || {}).unwrap();
        assert_eq!(read(&home.sign_ins_file(), &plain_seal()).unwrap(), one(4));
        *locked(&chain.away) = None;
        until("its tokens", || sign_ins.state(&id(3)).is_some() && !home.sign_ins_file().exists());
        let (again, _) = opened(&home, Some(&chain));
        assert!(again.state(&id(3)).is_some() && again.state(&id(4)).is_some());
    }

    #[test]
    fn what_a_person_signed_out_of_does_not_come_back_from_the_keychain() {
        let (_dir, home) = home();
        let chain = Arc::new(Chain::default());
        left(&home, &one(3).into_iter().chain(one(4)).collect());
        drop(opened(&home, Some(&chain)));
        *locked(&chain.away) = Some("it is locked");
        let (sign_ins, _) = opened(&home, Some(&chain));
        sign_ins.adopt(one(3), || {}).unwrap();
        assert!(sign_ins.forget(&id(3)).unwrap());
        *locked(&chain.away) = None;
        until("the other one", || sign_ins.state(&id(4)).is_some());
        assert!(sign_ins.state(&id(3)).is_none());
        assert!(opened(&home, Some(&chain)).0.state(&id(3)).is_none());
    }

    #[test]
    fn a_keychain_that_hangs_delays_a_start_by_seconds_and_a_sign_in_not_at_all() {
        let (_dir, home) = home();
        let chain = Arc::new(Chain { slow: true, ..Chain::default() });
        let began = Instant::now();
        let (sign_ins, _) = opened(&home, Some(&chain));
        assert!(began.elapsed() < Duration::from_secs(1), "nothing is kept, so nothing is asked");
        let began = Instant::now();
        sign_ins.adopt(one(3), || {}).unwrap();
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        let began = Instant::now();
        assert!(opened(&home, Some(&chain)).0.state(&id(3)).is_some());
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[test]
    fn a_keychain_that_keeps_nothing_is_not_trusted_and_one_that_lost_our_key_is_told() {
        let (_dir, home) = home();
        left(&home, &one(3));
        let forgetful = Arc::new(Chain { forgetful: true, ..Chain::default() });
        assert!(opened(&home, Some(&forgetful)).0.state(&id(3)).is_some());
        assert!(home.sign_ins_file().exists() && !home.chained_sign_ins_file().exists());
        let chain = Arc::new(Chain::default());
        drop(opened(&home, Some(&chain)));
        chain.delete().unwrap();
        let (sign_ins, problem) = opened(&home, Some(&chain));
        assert!(sign_ins.state(&id(3)).is_none() && problem.unwrap().contains("Sign in again"));
    }

    /// GNOME's, on a bus of its own, in a home of its own, unlocked as a login does it.
    #[cfg(target_os = "linux")]
    mod secret_service {
        use super::*;
        use std::process::{Command, Stdio};

        /// What a session does, one word after the other; it runs inside of one.
        #[test]
        #[ignore = "started by `tokens_are_sealed_with_a_key_in_a_real_secret_service`"]
        fn a_session() {
            let Ok(words) = std::env::var("PORTCULLIS_TEST_SESSION") else { return };
            let home = Home::at(std::env::var_os("PORTCULLIS_TEST_HOME").unwrap().into()).unwrap();
            let began = Instant::now();
            let chain = keychain::of_this_system("a test's".into());
            let (sign_ins, problem) = open_with(&home, KEY, Options::default(), chain).unwrap();
            assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
            assert_eq!(problem, None);
            for word in words.split(' ') {
                let (what, number) = word.split_once('=').unwrap_or((word, "0"));
                let number = number.parse().unwrap();
                match what {
                    "sign-in" => sign_ins.adopt(one(number), || {}).unwrap(),
                    "has" => assert!(sign_ins.state(&id(number)).is_some(), "{words}: {word}"),
                    "lacks" => assert!(sign_ins.state(&id(number)).is_none(), "{words}: {word}"),
                    "comes" => until(word, || sign_ins.state(&id(number)).is_some()),
                    "chained" => {
                        until(word, || home.chained_sign_ins_file().exists() && !home.sign_ins_file().exists())
                    }
                    "plain" => assert!(home.sign_ins_file().exists(), "{words}"),
                    "unlock" => {
                        let unlock =
                            "printf pw | gnome-keyring-daemon --replace --unlock --components=secrets >&- 2>&-";
                        assert!(Command::new("sh").args(["-c", unlock]).status().unwrap().success());
                    }
                    _ => panic!("{word}"),
                }
            }
        }

        #[test]
        fn tokens_are_sealed_with_a_key_in_a_real_secret_service() {
            let on_path = |name: &str| {
                std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|p| p.join(name).exists()))
            };
            if !on_path("dbus-run-session") || !on_path("gnome-keyring-daemon") {
                eprintln!("not run: dbus-run-session and gnome-keyring-daemon are not both here");
                return;
            }
            let (dir, home) = home();
            let person = dir.path().join("person");
            let runtime = dir.path().join("run");
            home::create_private_dir(&person).unwrap();
            home::create_private_dir(&runtime).unwrap();
            let name = concat!(module_path!(), "::a_session").split_once("::").unwrap().1;
            let session = |words: &str| {
                let done = Command::new("dbus-run-session")
                    .arg("--")
                    .arg(std::env::current_exe().unwrap())
                    .args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"])
                    .env_remove("DBUS_SESSION_BUS_ADDRESS")
                    .env_remove("XDG_DATA_HOME")
                    .env_remove("DISPLAY")
                    .env("HOME", &person)
                    .env("XDG_RUNTIME_DIR", &runtime)
                    .env("PORTCULLIS_TEST_HOME", home.path())
                    .env("PORTCULLIS_TEST_SESSION", words)
                    .stdin(Stdio::null())
                    .output()
                    .unwrap();
                let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
                assert!(done.status.success() && said.contains("1 passed"), "{words}: {said}");
            };
            // There is a service, and nobody has a keyring yet.
            session("sign-in=1 plain has=1");
            // A login unlocks it while we run.
            session("has=1 plain unlock sign-in=2 chained has=1 has=2");
            let sealed = std::fs::read(home.chained_sign_ins_file()).unwrap();
            assert!(Seal::new(KEY, CHAINED_PURPOSE).unwrap().open(&sealed).is_err());
            // The next login has not unlocked it: nothing is asked, nothing is lost, and it comes when it is.
            session("lacks=1 sign-in=3 plain has=3 unlock comes=1 chained has=2 has=3");
            session("lacks=1 lacks=3");
        }
    }
}
