//! `<home>/config.toml`: ports, settings, limits. Read once at start, written by the dashboard and on the first start.
//! The person's comments and order survive a write: only the value that changed is replaced.

use crate::{Error, home, home::Home};
use portcullis_domain::api::{QuietHours, Settings};
use portcullis_domain::{Limits, UpstreamId};
use portcullis_gateway::oauth::Options;
use serde::{Deserialize, Serialize};
use std::path::Path;
use url::Url;

/// Below the range that outgoing connections take their ports from, so that none of them can be holding ours at login.
pub const PROXY_PORT: u16 = 27701;
pub const DASHBOARD_PORT: u16 = 27702;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfigFile {
    pub ports: Ports,
    pub settings: SettingsFile,
    pub limits: Limits,
    pub upstreams: Upstreams,
    pub shim: Shim,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shim {
    /// A shim that finds no daemon starts one, unless the person stopped it.
    pub start_daemon: bool,
}

impl Default for Shim {
    fn default() -> Self {
        Self { start_daemon: true }
    }
}

/// How servers are reached. Read at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Upstreams {
    /// A connection that takes longer (name, proxy and TLS included) has failed.
    pub connect_seconds: u32,
    /// An https address of the person's where a document about Portcullis as an OAuth client lies.
    pub client_metadata_url: Option<String>,
    /// Ids of servers to which the app signs in itself.
    pub transparent: Vec<String>,
}

impl Upstreams {
    pub fn sign_in_options(&self) -> Options {
        Options {
            client_metadata_url: self.client_metadata_url.clone(),
            transparent: self.transparent.iter().map(|id| UpstreamId::new(id.clone())).collect(),
        }
    }
}

impl Default for Upstreams {
    fn default() -> Self {
        Self { connect_seconds: 10, client_metadata_url: None, transparent: Vec::new() }
    }
}

/// None: not chosen yet; the first start chooses and writes them down, because protected apps' configs hold the port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ports {
    pub proxy: Option<u16>,
    pub dashboard: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettingsFile {
    pub retention_days: u32,
    pub retention_mib: u32,
    pub notifications: bool,
    pub start_at_login: bool,
    pub protect_new_servers: bool,
    pub hold_new_servers: bool,
    pub ask_seconds: u32,
    /// Minutes after midnight; equal: no quiet hours.
    pub quiet_from: u16,
    pub quiet_until: u16,
    /// What a redacted Message said is kept, sealed, for a week.
    pub keep_originals: bool,
}

impl Default for SettingsFile {
    fn default() -> Self {
        Self {
            retention_days: 30,
            retention_mib: 512,
            notifications: true,
            start_at_login: false,
            protect_new_servers: false,
            hold_new_servers: false,
            ask_seconds: 45,
            quiet_from: 0,
            quiet_until: 0,
            keep_originals: false,
        }
    }
}

impl From<SettingsFile> for Settings {
    fn from(s: SettingsFile) -> Self {
        Self {
            retention_days: s.retention_days,
            retention_mib: s.retention_mib,
            notifications: s.notifications,
            start_at_login: s.start_at_login,
            protect_new_servers: s.protect_new_servers,
            hold_new_servers: s.hold_new_servers,
            ask_seconds: s.ask_seconds,
            quiet_hours: s.quiet_hours(),
            keep_originals: s.keep_originals,
        }
    }
}

impl SettingsFile {
    /// What these settings let pass, or keep quiet about, that `before` did not, as a sentence. None: nothing.
    pub fn loosens(&self, before: &Self) -> Option<String> {
        let parts = [
            (before.hold_new_servers && !self.hold_new_servers, "what new servers define passes without a review"),
            (before.protect_new_servers && !self.protect_new_servers, "new servers of protected apps are not covered"),
            (before.notifications && !self.notifications, "notifications are off"),
            (self.is_quiet_when_not(before), "notifications are quiet at more or other times"),
            (before.start_at_login && !self.start_at_login, "Portcullis does not start at login"),
            (
                self.retention_days < before.retention_days || self.retention_mib < before.retention_mib,
                "less of the log is kept",
            ),
            (!before.keep_originals && self.keep_originals, "originals of what is redacted are kept, encrypted"),
        ];
        let loosened: Vec<&str> = parts.iter().filter(|(is_so, _)| *is_so).map(|(_, what)| *what).collect();
        (!loosened.is_empty()).then(|| format!("Settings were changed: {}.", loosened.join("; ")))
    }

