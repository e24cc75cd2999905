//! What the dashboard's API (`/api/*`) speaks. TypeScript types are generated from here into `ui/src/generated/`.
//! Times are Unix milliseconds. Errors are `ApiError` with a stable `code`; the UI switches on the code.

use crate::{
    AppId, AskId, Change, Confidence, Direction, Exchange, ExchangeId, Finding, Outcome, Severity, Transport, UnixMs,
    UpstreamId, Verdict,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! dto {
    ($($(#[$meta:meta])* $vis:vis $kind:ident $name:ident $body:tt)*) => {$(
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
        #[ts(export, export_to = "../../../../ui/src/generated/")]
        $(#[$meta])*
        $vis $kind $name $body
    )*};
}

mod ask;
mod judges;
mod pins;

pub use ask::*;
pub use judges::*;
pub use pins::*;

dto! {
    /// Every error answer of the API.
    pub struct ApiError {
        pub code: String,
        /// What happened, to what, and what to do, in one or two sentences.
        pub message: String,
        #[ts(type = "unknown")]
        pub details: Option<serde_json::Value>,
    }

    /// `POST /api/pair` with a one-use code: the bearer token for this browser.
    pub struct PairRequest { pub code: String }
    pub struct PairAnswer { pub token: String }

    /// `GET /api/sign-ins`: servers that asked for a sign-in, or have one. Only one of `needed` and `issuer` counts.
    pub struct SignIn {
        pub upstream: UpstreamId,
        pub app: AppId,
        pub app_name: String,
        /// The server's name in the app's config: display only.
        pub name: String,
        pub needed: bool,
        /// There is a sign-in, and the server asks for more than it allows.
        pub wider: bool,
        pub issuer: Option<String>,
        /// What the sign-in allows; while one is needed, what it would have to.
        pub scope: Option<String>,
        #[ts(type = "number | null")]
        pub expires_at: Option<UnixMs>,
    }
    /// `POST /api/sign-ins/{upstream}`: begins one. `DELETE` forgets it.
    pub struct SignInRequest {
        /// Of a client registered by hand, where the authorization server takes no new ones.
        #[serde(default)]
        pub client_id: Option<String>,
    }
    /// `PUT /api/sign-ins/{upstream}/own`: whether the app signs in itself. `GET /api/sign-ins/own` lists such servers.
    pub struct OwnSignInRequest { pub on: bool }
    /// Where the person signs in, in a browser on this machine.
    pub struct SignInAddress { pub url: String }

    /// `GET /api/status`
    pub struct Status {
        pub version: String,
        pub platform: String,
        pub home: String,
        #[ts(type = "number")]
        pub started_at: UnixMs,
        pub proxy_address: String,
        pub dashboard_address: String,
        pub protection: Protection,
        /// Servers with traffic seen through us, of all that are protected or could be.
        pub servers_seen: u32,
        /// Servers that an app was seen to run past us.
        pub servers_bypassing: u32,
        pub servers_total: u32,
        #[ts(type = "number | null")]
        pub last_message_at: Option<UnixMs>,
        /// Blocked or flagged Exchanges nobody has reviewed.
        pub open_alerts: u32,
        /// Of those, the blocked ones: while there is one, the tray icon says so.
        pub open_blocks: u32,
        #[ts(type = "number")]
        pub messages_today: u64,
        pub signatures_active: u32,
        /// Questions that wait for an answer.
        pub asks_waiting: u32,
        /// It is within the quiet hours: no notifications.
        pub quiet: bool,
        /// Then what was seen (servers, last message, Alerts, counts) is not known, rather than nothing.
        #[serde(default)]
        pub log_unreadable: bool,
        /// Problems that touch protection, one plain sentence each (audit locked, port squatted …).
        pub problems: Vec<String>,
    }

    #[serde(rename_all = "snake_case", tag = "state")]
    pub enum Protection {
        /// No app is protected.
        Off,
        Watching,
        /// Recorded, nothing blocked. `until` None: until resumed.
        Paused {
            #[ts(type = "number | null")]
            until: Option<UnixMs>,
        },
    }

    /// `GET /api/apps`: one element per known ClientApp, detected ones first.
    pub struct App {
        pub id: AppId,
        pub name: String,
        /// Its program was found on this machine.
        pub installed: bool,
        pub running: bool,
        pub files: Vec<AppFile>,
        /// Tri-state of the app's toggle: true when every coverable server is protected, None when some are.
        pub protected: Option<bool>,
        /// What the person has to do, if anything ("Restart Claude Desktop"), one sentence.
        pub hint: Option<String>,
        /// Why none of its servers can be protected, and what to do instead; such an app has no files.
        #[ts(optional = nullable)]
        pub not_covered: Option<String>,
        /// Servers that it has from other places, found on this machine and not carried.
        #[ts(as = "Option<Vec<Elsewhere>>", optional)]
        pub elsewhere: Vec<Elsewhere>,
        /// Other programs that read the same files.
        #[ts(as = "Option<Vec<String>>", optional)]
        pub also_read_by: Vec<String>,
    }

    /// Servers of an app that are in no file Portcullis writes: extensions, plugins, managed files.
    pub struct Elsewhere {
        pub what: String,
        pub path: String,
        pub reason: String,
        /// What the person can do.
        pub instead: String,
    }

    /// One config file of a ClientApp.
    pub struct AppFile {
        pub path: String,
        pub exists: bool,
        /// Why it cannot be read or written: what happened, file and line, what to do.
        pub problem: Option<String>,
        /// A change waits until the app has quit.
        pub queued: bool,
        pub servers: Vec<Server>,
        /// The folder that the person named, for a project's file.
        #[ts(optional = nullable)]
        pub project: Option<String>,
        /// What to think of before it is written.
        #[ts(optional = nullable)]
        pub warning: Option<String>,
    }

    /// One entry in a config: an Upstream.
    pub struct Server {
        /// Known once it was protected.
        pub id: Option<UpstreamId>,
        /// The entry's name: hostile text.
        pub name: String,
        pub transport: Transport,
        /// The real command line or URL, for reading; secrets masked.
        pub original: String,
        pub protected: bool,
        pub observed: Observed,
        #[ts(type = "number")]
        pub messages_24h: u64,
        pub pins: PinCounts,
        /// Programs that were seen to use it since Portcullis started: several apps read some files.
        #[ts(as = "Option<Vec<UsedBy>>", optional)]
        pub used_by: Vec<UsedBy>,
    }

    /// Who is at the app's end, by the programs above the shim and by what the client calls itself. Labels: nothing is
    /// allowed because of them.
    #[derive(Eq)]
    pub struct UsedBy {
        /// None: no app that we know stands above.
        pub app: Option<AppId>,
        /// The app's name, or the program's.
        pub name: String,
        /// `clientInfo.name`: hostile text.
        pub client: Option<String>,
    }

    /// Observed, never claimed.
    #[serde(rename_all = "snake_case", tag = "state")]
    pub enum Observed {
        /// Traffic went through us.
        Seen {
            #[ts(type = "number")]
            at: UnixMs,
        },
        /// Protected, and the app has not used it since.
        NotYetSeen { hint: String },
        /// In quarantine: nothing goes to it and nothing comes from it. None: until released.
        Quarantined {
            #[ts(type = "number | null")]
            until: Option<UnixMs>,
        },
        /// Protected, and the app has been running since before: it uses the old config until it starts again.
        Waiting { hint: String },
        /// A process of the app runs this server, and its Messages do not pass us.
        Bypassing { reason: String },
        Queued { hint: String },
        /// Not protected: by choice or because it cannot be carried.
        NotCovered { reason: String },
        /// The file was edited behind our back.
        EditedOutside,
        /// Protected, and it does not work: its config cannot (no `since`), or the server does not answer since then.
        Failing {
            reason: String,
            #[ts(type = "number | null")]
            since: Option<UnixMs>,
        },
    }

    pub struct PinCounts { pub pinned: u32, pub changed: u32 }

    /// `POST /api/apps/{app}/preview`
    pub struct PreviewRequest {
        pub action: ConfigAction,
        /// Names of the entries; None: all.
        pub servers: Option<Vec<String>>,
    }
    #[serde(rename_all = "snake_case")]
    #[derive(Copy, Eq)]
    pub enum ConfigAction { Protect, Restore }

    /// What would be written. `POST /api/apps/{app}/apply` with the token writes exactly this or refuses.
    pub struct Preview {
        pub token: String,
        pub app: AppId,
        pub action: ConfigAction,
        pub files: Vec<FilePreview>,
        /// What the person should know or do ("Restart Cursor to apply").
        pub hints: Vec<String>,
    }
    pub struct FilePreview {
        pub path: String,
        pub diff: Vec<DiffLine>,
        pub servers: Vec<ServerPlan>,
        /// Why it is not written; the diff then holds the lines to put in by hand.
        pub refused: Option<String>,
        /// Written only once the app has quit.
        pub queued: bool,
        /// What to think of before it is written (a project's file under version control).
        #[ts(optional = nullable)]
        pub warning: Option<String>,
    }
    pub struct ServerPlan {
        pub name: String,
        pub transport: Transport,
        pub change: PlannedChange,
        /// Why nothing changes, when nothing does.
        pub reason: Option<String>,
    }
    #[serde(rename_all = "snake_case")]
    #[derive(Copy, Eq)]
    pub enum PlannedChange { Shim, LocalUrl, Unwrap, Nothing }
    pub struct DiffLine { pub tag: DiffTag, pub old_line: Option<u32>, pub new_line: Option<u32>, pub text: String }
    #[serde(rename_all = "snake_case")]
    #[derive(Copy, Eq)]
    pub enum DiffTag { Same, Removed, Added }

    pub struct ApplyRequest { pub token: String }
    /// `GET /api/folders` lists the folders whose project files are looked at; `POST` adds one, `POST /api/folders/remove` leaves it out.
    pub struct FolderRequest { pub path: String }
    pub struct ApplyAnswer { pub written: Vec<String>, pub queued: Vec<String>, pub hints: Vec<String> }

    /// `GET /api/exchanges?app&upstream&verdict&method&target&direction&q&since&until&cursor&limit`, newest first.
    /// `verdict` takes a comma list; `q` is full text; `cursor` is the previous page's `next`.
    pub struct ExchangePage {
        pub rows: Vec<ExchangeRow>,
        pub next: Option<String>,
        /// Exact up to 100,000; None above.
        #[ts(type = "number | null")]
        pub total: Option<u64>,
    }
    pub struct ExchangeRow {
        pub id: ExchangeId,
        #[ts(type = "number")]
        pub at: UnixMs,
        pub app: AppId,
        pub upstream: UpstreamId,
        pub upstream_name: String,
        pub transport: Transport,
        pub direction: Direction,
        pub notification: bool,
        pub method: String,
        pub target: Option<String>,
        pub verdict: Verdict,
        pub outcome: Outcome,
        #[ts(type = "number | null")]
        pub duration_us: Option<u64>,
        /// The strongest Finding's title and Signature.
        pub title: Option<String>,
        pub signature: Option<String>,
        pub reviewed: bool,
    }
    /// `GET /api/exchanges/{id}`
    pub struct ExchangeDetail {
        pub exchange: Exchange,
        pub review: Option<Review>,
        /// Why each Signature looks for this, and what to do.
        pub explanations: Vec<Explanation>,
        /// Up to 5 rows before and after in the same Session.
        pub trail: Vec<ExchangeRow>,
        /// What was redacted was kept: `POST /api/exchanges/{id}/original` shows it to a person.
        #[serde(default)]
        pub has_original: bool,
    }
    /// What a redacted Message said, as it came. For the eyes of a person, never to be stored.
    pub struct Original { pub to_upstream: Option<String>, pub to_client: Option<String> }
    pub struct Explanation { pub signature: String, pub description: String, pub advice: String }
    pub struct Review {
        pub reason: ReviewReason,
        #[ts(type = "number")]
        pub at: UnixMs,
    }
    #[serde(rename_all = "snake_case")]
    #[derive(Copy, Eq)]
    pub enum ReviewReason { Expected, FalseAlarm, Attack, Test }
    /// `POST /api/alerts/{exchange}/review`; None takes a review back.
    pub struct ReviewRequest { pub reason: Option<ReviewReason> }

    /// `GET /api/alerts?state=open|reviewed|all`: Exchanges of Flag or more, equal ones grouped, newest first.
    pub struct AlertGroup {
        /// The newest of the group.
        pub newest: ExchangeRow,
        pub count: u32,
        #[ts(type = "number")]
        pub first_at: UnixMs,
    }
    pub struct AlertPage { pub groups: Vec<AlertGroup>, #[ts(type = "number")] pub open: u64, #[ts(type = "number")] pub all: u64 }

    /// `GET /api/stats?hours=24`: one bucket per hour, oldest first.
    pub struct Stats { pub buckets: Vec<StatsBucket> }
    pub struct StatsBucket {
        #[ts(type = "number")]
        pub from: UnixMs,
        #[ts(type = "number")]
        pub messages: u64,
        #[ts(type = "number")]
        pub flagged: u64,
        #[ts(type = "number")]
        pub asked: u64,
        #[ts(type = "number")]
        pub blocked: u64,
    }

    /// `GET /api/signatures` (without `text`) and `GET /api/signatures/{id}` (with it).
    pub struct SignatureInfo {
        pub id: String,
        pub version: u32,
        pub category: String,
        pub title: String,
        pub description: String,
        pub advice: String,
        pub severity: Severity,
        pub confidence: Confidence,
        pub verdict: Verdict,
        /// `experimental`, `stable` or `deprecated`.
        pub status: String,
        pub false_positives: String,
        pub references: Vec<String>,
        pub hits: Vec<String>,
        pub misses: Vec<String>,
        /// Path below the signatures folder.
        pub file: String,
        /// False: the person's own.
        pub bundled: bool,
        pub enabled: bool,
        #[ts(type = "number")]
        pub hits_30d: u64,
        /// The TOML file's text.
        pub text: Option<String>,
    }
    pub struct SignatureList { pub signatures: Vec<SignatureInfo>, pub faults: Vec<SignatureFault> }
    /// A Signature file that was refused; the last good set stays in force.
    pub struct SignatureFault { pub file: String, pub line: Option<u32>, pub code: String, pub message: String }
    /// `PUT /api/signatures/{id}`
    pub struct SignatureSwitch { pub enabled: bool }

    /// `POST /api/pause`; `POST /api/resume` has no body.
    pub struct PauseRequest { pub minutes: Option<u32> }

    /// `POST /api/drill` starts one, `GET /api/drill` gives the newest (null before the first).
    pub struct DrillReport {
        #[ts(type = "number")]
        pub at: UnixMs,
        pub running: bool,
        pub rows: Vec<DrillRow>,
        pub error: Option<String>,
    }
    pub struct DrillRow {
        pub attack: String,
        /// What the hostile server tries, one sentence.
        pub description: String,
        pub transport: Transport,
        pub caught: bool,
        pub verdict: Verdict,
        pub signature: Option<String>,
        pub exchange: Option<ExchangeId>,
        #[ts(type = "number")]
        pub took_ms: u64,
    }

    /// `GET` and `PUT /api/settings`
    pub struct Settings {
        pub retention_days: u32,
        pub retention_mib: u32,
        pub notifications: bool,
        pub start_at_login: bool,
        /// Wrap servers that appear in a protected app's config by themselves; else only announce them.
        pub protect_new_servers: bool,
        /// What a new server defines is kept from the app until the person has looked at it.
        pub hold_new_servers: bool,
        /// How long a question waits, 5 to 290 seconds. Most apps give up after 60.
        pub ask_seconds: u32,
        /// When notifications stay silent. Never touches questions in the window, nor blocking.
        pub quiet_hours: Option<QuietHours>,
        /// What a redacted Message said is kept, encrypted, for a week; only a person sees it.
        #[serde(default)]
        pub keep_originals: bool,
    }

    /// One element of `GET /api/events` (Server-Sent Events, `data:` is this as JSON). After a gap the UI refetches.
    #[serde(tag = "kind", rename_all = "snake_case")]
    pub enum LiveEvent {
        Hello { version: String },
        Exchange { row: ExchangeRow },
        /// The response of a row already sent.
        ExchangeUpdated { row: ExchangeRow },
        Change { change: Change },
        /// Something in Status, Apps or Signatures changed: refetch.
        Stale { what: Vec<String> },
        Drill { report: DrillReport },
        /// A Message is held, or was denied because nobody could see the question (its `state` says so).
        Asked { ask: Box<Ask> },
        /// A question is over: answered, timed out, taken back.
        Answered { ask: AskId, state: AskState },
        Gap {
            #[ts(type = "number")]
            dropped: u64,
        },
    }

    /// `portcullis scan --json` and `--jsonl`: one line per Message.
    pub struct ScanReport { pub id: Option<String>, pub verdict: Verdict, pub findings: Vec<Finding> }
}

impl ExchangeRow {
    pub fn of(exchange: &Exchange, reviewed: bool) -> Self {
        let strongest = exchange.findings.iter().max_by_key(|f| (f.verdict, f.severity));
        Self {
            id: exchange.id.clone(),
            at: exchange.at,
            app: exchange.app.clone(),
            upstream: exchange.upstream.clone(),
            upstream_name: exchange.upstream_name.clone(),
            transport: exchange.transport,
            direction: exchange.direction,
            notification: exchange.notification,
            method: exchange.method.clone(),
            target: exchange.target.clone(),
            verdict: exchange.verdict,
            outcome: exchange.outcome,
            duration_us: exchange.duration_us,
            title: strongest.map(|f| f.title.clone()),
            signature: strongest.map(|f| f.signature.clone()),
            reviewed,
        }
    }
}
