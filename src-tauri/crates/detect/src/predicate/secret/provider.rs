//! Secrets known by a provider's name beside them: `mailgun_key = "…"`. The value has no form of its own, so name,
//! sign of assignment and randomness must all agree.

use super::{Kind, Secret, entropy, is_random};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::ops::Range;
use std::sync::LazyLock;

/// Services whose keys have no prefix of their own, or not always.
#[rustfmt::skip]
const PROVIDERS: &[&str] = &[
    "adafruit", "adobe", "airtable", "algolia", "alibaba", "aliyun", "amplitude", "apify", "artifactory", "asana", "atlassian", "confluence", "jira",
    "auth0", "authress", "azure", "beamer", "bintray", "bitbucket", "bitly", "bittrex", "braintree", "bugsnag", "buildkite", "calendly", "circleci", "clerk", "clickhouse",
    "cloudflare", "cloudinary", "codacy", "codecov", "codeclimate", "cohere", "coinbase", "confluent", "contentful", "coveralls", "datadog", "deepgram",
    "deepseek", "digitalocean", "discord", "docker", "doppler", "droneci", "dropbox", "dynatrace", "easypost", "elastic", "elevenlabs",
    "etsy", "facebook", "fastly", "figma", "finicity", "finnhub", "firebase", "flickr", "flutterwave", "foursquare", "freemius", "freshbooks", "freshdesk", "gitea", "github", "gitlab",
    "gitter", "gocardless", "grafana", "hashicorp", "heroku", "honeycomb", "hubspot", "infura", "instagram", "intercom", "intra42", "ipinfo", "ipstack", "jenkins", "jfrog", "kraken", "kubernetes", "kucoin",
    "launchdarkly", "line_channel", "linear", "linkedin", "linked-in", "linked_in", "lob", "logzio", "looker", "mailchimp", "mailgun", "mandrill", "mapbox", "mattermost", "maxmind", "meraki",
    "messagebird", "message-bird", "message_bird", "microsoft", "mixpanel", "monday", "netlify", "newrelic", "new-relic", "new_relic", "ngrok", "notion", "npm", "nytimes", "new-york-times", "newyorktimes", "octopus",
    "okta", "onelogin", "opsgenie", "openai", "openweather", "optimizely", "pagerduty", "paypal", "pendo", "perplexity", "pinecone", "plaid", "planetscale", "plivo", "postmark", "posthog", "privateai", "private_ai", "private-ai", "pusher", "quicknode", "rapidapi",
    "recaptcha", "redis", "replicate", "rollbar", "salesforce", "segment", "sendbird", "sendgrid", "sentry", "shodan", "shopify", "sidekiq", "bundle_enterprise__contribsys", "bundle_gems__contribsys", "slack", "snowflake", "snyk", "sonar", "sourcegraph", "splunk", "spotify",
    "square", "squarespace", "strava", "stripe", "sumo", "supabase", "tableau", "telegram", "telegr", "terraform", "todoist", "travis", "trello", "twilio", "twitch", "twitter", "typeform",
    "unsplash", "vault", "vercel", "virustotal", "vonage", "nexmo", "weatherapi", "webex", "wakatime", "yandex", "yelp", "youtube", "zapier", "zendesk", "zoho", "zoom", "xray",
];
/// Between the name and the sign of assignment.
const MAX_NAME_TAIL: usize = 24;
/// Before the name, where the line may say that it is about a key.
const MAX_LINE_BEFORE: usize = 64;
const MIN_VALUE: usize = 14;
const MAX_VALUE: usize = 160;

pub(super) fn find(bytes: &[u8], place: Range<usize>, found: &mut Vec<Secret>) {
    static NAMES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).ascii_case_insensitive(true).build(PROVIDERS).ok()
    });
    let Some(names) = NAMES.as_ref() else { return };
    for hit in names.find_iter(&bytes[place.clone()]) {
        let (name, name_end) = (place.start + hit.start(), place.start + hit.end());
        if let Some((start, end)) = value_behind(bytes, name_end)
            && is_secret(&bytes[start..end], &bytes[line_start(bytes, name)..start])
        {
            found.push(Secret { kind: Kind::Assigned, range: start..end });
        }
    }
}

