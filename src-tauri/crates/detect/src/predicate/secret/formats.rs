//! The token formats, as their providers document them: prefix, alphabet and length of what follows.

use super::Kind;

pub(super) struct Format {
    pub prefix: &'static str,
    pub alphabet: Alphabet,
    pub min: usize,
    pub max: usize,
    pub kind: Kind,
    /// The prefix may follow a letter or digit.
    pub inside_words: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Alphabet {
    /// a-f, A-F, 0-9
    Hex,
    /// A-Z, 0-9
    Upper,
    /// a-z, A-Z, 0-9
    Alnum,
    /// Alnum and `_ -`
    Word,
    /// Word and `. = / + : %`
    Wide,
}

impl Alphabet {
    pub fn has(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Wide => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'=' | b'/' | b'+' | b':' | b'%')
            }
        }
    }
}

const fn token(prefix: &'static str, alphabet: Alphabet, min: usize, max: usize) -> Format {
    Format { prefix, alphabet, min, max, kind: Kind::Token, inside_words: false }
}
const fn special(prefix: &'static str, kind: Kind) -> Format {
    Format { prefix, alphabet: Alphabet::Word, min: 0, max: 0, kind, inside_words: true }
}

use Alphabet::{Alnum, Hex, Upper, Wide, Word};

