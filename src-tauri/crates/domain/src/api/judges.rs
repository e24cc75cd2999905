//! Optional judges as the dashboard and the command line see them: what is switched on, where texts go, what came of it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

dto! {
    /// `GET /api/judges`.
    pub struct JudgeList { pub judges: Vec<JudgeInfo> }
    pub struct JudgeInfo {
        pub name: JudgeName,
        /// None: never set.
        pub settings: Option<JudgeSettings>,
        pub counts: JudgeCounts,
        /// Why it cannot work now.
        pub problem: Option<String>,
    }
    #[derive(Copy, Eq, Hash, PartialOrd, Ord)]
    #[serde(rename_all = "snake_case")]
    pub enum JudgeName {
        /// A language model behind an endpoint of the person's choosing.
        Model,
        /// A text classifier in a file, run on this machine.
        Onnx,
    }
    /// `PUT /api/judges/{name}`.
    pub struct JudgeSettings {
        pub enabled: bool,
        pub scope: JudgeScope,
        pub timeout_seconds: u32,
        /// Of each day (UTC).
        pub most_per_day: u32,
        /// From 1 to 100: from here on its opinion is an Alert.
        pub threshold_percent: u32,
        pub kind: JudgeKind,
    }
    /// What it is asked about.
    #[derive(Copy, Eq)]
    #[serde(rename_all = "snake_case")]
    pub enum JudgeScope {
        /// What the local checks found doubtful, or nearly.
        Grey,
        /// Everything that went through.
        All,
    }
    #[serde(tag = "kind", rename_all = "snake_case")]
    pub enum JudgeKind {
        Model {
            style: ModelStyle,
            /// Without path: `https://host`, or http on this machine.
            url: String,
            model: String,
            key: Option<KeySource>,
        },
        Onnx { file: String },
    }
    #[derive(Copy, Eq)]
    #[serde(rename_all = "snake_case")]
    pub enum ModelStyle { Openai, Ollama }
    /// Where the key is; never the key.
    #[derive(Eq)]
    #[serde(rename_all = "snake_case")]
    pub enum KeySource {
        /// Name of an environment variable of the daemon.
        Env(String),
        /// Path of a file that only its owner may read.
        File(String),
    }
    /// Since the daemon started.
    #[derive(Copy, Default)]
    pub struct JudgeCounts {
        pub asked: u32,
        pub doubtful: u32,
        pub fine: u32,
        /// Answers that were none.
        pub unparsable: u32,
        pub late: u32,
        pub failed: u32,
        /// Known from an equal text before.
        pub cached: u32,
        /// Not asked because the day's budget was used up.
        pub over_budget: u32,
        /// Not asked because too many waited.
        pub dropped: u32,
        pub used_today: u32,
    }
    /// `POST /api/judges/{name}/test`: its opinion of a hostile and of an ordinary text that ship with Portcullis.
    pub struct JudgeTest { pub samples: Vec<JudgeSample> }
    pub struct JudgeSample {
        pub hostile: bool,
        /// 0 to 100; None: it gave no usable answer.
        pub percent: Option<u32>,
        pub fault: Option<String>,
        pub took_ms: u32,
    }
}
