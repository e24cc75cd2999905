//! Encrypts what must lie on disk unreadable to a backup or a search index: with a key derived from the MAC key, one for
//! each purpose. Whoever can read the key file can read this too; SECURITY.md says so.

use crate::{Error, secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::Sha256;

pub(crate) struct Seal {
    key: LessSafeKey,
    purpose: &'static str,
}

impl Seal {
    pub fn new(secret: &[u8], purpose: &'static str) -> Result<Self, Error> {
        let unusable = || Error::Seal("no key could be derived");
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| unusable())?;
        mac.update(purpose.as_bytes());
        let derived = mac.finalize().into_bytes();
        let key = UnboundKey::new(&CHACHA20_POLY1305, &derived).map_err(|_| unusable())?;
        Ok(Self { key: LessSafeKey::new(key), purpose })
    }

    /// Nonce, then the sealed text with its tag.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce: [u8; NONCE_LEN] = secret::random()?;
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(self.purpose), &mut sealed)
            .map_err(|_| Error::Seal("it could not be encrypted"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let void = || Error::Seal("it was changed from outside, or belongs to another key");
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or_else(void)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| void())?;
        let mut text = text.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(self.purpose), &mut text).map_err(|_| void())?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_purpose_open_what_was_sealed() {
        let seal = Seal::new(b"key", "tokens").unwrap();
        let sealed = seal.seal(b"plain").unwrap();
        assert!(!sealed.windows(5).any(|part| part == b"plain"));
        assert_ne!(seal.seal(b"plain").unwrap(), sealed, "a nonce of its own each time");
        assert_eq!(seal.open(&sealed).unwrap(), b"plain");
        assert!(Seal::new(b"key", "other").unwrap().open(&sealed).is_err());
        assert!(Seal::new(b"yek", "tokens").unwrap().open(&sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open(&changed).is_err(), "byte {at}");
        }
        assert!(seal.open(b"short").is_err());
    }
}