pub(super) static FORMATS: &[Format] = &[
    special("-----BEGIN ", Kind::PrivateKey),
    Format { inside_words: false, ..special("eyJ", Kind::Jwt) },
    // Clouds
    token("AKIA", Upper, 16, 16),
    token("ASIA", Upper, 16, 16),
    token("ABIA", Upper, 16, 16),
    token("AIza", Word, 35, 35),
    token("ya29.", Wide, 20, 400),
    token("GOCSPX-", Word, 28, 28),
    token("LTAI", Alnum, 17, 20),
    token("dop_v1_", Hex, 64, 64),
    token("doo_v1_", Hex, 64, 64),
    token("dor_v1_", Hex, 64, 64),
    token("AccountKey=", Wide, 86, 90),
    token("SharedAccessKey=", Wide, 40, 60),
    token("HRKU-AA", Word, 50, 70),
    token("FlyV1 fm", Wide, 40, 1000),
    token("hvs.", Word, 90, 140),
    token("hvb.", Word, 130, 220),
    token("pul-", Hex, 40, 40),
    token("AQVN", Word, 35, 38),
    token("dapi", Hex, 32, 34),
    token("dt0c01.", Wide, 80, 100),
    token("dp.pt.", Alnum, 40, 44),
    token("dp.st.", Wide, 40, 80),
    token("tskey-", Word, 20, 80),
    token("nvapi-", Word, 60, 70),
    // Code hosts and package registries
    token("ghp_", Alnum, 36, 40),
    token("gho_", Alnum, 36, 40),
    token("ghu_", Alnum, 36, 40),
    token("ghs_", Alnum, 36, 40),
    token("ghr_", Alnum, 36, 80),
    token("github_pat_", Word, 60, 90),
    token("glpat-", Wide, 20, 70),
    token("gldt-", Word, 20, 70),
    token("glptt-", Word, 40, 40),
    token("glrt-", Wide, 20, 70),
    token("glcbt-", Word, 20, 40),
    token("glft-", Word, 20, 40),
    token("glimt-", Word, 20, 40),
    token("glsoat-", Word, 20, 40),
    token("gloas-", Word, 60, 70),
    token("GR1348941", Word, 20, 24),
    token("ATATT3", Wide, 150, 250),
    token("ATBB", Alnum, 28, 40),
    token("npm_", Alnum, 36, 36),
    token("pypi-AgEIcHlwaS", Word, 50, 1000),
    token("rubygems_", Hex, 48, 48),
    token("dckr_pat_", Word, 27, 27),
    token("CLOJARS_", Alnum, 60, 60),
    token("sgp_", Wide, 40, 64),
    token("API-", Upper, 26, 26),
    token("CCIPAT_", Word, 40, 80),
    // Models
    token("sk-ant-", Word, 60, 130),
    token("sk-proj-", Word, 40, 200),
    token("sk-svcacct-", Word, 40, 200),
    token("sk-or-v1-", Hex, 64, 64),
    token("sk-", Alnum, 32, 64),
    token("hf_", Alnum, 34, 40),
    token("api_org_", Alnum, 34, 34),
    token("gsk_", Alnum, 50, 60),
    token("xai-", Alnum, 70, 90),
    token("pplx-", Alnum, 40, 60),
    token("r8_", Alnum, 37, 40),
    // Payment
    token("sk_live_", Alnum, 16, 120),
    token("rk_live_", Alnum, 16, 120),
    token("sk_test_", Alnum, 24, 120),
    token("rk_test_", Alnum, 24, 120),
    token("whsec_", Alnum, 32, 64),
    token("sq0atp-", Word, 22, 60),
    token("sq0csp-", Word, 43, 60),
    token("EAAA", Wide, 56, 64),
    token("FLWSECK_TEST-", Alnum, 12, 40),
    token("FLWPUBK_TEST-", Alnum, 12, 40),
    token("EZAK", Alnum, 54, 54),
    token("EZTK", Alnum, 54, 54),
    token("shippo_live_", Hex, 40, 40),
    token("shippo_test_", Hex, 40, 40),
    token("duffel_live_", Word, 40, 48),
    token("duffel_test_", Word, 40, 48),
    // Chat, mail, work
    token("xoxb-", Word, 30, 120),
    token("xoxp-", Word, 30, 160),
    token("xoxa-", Word, 20, 160),
    token("xoxr-", Word, 20, 160),
    token("xoxs-", Word, 20, 160),
    token("xoxo-", Word, 20, 160),
    token("xoxe.", Word, 30, 300),
    token("xapp-", Word, 30, 160),
    token("hooks.slack.com/services/", Wide, 40, 60),
    token("discord.com/api/webhooks/", Wide, 70, 110),
    token("webhook.office.com/webhookb2/", Wide, 80, 240),
    token("SG.", Wide, 60, 70),
    token("SK", Hex, 32, 32),
    token("key-", Hex, 32, 32),
    token("shpat_", Hex, 32, 32),
    token("shpca_", Hex, 32, 32),
    token("shppa_", Hex, 32, 32),
    token("shpss_", Hex, 32, 32),
    token("lin_api_", Alnum, 40, 40),
    token("PMAK-", Word, 50, 64),
    token("ntn_", Alnum, 40, 50),
    token("figd_", Word, 36, 60),
    token("tfp_", Wide, 50, 64),
    token("rdme_", Alnum, 60, 80),
    token("ops_eyJ", Wide, 200, 1200),
    token("A3-", Word, 30, 40),
    token("p8e-", Alnum, 32, 32),
    token("sl.", Word, 130, 160),
    token("pat.", Wide, 50, 90),
    token("sat.", Wide, 50, 90),
    // Operations
    token("glsa_", Word, 40, 44),
    token("glc_", Wide, 32, 420),
    token("NRAK-", Upper, 27, 27),
    token("NRJS-", Hex, 19, 19),
    token("NRII-", Word, 32, 32),
    token("sntrys_", Wide, 60, 300),
    token("sntryu_", Hex, 64, 64),
    token("pscale_tkn_", Wide, 32, 64),
    token("pscale_oauth_", Wide, 32, 64),
    token("pscale_pw_", Wide, 32, 64),
    token("pnu_", Alnum, 36, 36),
    token("ico-", Alnum, 32, 32),
    token("sm_aat_", Alnum, 16, 16),
    token("sm_pat_", Alnum, 16, 16),
    token("sm_sat_", Alnum, 16, 16),
    token("AGE-SECRET-KEY-1", Upper, 58, 58),
];
