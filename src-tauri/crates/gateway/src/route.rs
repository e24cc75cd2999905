//! `/<app>/<slug>~<id>/mcp`, `/<app>/<slug>~<id>/sse`, and `/<app>/<slug>~<id>/m/<connection>` for the messages of a legacy
//! SSE connection. The id is the identity; app and slug are for reading, but a wrong app is still a wrong address.

use crate::Routes;
use portcullis_domain::{Upstream, UpstreamId};
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Endpoint<'p> {
    Main,
    LegacyMessages { connection: &'p str },
}

pub(crate) struct Route<'p> {
    pub upstream: Arc<Upstream>,
    pub endpoint: Endpoint<'p>,
    /// `/<app>/<slug>~<id>`
    pub prefix: &'p str,
}

pub(crate) fn find<'p>(routes: &Routes, path: &'p str) -> Option<Route<'p>> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let (app, server) = (parts.next()?, parts.next()?);
    let endpoint = match (parts.next()?, parts.next(), parts.next()) {
        ("mcp" | "sse", None, None) => Endpoint::Main,
        ("m", Some(connection), None) => Endpoint::LegacyMessages { connection },
        _ => return None,
    };
    let (_, id) = server.rsplit_once('~')?;
    if !UpstreamId::is_well_formed(id) {
        return None;
    }
    let upstream = routes.get(&UpstreamId::new(id)).filter(|upstream| upstream.app.as_str() == app)?;
    let prefix = &path[..app.len() + server.len() + 2];
    Some(Route { upstream: upstream.clone(), endpoint, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{AppId, Transport};

    #[test]
    fn only_known_ids_under_their_own_app_are_routes() {
        let id = UpstreamId::from_random([1; 16]);
        let upstream = Upstream {
            id: id.clone(),
            app: AppId::new("cursor"),
            app_name: "Cursor".into(),
            name: "files".into(),
            transport: Transport::StreamableHttp,
            url: None,
            command: Vec::new(),
        };
        let routes = Routes::from([(id.clone(), Arc::new(upstream))]);
        let endpoint = |path: &str| find(&routes, path).map(|r| (format!("{:?}", r.endpoint), r.prefix.to_owned()));
        let prefix = format!("/cursor/files~{id}");
        assert_eq!(endpoint(&format!("{prefix}/mcp")), Some(("Main".into(), prefix.clone())));
        assert_eq!(endpoint(&format!("{prefix}/sse")), Some(("Main".into(), prefix.clone())));
        assert!(endpoint(&format!("{prefix}/m/abc")).unwrap().0.contains("abc"));
        for wrong in [
            format!("/other/files~{id}/mcp"),
            prefix.clone(),
            format!("{prefix}/mcp/"),
            format!("{prefix}/mcp/more"),
            format!("/cursor/{id}/mcp"),
            format!("/cursor/files~{}/mcp", UpstreamId::from_random([2; 16])),
            "/".into(),
            "/.well-known/oauth-protected-resource".into(),
        ] {
            assert_eq!(endpoint(&wrong), None, "{wrong}");
        }
    }
}
