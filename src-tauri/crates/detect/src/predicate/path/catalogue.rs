//! The files that matter, by what their loss or change would mean. Entries are lower-case and normalised.

use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Set {
    /// Private keys, keychains, password stores, wallets, browser profiles.
    PrivateKeys,
    /// Files in which tools keep tokens and passwords.
    Credentials,
    /// `.env` and its kin (not the examples).
    EnvFiles,
    /// Shell and database histories.
    Histories,
    /// System files that hold secrets or other processes' memory.
    System,
    /// Harmless system files that traversal attempts aim at.
    Probe,
    /// Settings and logs of the system and its servers, which no project folder holds.
    SystemSettings,
    /// Portcullis' own state.
    State,
    /// Configuration files of AI apps, which decide what they start.
    AppConfigs,
    /// Files that run by themselves at login, in a shell or on a git command.
    Startup,
}

/// `…/x`: ends with; `x/…`: lies below; `…/x/…`: has the part; else: equal.
#[rustfmt::skip]
static PRIVATE_KEYS: LazyLock<List> = LazyLock::new(|| List::of(&[
    "…/.ssh/identity", "…/.gnupg/private-keys-v1.d/…", "…/.gnupg/secring.gpg", "…/library/keychains/…",
    "…/.local/share/keyrings/…", "…/.password-store/…", "…/appdata/roaming/microsoft/credentials/…",
    "…/appdata/local/microsoft/credentials/…", "…/appdata/roaming/microsoft/protect/…",
    "…/appdata/local/microsoft/vault/…", "…/.bitcoin/wallet.dat", "…/wallet.dat", "…/.electrum/wallets/…",
    "…/.ethereum/keystore/…", "…/exodus.wallet/…", "…/.config/solana/id.json", "…/key4.db", "…/logins.json",
    "…/cookies.sqlite", "…/login data", "…/.config/1password/…",
    "…/library/group containers/2bua8c4s2c.com.1password/…",
]));
#[rustfmt::skip]
static CREDENTIALS: LazyLock<List> = LazyLock::new(|| List::of(&[
    "…/.aws/credentials", "…/.azure/accesstokens.json", "…/.azure/msal_token_cache.json", "…/gcloud/credentials.db",
    "…/gcloud/access_tokens.db", "…/gcloud/application_default_credentials.json", "…/gcloud/legacy_credentials/…",
    "…/.kube/config", "…/.docker/config.json", "…/.netrc", "…/_netrc", "~/.npmrc", "…/.pypirc",
    "…/.git-credentials", "…/.config/gh/hosts.yml", "…/.config/hub", "…/.pgpass", "~/.my.cnf", "…/.vault-token",
    "…/credentials.tfrc.json", "…/.cargo/credentials", "…/.cargo/credentials.toml", "…/.gem/credentials",
    "~/.m2/settings.xml", "…/.s3cfg", "…/.boto", "…/.config/rclone/rclone.conf", "…/.claude/.credentials.json",
    "…/.codex/auth.json", "…/.config/op/config", "…/.oci/config", "…/.databrickscfg",
]));
#[rustfmt::skip]
static HISTORIES: LazyLock<List> = LazyLock::new(|| List::of(&[
    "…/.bash_history", "…/.zsh_history", "…/.python_history", "…/.psql_history", "…/.mysql_history",
    "…/.node_repl_history", "…/consolehost_history.txt",
]));
#[rustfmt::skip]
static SYSTEM: LazyLock<List> = LazyLock::new(|| List::of(&[
    "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/master.passwd", "/etc/sudoers", "/etc/sudoers.d/…",
    "/etc/security/opasswd", "/proc/kcore", "/dev/mem", "/dev/kmem", "/windows/system32/config/…",
    "/windows/repair/sam", "/windows/ntds/ntds.dit", "/var/run/secrets/…", "/run/secrets/…", "/etc/krb5.keytab",
    "/etc/kubernetes/admin.conf", "/var/lib/kubelet/config.yaml",
]));
#[rustfmt::skip]
static PROBE: LazyLock<List> = LazyLock::new(|| List::of(&[
    "/etc/passwd", "/etc/group", "/etc/hosts", "/etc/issue", "/etc/motd", "/etc/fstab", "/etc/crontab",
    "/etc/profile", "/etc/mysql/my.cnf", "/etc/my.cnf", "/etc/apache2/…", "/etc/httpd/…", "/etc/nginx/…",
    "/etc/ssh/…", "/etc/php…", "/etc/hostname", "/etc/resolv.conf", "/etc/environment", "/boot.ini",
    "/windows/win.ini", "/windows/system.ini", "/windows/system32/drivers/etc/hosts", "/winnt/win.ini", "/winnt/…",
    "/windows/…", "/proc/version", "/proc/cmdline", "/proc/mounts", "/proc/net/…", "/proc/self/…", "/var/log/…",
    "/root/…", "/autoexec.bat", "/inetpub/…",
]));
#[rustfmt::skip]
static SYSTEM_SETTINGS: LazyLock<List> = LazyLock::new(|| List::of(&[
    "/etc/passwd", "/etc/passwd-", "/etc/group", "/etc/group-", "/etc/crontab", "/etc/anacrontab", "/etc/cron…", "/etc/exports",
    "/etc/fstab", "/etc/inetd.conf", "/etc/xinetd…", "/etc/issue", "/etc/motd", "/etc/mtab", "/etc/inittab", "/etc/bashrc",
    "/etc/bash.bashrc", "/etc/profile", "/etc/environment", "/etc/login.defs", "/etc/pam.d/…", "/etc/security/…", "/etc/sysconfig/…",
    "/etc/network/…", "/etc/networks", "/etc/hosts.allow", "/etc/hosts.deny", "/etc/hostname.…", "/etc/ssh/…", "/etc/ssl/private/…",
    "/etc/apache…", "/etc/httpd/…", "/etc/http/…", "/etc/nginx/…", "/etc/lighttpd/…", "/etc/php…", "/etc/mysql/…", "/etc/my.cnf",
    "/etc/postgresql/…", "/etc/redis…", "/etc/samba/…", "/etc/smb.conf", "/etc/proftpd…", "/etc/vsftpd…", "/etc/pure-ftpd…",
    "/etc/ftp…", "/etc/init.d/…", "/etc/rc…", "/etc/syslog…", "/etc/rsyslog…", "/etc/logrotate…", "/etc/snmp/…", "/etc/ldap/…",
    "/etc/openldap/…", "/etc/squid…", "/etc/tomcat…", "/etc/wu-ftpd/…", "/etc/webmin/…", "/etc/opt/…", "/etc/release",
    "/etc/at.allow", "/etc/at.deny", "/etc/cups/…", "/etc/dovecot…", "/etc/postfix/…", "/etc/exim…", "/etc/aliases", "/etc/mail…",
    "/etc/chrootusers", "/etc/vhcs2/…", "/etc/updatedb.conf", "/etc/sudo.conf", "/etc/lsb-release.d", "/etc/mod…", "/etc/named…",
    "/etc/bind/…", "/etc/openvpn/…", "/etc/wireguard/…", "/etc/netplan/…", "/etc/networkmanager/…", "/etc/ppp/…", "/etc/grub…",
    "/boot/…", "/proc/version", "/proc/cmdline", "/proc/config.gz", "/proc/mounts", "/proc/modules", "/proc/partitions",
    "/proc/swaps", "/proc/net/…", "/proc/self/…", "/proc/interrupts", "/proc/ioports", "/proc/sched_debug", "/proc/devices",
    "/proc/filesystems", "/proc/driver/…", "/proc/sys/…", "/proc/bus/…",
    "/var/log/…", "/var/adm/…", "/var/apache…", "/var/mail/…", "/var/spool/…", "/var/lib/mysql/…", "/var/lib/mlocate/…",
    "/var/lib/dpkg/status", "/var/www/logs/…", "/var/www/conf/…", "/var/run/utmp", "/var/htmp", "/var/webmin/…", "/var/cpanel/…", "/var/local/www/conf/…",
    "/usr/local/apache…", "/usr/local/etc/apache…", "/usr/local/etc/httpd/…", "/usr/local/etc/nginx/…", "/usr/local/nginx/…",
    "/usr/local/php…", "/usr/local/etc/php…", "/usr/local/zend/…", "/usr/local/cpanel/…", "/usr/local/psa/…", "/usr/local/mysql/…",
    "/usr/local/pgsql/…", "/usr/local/www/logs/…", "/usr/lib/security/…", "/usr/apache…", "/usr/ports/…", "/usr/pkgsrc/…", "/usr/etc/…", "/usr/spool/…", "/usr/home/user/…",
    "/opt/lampp/…", "/opt/xampp/…", "/opt/apache…", "/opt/httpd/…", "/xampp/…", "/wamp/…", "/apache…", "/usr/lib/cron/…", "/mysql/…",
    "/root/.bash…", "/root/.ssh/…", "/root/.profile", "/root/.mysql_history", "/root/.my.cnf", "/root/.viminfo", "/root/anaconda-ks.cfg", "~/.ssh/known_hosts", "~/.ssh/authorized_keys",
    "~/.bash_logout", "~/.viminfo", "~/.lesshst", "~/.wget-hsts", "~/.xauthority",
    "/boot.ini", "/autoexec.bat", "/config.sys", "/ntldr", "/pagefile.sys", "/windows/win.ini", "/windows/system.ini", "/windows/php.ini", "/windows/repair/…",
    "/windows/system32/…", "/windows/debug/…", "/windows/panther/…", "/windows/iis…", "/windows/security/…", "/windows/csc/…", "/windows/my.ini", "/winnt/…",
    "/inetpub/…", "/unattend.xml", "/unattended.xml", "/sysprep.inf", "/sysprep/…", "/php/…", "/php4/…", "/php5/…", "/program files/apache…", "/program files/mysql/…",
    "/program files (x86)/apache…", "/program files/filezilla server/…", "/program files/xampp/…", "/minint/…", "/wamp64/…", "/private/etc/…", "/library/webserver/…",
]));
/// Settings and logs of servers by their name alone: they tell only when a path climbed to them.
#[rustfmt::skip]
static SERVER_FILES: LazyLock<List> = LazyLock::new(|| List::of(&[
    "…/.htaccess", "…/.htpasswd", "…/web-inf/…", "…/web.config", "…/wp-config.php", "…/config.inc.php", "…/error_log",
    "…/access_log", "…/error.log", "…/access.log", "…/httpd.conf", "…/php.ini", "…/my.cnf", "…/nginx.conf", "…/apache2.conf", "…/win.ini",
    "…/boot.ini", "…/httpd-ssl.conf", "…/vsftpd.conf", "…/proftpd.conf", "…/sshd_config", "…/tomcat-users.xml", "…/server.xml",
    "…/logs/…", "/php.ini", "…/passwd", "…/shadow", "…/global.asa", "…/database.yml", "…/settings.php", "…/localsettings.php",
]));
#[rustfmt::skip]
static STATE: LazyLock<List> = LazyLock::new(|| List::of(&[
    "~/.portcullis", "~/.portcullis/…", "~/.local/share/portcullis/…", "~/.local/state/portcullis/…",
    "~/.config/portcullis/…", "~/library/application support/portcullis/…", "~/appdata/roaming/portcullis/…",
    "~/appdata/local/portcullis/…", "…/.portcullis/…",
]));
#[rustfmt::skip]
static APP_CONFIGS: LazyLock<List> = LazyLock::new(|| List::of(&[
    "…/claude_desktop_config.json", "…/.cursor/mcp.json", "…/.vscode/mcp.json", "~/.claude.json",
    "…/.claude/settings.json", "…/.claude/settings.local.json", "…/windsurf/mcp_config.json",
    "…/.gemini/settings.json", "…/.codex/config.toml", "…/code/user/mcp.json", "…/cline_mcp_settings.json",
    "…/.kiro/settings/mcp.json", "…/.config/zed/settings.json", "…/.continue/config.yaml", "…/.roo/mcp.json",
    "…/.mcp.json", "…/.amazonq/mcp.json",
]));
#[rustfmt::skip]
static STARTUP: LazyLock<List> = LazyLock::new(|| List::of(&[
    "~/.bashrc", "~/.bash_profile", "~/.bash_login", "~/.profile", "~/.zshrc", "~/.zshenv", "~/.zprofile",
    "~/.zlogin", "~/.config/fish/config.fish", "…/.ssh/authorized_keys", "…/.ssh/rc", "…/.git/hooks/…",
    "/etc/crontab", "/etc/cron.d/…", "/etc/cron.daily/…", "/var/spool/cron/…", "/etc/rc.local", "/etc/profile.d/…",
    "/etc/systemd/system/…", "~/.config/systemd/user/…", "~/.config/autostart/…", "…/library/launchagents/…",
    "…/library/launchdaemons/…", "…/start menu/programs/startup/…", "…/.ssh/config", "/etc/ld.so.preload",
]));

