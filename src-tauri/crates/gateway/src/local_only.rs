//! Hop 2: only this machine's programs, by name and port, may speak to the proxy. A web page that reaches the port (or
//! rebinds a name to loopback) sends a foreign Host or Origin and gets 403 on every method.

use http::{HeaderMap, Uri, header};

fn is_us(authority: &str, port: u16) -> bool {
    let Some((host, given_port)) = authority.rsplit_once(':') else { return false };
    given_port.parse() == Ok(port) && matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

/// Ok, or which header is wrong.
pub(crate) fn check(uri: &Uri, headers: &HeaderMap, port: u16) -> Result<(), &'static str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().unwrap_or_default(),
        (None, _) => uri.authority().map(|a| a.as_str()).unwrap_or_default(),
        _ => return Err("Host"),
    };
    if !is_us(host, port) {
        return Err("Host");
    }
    for origin in headers.get_all(header::ORIGIN) {
        let authority = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        if !authority.is_some_and(|authority| is_us(authority, port)) {
            return Err("Origin");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_hosts_and_origins_are_refused() {
        let try_with = |host: &[&str], origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            for host in host {
                headers.append(header::HOST, host.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            check(&"/x".parse().unwrap(), &headers, 4770)
        };
        assert_eq!(try_with(&["127.0.0.1:4770"], None), Ok(()));
        assert_eq!(try_with(&["localhost:4770"], Some("http://localhost:4770")), Ok(()));
        assert_eq!(try_with(&["[::1]:4770"], None), Ok(()));
        for host in ["evil.example:4770", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.example:4770", ""] {
            assert_eq!(try_with(&[host], None), Err("Host"), "{host}");
        }
        assert_eq!(try_with(&["127.0.0.1:4770", "evil.example"], None), Err("Host"), "two Host headers");
        for origin in ["https://evil.example", "null", "http://127.0.0.1:4771", "https://127.0.0.1:4770"] {
            assert_eq!(try_with(&["127.0.0.1:4770"], Some(origin)), Err("Origin"), "{origin}");
        }
    }
}