/// `…_token: "`, `…Key => '`, `…||`: some name, quotes, a sign of assignment, quotes, then the value up to its end.
fn value_behind(bytes: &[u8], name_end: usize) -> Option<(usize, usize)> {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'.' | b'-' | b' ' | b'\t');
    let is_quote = |byte: &&u8| matches!(**byte, b'\'' | b'"' | b'`' | b' ' | b'\t' | b'\n' | b'\r' | b'\\');
    let mut at = name_end;
    at += bytes[at..].iter().take(MAX_NAME_TAIL).take_while(is_name).count();
    at += bytes[at..].iter().take(4).take_while(is_quote).count();
    let signs =
        bytes[at..].iter().take(4).take_while(|byte| matches!(**byte, b'=' | b':' | b'>' | b'|' | b'?' | b',')).count();
    if signs == 0 {
        return None;
    }
    at += signs;
    at += bytes[at..].iter().take(6).take_while(|byte| is_quote(byte) || **byte == b'=').count();
    let is_value = |byte: &&u8| {
        byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'-' | b'=' | b'.' | b'+' | b'/' | b'|' | b'~' | b':')
    };
    let length = bytes[at..].iter().take(MAX_VALUE + 1).take_while(is_value).count();
    let closes = bytes
        .get(at + length)
        .is_none_or(|byte| is_quote(&byte) || matches!(byte, b';' | b',' | b'<' | b'}' | b')' | b'&' | b'%'));
    ((MIN_VALUE..=MAX_VALUE).contains(&length) && closes).then_some((at, at + length))
}

/// Where the line of `at` begins, or as much of it as counts.
fn line_start(bytes: &[u8], at: usize) -> usize {
    let from = at.saturating_sub(MAX_LINE_BEFORE);
    memchr::memrchr(b'\n', &bytes[from..at]).map_or(from, |n| from + n + 1)
}

/// `before`: the line up to the value.
fn is_secret(value: &[u8], before: &[u8]) -> bool {
    let count = |test: fn(&u8) -> bool| value.iter().filter(|byte| test(byte)).count();
    let (digits, letters) = (count(u8::is_ascii_digit), count(u8::is_ascii_alphabetic));
    let hex = value.iter().all(u8::is_ascii_hexdigit);
    let is_uuid = value.len() == 36 && value.iter().filter(|byte| **byte == b'-').count() == 4;
    let is_other = value.starts_with(b"http")
        || value.starts_with(b"/")
        || value.starts_with(b"./")
        || super::contains(value, b"://")
        || value.iter().filter(|byte| matches!(**byte, b'/' | b'.' | b':')).count() > 3;
    let named = || {
        let name = before.to_ascii_lowercase();
        ["key", "token", "secret", "passw", "auth", "api", "client", "cred", "pat"]
            .iter()
            .any(|word| super::contains(&name, word.as_bytes()))
    };
    // Hashes, ids and dates stand beside such names for honest reasons too.
    let plain = hex || is_uuid || value.len() < 20;
    // Words joined by hyphens are names, not keys.
    let longest_word = value.split(|byte| !byte.is_ascii_alphabetic()).map(<[u8]>::len).max().unwrap_or(0);
    digits >= 3
        && letters >= 3
        && !is_other
        && !is_name(value)
        && longest_word <= 16
        && digits + letters >= value.len() * 3 / 4
        && entropy(value) >= 3.0
        && (!plain || named())
        && is_random(value)
}

/// `paint0_linear_3004_316`: words and numbers, apart. In a key they are mixed.
fn is_name(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| !byte.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.all(|part| {
        let letters = part.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        part[letters..].iter().all(u8::is_ascii_digit) && (letters == 0 || part.len() - letters <= 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Vec<Secret> {
        let mut found = Vec::new();
        super::find(text.as_bytes(), 0..text.len(), &mut found);
        found
    }

    #[test]
    fn values_beside_a_provider_s_name() {
        let value = "h7k2m9x4q1w8e5r3t6y0u2i4";
        for text in [
            format!("mailgun_key = \"{value}\""),
            format!("FASTLY_API_TOKEN={value}"),
            format!("zendeskToken => '{value}'"),
            format!("{{\"okta_secret\": \"{value}\"}}"),
        ] {
            assert_eq!(find(&text).len(), 1, "{text}");
        }
    }

    #[test]
    fn honest_values_beside_one() {
        for text in [
            "slack: https://example.slack.com/archives/C024BE91L/p1234567890123456",
            "github: 9fceb02d0ae598e95dc970b74767f19372d61af8",
            "docker = registry.example.com/team/image-name-with-parts:1.2.3",
            "stripe_version: 2023-10-16-preview",
            "npm: package-name-that-is-rather-long",
            "github_token = process.env.GITHUB_TOKEN",
            "azure: westeurope-production-cluster-01",
            "figma token: fill=\"url(#paint0_linear_3004_316)\" linear: \"paint0_linear_3004_316\"",
        ] {
            assert!(find(text).is_empty(), "{text}");
        }
    }
}