impl Set {
    /// Whether the normalised path is in the set.
    pub fn holds(self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        match self {
            Self::PrivateKeys => {
                let in_ssh = path.contains("/.ssh/") || path.starts_with(".ssh/");
                let in_browser = [
                    "/chrome/",
                    "/chromium/",
                    "/brave-browser/",
                    "/edge/",
                    "google-chrome",
                    "/firefox/",
                    "/user data/",
                ]
                .iter()
                .any(|part| path.contains(part));
                in_ssh && name.starts_with("id_") && !name.contains(".pub")
                    || path.starts_with("/etc/ssh/ssh_host_") && name.ends_with("_key")
                    || in_browser && matches!(name, "cookies" | "login data" | "web data" | "local state")
                    || PRIVATE_KEYS.holds(path)
            }
            Self::Credentials => CREDENTIALS.holds(path),
            Self::EnvFiles => {
                const HARMLESS: &[&str] =
                    &["example", "sample", "template", "dist", "test", "defaults", "schema", "d.ts"];
                name == ".env"
                    || name.strip_prefix(".env.").is_some_and(|kind| !HARMLESS.iter().any(|word| kind.contains(word)))
            }
            Self::Histories => HISTORIES.holds(path),
            Self::System => {
                let of_process = path.strip_prefix("/proc/").and_then(|rest| rest.split_once('/'));
                of_process.is_some_and(|(_, file)| matches!(file, "environ" | "mem" | "maps" | "auxv" | "cmdline"))
                    || SYSTEM.holds(path)
            }
            Self::Probe => PROBE.holds(path) || SYSTEM_SETTINGS.holds(path) || SERVER_FILES.holds(path),
            Self::SystemSettings => SYSTEM_SETTINGS.holds(path),
            Self::State => STATE.holds(path),
            Self::AppConfigs => APP_CONFIGS.holds(path),
            Self::Startup => STARTUP.holds(path),
        }
    }

