//! Random secrets and their files: the API token, the MAC key, pairing codes. Compared in constant time.

use crate::{Error, home, home::Home};
use subtle::ConstantTimeEq as _;

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(bytes)
}

fn base32(bytes: &[u8]) -> String {
    data_encoding::BASE32_NOPAD.encode(bytes)
}

pub(crate) fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// The bearer token of the API: read, or made on the first start.
pub(crate) fn api_token(home: &Home) -> Result<String, Error> {
    let path = home.token_file();
    if let Some(token) = home::read_checked(&path)?.map(|text| text.trim().to_owned())
        && token.len() >= 32
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return Ok(token);
    }
    let token = base32(&random::<32>()?).to_ascii_lowercase();
    home::write_private(&path, token.as_bytes())?;
    Ok(token)
}

/// The key that seals the snapshot: read, or made on the first start.
pub(crate) fn key(home: &Home) -> Result<Vec<u8>, Error> {
    if let Some(key) = read_key(home)? {
        return Ok(key);
    }
    let key = random::<32>()?;
    home::write_private(&home.key_file(), &key)?;
    Ok(key.to_vec())
}

/// None: there is none, or what is there is none.
pub(crate) fn read_key(home: &Home) -> Result<Option<Vec<u8>>, Error> {
    let path = home.key_file();
    match std::fs::read(&path) {
        Ok(key) => Ok(Some(key).filter(|key| key.len() >= 32)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { doing: "could not read", path, source }),
    }
}

/// 50 random bits as ten base32 characters: `K7QF2-M3XDA`.
pub(crate) fn pairing_code() -> Result<String, Error> {
    let code = base32(&random::<8>()?);
    Ok(format!("{}-{}", &code[..5], &code[5..10]))
}