    fn is_quiet_when_not(&self, before: &Self) -> bool {
        let quiet = |settings: &Self, minute| settings.quiet_hours().is_some_and(|hours| hours.contains(minute));
        (0..MINUTES).any(|minute| quiet(self, minute) && !quiet(before, minute))
    }

    pub fn quiet_hours(&self) -> Option<QuietHours> {
        (self.quiet_from != self.quiet_until).then_some(QuietHours { from: self.quiet_from, until: self.quiet_until })
    }
}

impl From<&Settings> for SettingsFile {
    fn from(s: &Settings) -> Self {
        Self {
            retention_days: s.retention_days,
            retention_mib: s.retention_mib,
            notifications: s.notifications,
            start_at_login: s.start_at_login,
            protect_new_servers: s.protect_new_servers,
            hold_new_servers: s.hold_new_servers,
            ask_seconds: s.ask_seconds,
            quiet_from: s.quiet_hours.map_or(0, |quiet| quiet.from),
            quiet_until: s.quiet_hours.map_or(0, |quiet| quiet.until),
            keep_originals: s.keep_originals,
        }
    }
}

/// Below, nobody can read a question; above, the most patient apps have given up.
pub(crate) const ASK_SECONDS: std::ops::RangeInclusive<u32> = 5..=290;
/// Below, a slow line looks dead; above, the app has given up.
const CONNECT_SECONDS: std::ops::RangeInclusive<u32> = 1..=120;
/// Of a day.
pub(crate) const MINUTES: u16 = 24 * 60;

