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
    if let Some(token) = home::read_optional(&path)?.map(|text| text.trim().to_owned())
        && token.len() >= 32
    {
        return Ok(token);
    }
    let token = base32(&random::<32>()?).to_ascii_lowercase();
    home::write_private(&path, token.as_bytes())?;
    Ok(token)
}

/// The key that seals the snapshot.
pub(crate) fn key(home: &Home) -> Result<Vec<u8>, Error> {
    let path = home.key_file();
    match std::fs::read(&path) {
        Ok(key) if key.len() >= 32 => return Ok(key),
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(Error::Io { doing: "could not read", path, source }),
    }
    let key = random::<32>()?;
    home::write_private(&path, &key)?;
    Ok(key.to_vec())
}

/// 50 random bits as ten base32 characters: `K7QF2-M3XDA`.
pub(crate) fn pairing_code() -> Result<String, Error> {
    let code = base32(&random::<8>()?);
    Ok(format!("{}-{}", &code[..5], &code[5..10]))
}
