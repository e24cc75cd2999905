//! Secrets out of command lines and URLs before they are shown. Only for reading: what is started or called is never
//! built from a masked text.

const MASK: &str = "•••";
const SECRET_WORDS: [&str; 9] =
    ["token", "secret", "password", "passwd", "api-key", "api_key", "apikey", "auth", "credential"];
const SECRET_PREFIXES: [&str; 12] =
    ["sk-", "sk_", "pk_", "ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "AKIA", "eyJ", "ya29."];

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
        || name == "key"
        || name.ends_with("-key")
        || name.ends_with("_key")
}

/// Long runs of letters and digits mixed are tokens, not words.
fn looks_random(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    text.len() >= 20
        && digits >= 3
        && letters >= 3
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=+.~".contains(&b))
}

fn mask_word(word: &str) -> String {
    if word.contains("://") {
        return mask_url(word);
    }
    if SECRET_PREFIXES.iter().any(|prefix| word.len() >= prefix.len() + 8 && word.starts_with(prefix)) {
        return MASK.into();
    }
    if let Some((name, value)) = word.split_once(['=', ':'])
        && !value.is_empty()
        && names_a_secret(name)
    {
        return format!("{}{MASK}", &word[..=name.len()]);
    }
    if let Some((name, value)) = word.split_once('=') {
        return format!("{name}={}", if looks_random(value) { MASK.into() } else { mask_word(value) });
    }
    if looks_random(word) && !word.contains('.') { MASK.into() } else { word.into() }
}

/// A command line: each argument by itself, and the argument after a flag that announces a secret.
pub(crate) fn mask_command(command: &[String]) -> String {
    let mut out = Vec::with_capacity(command.len());
    let mut announced = false;
    for (at, word) in command.iter().enumerate() {
        let is_flag = word.starts_with('-');
        let shown = match () {
            () if announced && !is_flag => MASK.into(),
            () if at == 0 => word.clone(),
            // A header in one argument: "Authorization: Bearer x".
            () if word.contains(' ') && names_a_secret(word.split(':').next().unwrap_or_default()) => {
                format!("{}: {MASK}", word.split(':').next().unwrap_or_default())
            }
            () => mask_word(word),
        };
        announced = is_flag && !word.contains('=') && names_a_secret(word.trim_start_matches('-'));
        out.push(if shown.contains(' ') || shown.is_empty() { format!("\"{shown}\"") } else { shown });
    }
    out.join(" ")
}

/// A URL: passwords, query values and token-like path segments.
pub(crate) fn mask_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let (address, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let address = match address.rsplit_once('@') {
        Some((_, host)) => format!("{MASK}@{host}"),
        None => address.into(),
    };
    let (path, query) = match tail.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (tail, None),
    };
    let path: Vec<String> =
        path.split('/').map(|part| if looks_random(part) { MASK.into() } else { part.into() }).collect();
    let mut out = format!("{scheme}://{address}{}", path.join("/"));
    if let Some(query) = query {
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| pair.split_once('=').map_or(pair.into(), |(name, _)| format!("{name}={MASK}")))
            .collect();
        out.push('?');
        out.push_str(&pairs.join("&"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> String {
        mask_command(&text.split('|').map(str::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn secrets_are_masked_and_ordinary_words_are_not() {
        assert_eq!(
            command("npx|-y|@scope/server-filesystem@1.2.3|/home/eve/My Files"),
            "npx -y @scope/server-filesystem@1.2.3 \"/home/eve/My Files\""
        );
        assert_eq!(command("x|--api-key|hunter2|--port|80"), "x --api-key ••• --port 80");
        assert_eq!(command("x|--token=hunter2"), "x --token=•••");
        assert_eq!(command("x|-e|GITHUB_TOKEN=abc|ghp_abcdefgh12345678"), "x -e GITHUB_TOKEN=••• •••");
        assert_eq!(
            command("npx|mcp-remote|--header|Authorization: Bearer abc"),
            "npx mcp-remote --header \"Authorization: •••\""
        );
        assert_eq!(command("db|postgresql://eve:pw@host/db"), "db postgresql://•••@host/db");
        assert_eq!(
            mask_url("https://h.example/s/a1b2c3d4e5f6g7h8i9j0k1/mcp?key=v&b"),
            "https://h.example/s/•••/mcp?key=•••&b"
        );
        assert_eq!(mask_url("https://docs.example/mcp"), "https://docs.example/mcp");
    }
}