/// The smallest limits that still carry ordinary traffic, and the largest that keep memory bounded.
fn limits(limits: &Limits) -> [(&'static str, usize, std::ops::RangeInclusive<usize>); 6] {
    [
        ("max_message_bytes", limits.max_message_bytes, 64 * 1024..=256 * 1024 * 1024),
        ("max_depth", limits.max_depth, 16..=1024),
        ("max_batch_items", limits.max_batch_items, 1..=10_000),
        ("max_id_bytes", limits.max_id_bytes, 64..=64 * 1024),
        ("max_open_requests", limits.max_open_requests, 16..=65_536),
        ("max_streams", limits.max_streams, 16..=65_536),
    ]
}
const HEADER: &str = "# Portcullis. Ports are written on the first start; the dashboard changes [settings].\n\
# Protected apps' configs hold the proxy port: protect them again after changing it.\n";

impl ConfigFile {
    pub fn load(home: &Home) -> Result<Self, Error> {
        let path = home.config_file();
        home::read_optional(&path)?.map_or_else(|| Ok(Self::default()), |text| Self::parse(&path, &text))
    }

    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let fault = |line, message: String| Error::Config { path: path.into(), line, message };
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line_of(text, span.start));
            fault(line, error.message().replace('\n', ", "))
        })?;
        let line_with = |key: &str| {
            let at = text.lines().position(|line| line.trim_start().starts_with(key));
            at.map(|line| line + 1)
        };
        for (key, value, allowed) in limits(&config.limits) {
            if !allowed.contains(&value) {
                let message = format!("{key} must be from {} to {}", allowed.start(), allowed.end());
                return Err(fault(line_with(key), message));
            }
        }
        if !ASK_SECONDS.contains(&config.settings.ask_seconds) {
            let message = format!("ask_seconds must be from {} to {}", ASK_SECONDS.start(), ASK_SECONDS.end());
            return Err(fault(line_with("ask_seconds"), message));
        }
        if !CONNECT_SECONDS.contains(&config.upstreams.connect_seconds) {
            let message =
                format!("connect_seconds must be from {} to {}", CONNECT_SECONDS.start(), CONNECT_SECONDS.end());
            return Err(fault(line_with("connect_seconds"), message));
        }
        let is_document = |url: &String| Url::parse(url).is_ok_and(|url| url.scheme() == "https" && url.path() != "/");
        if config.upstreams.client_metadata_url.as_ref().is_some_and(|url| !is_document(url)) {
            let message = "client_metadata_url must be the https address of a document".into();
            return Err(fault(line_with("client_metadata_url"), message));
        }
        if let Some(id) = config.upstreams.transparent.iter().find(|id| !UpstreamId::is_well_formed(id)) {
            let message =
                format!("transparent holds {id:?}, which is no id of a server (`portcullis apps --json` shows them)");
            return Err(fault(line_with("transparent"), message));
        }
        for (key, minute) in [("quiet_from", config.settings.quiet_from), ("quiet_until", config.settings.quiet_until)]
        {
            if minute >= MINUTES {
                return Err(fault(line_with(key), format!("{key} is in minutes after midnight, from 0 to 1439")));
            }
        }
        if config.ports.proxy.is_some() && config.ports.proxy == config.ports.dashboard {
            return Err(fault(line_with("dashboard"), "the proxy and the dashboard need two different ports".into()));
        }
        Ok(config)
    }

    /// Writes the values that differ from what the file says now.
    pub fn store(&self, home: &Home) -> Result<(), Error> {
        let path = home.config_file();
        let old = home::read_optional(&path)?.unwrap_or_else(|| HEADER.to_owned());
        let new = match self.edit(&old, &path) {
            Some(new) => new,
            None => {
                home::write_private(&home.config_file_before(), old.as_bytes())?;
                HEADER.to_owned() + &toml::to_string(self).unwrap_or_default()
            }
        };
        if new != old || !path.exists() {
            home::write_private(&path, new.as_bytes())?;
        }
        Ok(())
    }

    /// None: an unusual layout (dotted keys, inline tables) defeats the edit by lines.
    fn edit(&self, old: &str, path: &Path) -> Option<String> {
        let is_ours = |text: &str| Self::parse(path, text).is_ok_and(|read| read == *self);
        if is_ours(old) {
            return Some(old.to_owned());
        }
        let edited =
            self.values().iter().fold(old.to_owned(), |text, (section, key, value)| set(&text, section, key, value));
        Some(edited).filter(|text| is_ours(text))
    }

    fn values(&self) -> Vec<(&'static str, &'static str, String)> {
        let default = Self::default();
        let (s, d) = (&self.settings, &default.settings);
        let ports = [("proxy", self.ports.proxy), ("dashboard", self.ports.dashboard)];
        let ports = ports.into_iter().filter_map(|(key, port)| Some(("ports", key, port?.to_string())));
        // Defaults are left out, unless the file names them: a later version may choose better ones.
        let settings = [
            ("retention_days", s.retention_days.to_string(), s.retention_days == d.retention_days),
            ("retention_mib", s.retention_mib.to_string(), s.retention_mib == d.retention_mib),
            ("notifications", s.notifications.to_string(), s.notifications == d.notifications),
            ("start_at_login", s.start_at_login.to_string(), s.start_at_login == d.start_at_login),
            ("protect_new_servers", s.protect_new_servers.to_string(), s.protect_new_servers == d.protect_new_servers),
            ("hold_new_servers", s.hold_new_servers.to_string(), s.hold_new_servers == d.hold_new_servers),
            ("ask_seconds", s.ask_seconds.to_string(), s.ask_seconds == d.ask_seconds),
            ("quiet_from", s.quiet_from.to_string(), s.quiet_from == d.quiet_from),
            ("quiet_until", s.quiet_until.to_string(), s.quiet_until == d.quiet_until),
            ("keep_originals", s.keep_originals.to_string(), s.keep_originals == d.keep_originals),
        ];
        let settings = settings
            .into_iter()
            .map(|(key, value, same)| ("settings", key, if same { format!("?{value}") } else { value }));
        ports.chain(settings).collect()
    }
}

/// Sets `key` in `[section]`, keeping every other line, and every line's end. A value that starts with `?` only replaces
/// one that is there.
fn set(text: &str, section: &str, key: &str, value: &str) -> String {
    let (only_replace, value) = value.strip_prefix('?').map_or((false, value), |value| (true, value));
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let end_of_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push_str(end_of_line);
    }
    let bare = |line: &str| line.trim_start_matches('\u{feff}').split('#').next().unwrap_or_default().trim().to_owned();
    let header = lines.iter().position(|line| bare(line) == format!("[{section}]"));
    let entry = format!("{key} = {value}");
    match header {
        Some(header) => {
            let next = lines[header + 1..].iter().position(|line| line.trim_start().starts_with('['));
            let end = next.map_or(lines.len(), |n| header + 1 + n);
            let at = (header + 1..end).find(|&n| bare(&lines[n]).split('=').next().unwrap_or_default().trim() == key);
            match at {
                Some(at) => {
                    let comment = lines[at].find('#').map(|n| format!(" {}", lines[at][n..].trim_end()));
                    let end = if lines[at].ends_with("\r\n") { "\r\n" } else { "\n" };
                    lines[at] = entry + &comment.unwrap_or_default() + end;
                }
                None if only_replace => {}
                None => lines.insert(header + 1, entry + end_of_line),
            }
        }
        None if only_replace => {}
        None => lines.extend([String::new(), format!("[{section}]"), entry].map(|line| line + end_of_line)),
    }
    lines.concat()
}

pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|&&b| b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConfigFile, Error> {
        ConfigFile::parse(Path::new("/h/config.toml"), text)
    }

    #[test]
    fn a_fault_names_file_and_line() {
        for (text, line, word) in [
            ("[ports]\nproxy = 1\nprxy = 2\n", 3, "prxy"),
            ("[ports]\n\nproxy = \"x\"\n", 3, "u16"),
            ("[ports\n", 1, ""),
            ("[limits]\nmax_depth = 1\n", 2, "max_depth"),
            ("[limits]\n\nmax_streams = 1\n", 3, "from 16 to 65536"),
            ("[ports]\nproxy = 5\ndashboard = 5\n", 3, "different"),
            ("[upstreams]\nconnect_seconds = 0\n", 2, "from 1 to 120"),
            ("[upstreams]\nclient_metadata_url = \"http://a.example/c\"\n", 2, "https"),
            ("[upstreams]\n\ntransparent = [\"x\"]\n", 3, "no id"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("/h/config.toml, line {line}: ")), "{text:?}: {error}");
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_write_keeps_comments_and_changes_only_the_value() {
        let old = "# mine\n[settings] # here\nretention_days = 7 # a week\n\n[limits]\nmax_depth = 64\n";
        let mut config = parse(old).unwrap();
        config.settings.retention_days = 8;
        config.ports.proxy = Some(4000);
        let new = config.edit(old, Path::new("/h/config.toml")).unwrap();
        let expected = "# mine\n[settings] # here\nretention_days = 8 # a week\n\n[limits]\nmax_depth = 64\n\n[ports]\nproxy = 4000\n";
        assert_eq!(new, expected);
        assert_eq!(parse(&new).unwrap(), config);
        assert_eq!(config.edit(&new, Path::new("x")).unwrap(), new, "nothing to change");
    }

    #[test]
    fn a_setting_put_back_to_its_default_is_written_where_it_stood() {
        let mut config = parse("[settings]\nnotifications = false\n").unwrap();
        config.settings.notifications = true;
        assert_eq!(
            config.edit("[settings]\nnotifications = false\n", Path::new("x")).as_deref(),
            Some("[settings]\nnotifications = true\n")
        );
    }

    #[test]
    fn windows_line_ends_and_a_byte_order_mark_stay_and_cost_no_comment() {
        let old = "\u{feff}[settings]\r\n# mine\r\nretention_days = 7 # a week\r\n";
        let mut config = parse(old).unwrap();
        config.settings.retention_days = 8;
        config.ports.proxy = Some(4000);
        let new = config.edit(old, Path::new("x")).unwrap();
        let expected = "\u{feff}[settings]\r\n# mine\r\nretention_days = 8 # a week\r\n\r\n[ports]\r\nproxy = 4000\r\n";
        assert_eq!(new, expected);
    }

    #[test]
    fn what_is_written_anew_leaves_the_old_file_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("s")).unwrap();
        home.create().unwrap();
        let old = "# why\nsettings.retention_days = 7\n";
        std::fs::write(home.config_file(), old).unwrap();
        let mut config = ConfigFile::load(&home).unwrap();
        config.settings.retention_days = 9;
        config.store(&home).unwrap();
        assert_eq!(ConfigFile::load(&home).unwrap(), config);
        assert_eq!(std::fs::read_to_string(home.path().join("config.toml.before")).unwrap(), old);
        config.settings.retention_days = 10;
        config.store(&home).unwrap();
        assert_eq!(
            std::fs::read_to_string(home.path().join("config.toml.before")).unwrap(),
            old,
            "only when it is lost"
        );
    }
}
