//! What can go wrong in a sign-in, in words for the person: never a token, and a server's own words cut.

use super::fetch::FetchError;

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the server says its tokens are for {0:?}, which is not its own address")]
    OtherResource(String),
    #[error("the authorization server calls itself {0:?}, which is another one")]
    OtherIssuer(String),
    #[error("the server does not say where to sign in")]
    NoServer,
    #[error("the authorization server does not offer PKCE with S256, without which a sign-in is not safe")]
    NoPkce,
    #[error("the authorization server takes no new clients: register one there and give its id (--client-id)")]
    NoRegistration,
    #[error("{0} answered something that is not as the standards say")]
    Malformed(String),
    #[error("this server has no URL to sign in to")]
    NoUrl,
    #[error("its address is plain http, over which no token is safe: give the server an https address first")]
    Unencrypted,
    #[error("this sign-in is not known: it was finished already, or it took more than ten minutes. Begin again")]
    Unknown,
    #[error("the authorization server refused: {0}")]
    Refused(String),
    #[error("the answer came from another authorization server than the one asked")]
    WrongIssuer,
    #[error("the sign-in could not be kept: {0}")]
    NotKept(String),
}

/// In one line and without anything secret: the server's own words are cut.
pub(super) fn refusal<T: oauth2::ErrorResponse + std::fmt::Display>(
    error: &oauth2::RequestTokenError<FetchError, T>,
) -> String {
    let text = match error {
        oauth2::RequestTokenError::ServerResponse(said) => said.to_string(),
        oauth2::RequestTokenError::Request(error) => error.to_string(),
        oauth2::RequestTokenError::Parse(..) => "its answer is not as the standards say".into(),
        oauth2::RequestTokenError::Other(said) => said.clone(),
    };
    text.chars().take(300).collect()
}