    /// The same for a path that lost its start to `..`: it may continue at the root or in some home.
    pub fn holds_after_climb(self, path: &str) -> bool {
        let rooted = format!("/{}", path.trim_start_matches('/'));
        let homed =
            rooted.strip_prefix("/home/").or(rooted.strip_prefix("/users/")).and_then(|rest| rest.split_once('/'));
        self.holds(&rooted) || homed.is_some_and(|(_, rest)| self.holds(&format!("~/{rest}")))
    }
}

/// The entries of a list by how they fit, so that most of them need no look.
#[derive(Default)]
struct List {
    ends: Vec<&'static str>,
    parts: Vec<&'static str>,
    starts: Vec<&'static str>,
    equal: Vec<&'static str>,
    /// A bit for each byte (of ASCII) that one of `ends` ends with, and that one of `starts` and `equal` begins with.
    last: u128,
    first: u128,
}

impl List {
    fn of(entries: &[&'static str]) -> Self {
        let mut list = Self::default();
        for entry in entries {
            let (kind, text) = match (entry.strip_prefix("…/"), entry.strip_suffix('…')) {
                (Some(_), Some(below)) => (&mut list.parts, &below["…".len()..]),
                (Some(end), None) => (&mut list.ends, end),
                (None, Some(start)) => (&mut list.starts, start),
                (None, None) => (&mut list.equal, *entry),
            };
            kind.push(text);
        }
        list.last = bits(list.ends.iter().filter_map(|text| text.bytes().last()));
        list.first = bits(list.starts.iter().chain(&list.equal).filter_map(|text| text.bytes().next()));
        list
    }

    fn holds(&self, path: &str) -> bool {
        let is_in = |bits: u128, byte: Option<u8>| byte.is_some_and(|byte| bits >> (byte & 127) & 1 != 0);
        let ends = || {
            let mut starts = self.ends.iter().filter_map(|end| path.strip_suffix(end));
            starts.any(|start| start.is_empty() || start.ends_with('/'))
        };
        let begins = || {
            self.starts.iter().any(|start| path.starts_with(start) || start.strip_suffix('/') == Some(path))
                || self.equal.contains(&path)
        };
        is_in(self.last, path.bytes().last()) && ends()
            || is_in(self.first, path.bytes().next()) && begins()
            || path.contains('/') && self.parts.iter().any(|part| path.contains(part) || path.starts_with(&part[1..]))
    }
}

fn bits(bytes: impl Iterator<Item = u8>) -> u128 {
    bytes.fold(0, |bits, byte| bits | 1 << (byte & 127))
}
