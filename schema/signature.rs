//! Signatures over the manifest: ed25519 in minisign's format, so that `minisign -V` checks them too.
//!
//! A signature covers the first bytes of the manifest, and says how many in its trusted comment: lines that were
//! appended after it do not spoil it.

use anyhow::{Context, Result, anyhow, bail};
use minisign::{KeyPair, PublicKey, PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};
use std::io::Cursor;
use std::panic::catch_unwind;

/// The line of a signature that nothing signs, so it is always this one.
const UNTRUSTED_COMMENT: &str = "signature of a hashtrail manifest";
/// What to do about a secret key that cannot be used.
const PASSWORD_HINT: &str =
    "a key with a password cannot be used: make one without, by `hashtrail-recorder keygen` or `minisign -G -W`";

/// A secret key that signs manifests.
pub struct SigningKey {
    secret: SecretKey,
    public: PublicKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SigningKey({})", self.public.to_base64())
    }
}

impl SigningKey {
    /// A new random key.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self> {
        let KeyPair { pk, sk } = KeyPair::generate_unencrypted_keypair().context("cannot make a key")?;
        Ok(Self { secret: sk, public: pk })
    }

    /// Reads the text of a secret key file, as minisign writes it without a password.
    ///
    /// # Errors
    /// When it is no such file, or a password protects it.
    pub fn parse(text: &str) -> Result<Self> {
        let key = SecretKeyBox::from_string(text).context("it is no minisign secret key")?;
        let secret = key.into_unencrypted_secret_key().map_err(|error| anyhow!("{error}; {PASSWORD_HINT}"))?;
        if secret.is_encrypted() {
            bail!(PASSWORD_HINT);
        }
        let public = PublicKey::from_secret_key(&secret).context("the secret key holds no public key")?;
        Ok(Self { secret, public })
    }

    /// The text of the secret key file.
    ///
    /// # Errors
    /// When the key cannot be written as text.
    pub fn secret_text(&self) -> Result<String> {
        Ok(self.secret.to_box(Some("hashtrail secret key, without a password"))?.into_string())
    }

    /// The text of the public key file, which `minisign -V -p` takes.
    ///
    /// # Errors
    /// When the key cannot be written as text.
    pub fn public_text(&self) -> Result<String> {
        Ok(self.public.to_box()?.into_string())
    }

    /// The public key in base64, as `minisign -V -P` takes it.
    #[must_use]
    pub fn public_base64(&self) -> String {
        self.public.to_base64()
    }

    /// What checks its signatures.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.public.clone())
    }

    /// Signs the bytes of a manifest up to the line whose digest is `head`; the text of the signature file.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn sign(&self, manifest: &[u8], head: &str) -> Result<String> {
        let trusted = format!("hashtrail manifest bytes:{} head:{head}", manifest.len());
        let signature = minisign::sign(
            Some(&self.public),
            &self.secret,
            Cursor::new(manifest),
            Some(&trusted),
            Some(UNTRUSTED_COMMENT),
        )
        .context("cannot sign the manifest")?;
        Ok(signature.into_string())
    }
}

/// A public key that checks signatures.
#[derive(Debug, Clone)]
pub struct VerifyingKey(PublicKey);

impl VerifyingKey {
    /// Reads a public key: the text of a key file, or the key itself in base64.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self> {
        let key = if text.trim().lines().count() > 1 {
            PublicKeyBox::from_string(text).and_then(PublicKeyBox::into_public_key)
        } else {
            PublicKey::from_base64(text.trim())
        };
        key.map(Self).map_err(|error| anyhow!("it is no minisign public key: {error}"))
    }

    /// The key in base64.
    #[must_use]
    pub fn base64(&self) -> String {
        self.0.to_base64()
    }

    /// Checks the text of a signature file against a manifest. What `minisign -V` takes is valid, whoever wrote it.
    ///
    /// # Errors
    /// Says what is wrong: the file's form, the key, the signature, or how much of the manifest is there.
    pub fn check(&self, signature: &str, manifest: &[u8]) -> Result<Valid> {
        // The file may be hostile, and the crate promises nothing for that.
        catch_unwind(|| self.check_text(signature, manifest)).unwrap_or_else(|_| bail!("it is damaged"))
    }

    fn check_text(&self, signature: &str, manifest: &[u8]) -> Result<Valid> {
        let parsed = SignatureBox::from_string(signature).map_err(|error| anyhow!("it is no signature: {error}"))?;
        let comment = parsed.trusted_comment().context("it has no trusted comment")?;
        let own_bytes = covered_bytes(&comment);
        let bytes = own_bytes.unwrap_or(manifest.len());
        let covered = manifest.get(..bytes).with_context(|| {
            format!("it covers {bytes} bytes, the manifest has {}: the end was cut", manifest.len())
        })?;
        minisign::verify(&self.0, &parsed, Cursor::new(covered), true, false, true)
            .map_err(|error| anyhow!("{error}"))?;
        // No bit of our own file may be free: base64 has spare bits, and minisign leaves the first line unsigned.
        let is_as_written = parsed.to_string() == signature && parsed.untrusted_comment()? == UNTRUSTED_COMMENT;
        let author = match own_bytes {
            None => Author::Other,
            Some(_) if is_as_written && parsed.is_prehashed() => Author::Hashtrail,
            Some(_) => Author::Altered,
        };
        Ok(Valid { bytes, author })
    }
}

/// A signature that is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Valid {
    /// Bytes of the manifest that it covers.
    pub bytes: usize,
    /// Who wrote its file.
    pub author: Author,
}

/// Who wrote the file of a valid signature. The key is the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// hashtrail, byte for byte.
    Hashtrail,
    /// hashtrail, but what nothing signs was changed later: the untrusted comment, spare bits, line ends.
    Altered,
    /// Another program, such as `minisign -S`: it covers the whole manifest.
    Other,
}

fn covered_bytes(comment: &str) -> Option<usize> {
    let rest = comment.strip_prefix("hashtrail manifest bytes:")?;
    rest.split_once(" head:")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &[u8] = b"{\"a\":1}\n{\"b\":2}\n";

    #[test]
    fn a_prefix_that_was_signed_stays_valid() -> Result<()> {
        let key = SigningKey::parse(&SigningKey::generate()?.secret_text()?)?;
        let signature = key.sign(&MANIFEST[..8], "00")?;
        let public = VerifyingKey::parse(&key.public_text()?)?;
        let valid = Valid { bytes: 8, author: Author::Hashtrail };
        assert_eq!(public.check(&signature, MANIFEST)?, valid);
        assert_eq!(VerifyingKey::parse(&key.public_base64())?.check(&signature, MANIFEST)?, valid);
        Ok(())
    }

    #[test]
    fn every_bit_of_signature_and_manifest_counts() -> Result<()> {
        let key = SigningKey::generate()?;
        let signature = key.sign(MANIFEST, "00")?;
        let public = VerifyingKey::parse(&key.public_text()?)?;
        for bit in 0..signature.len() * 8 {
            let mut damaged = signature.clone().into_bytes();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let is_own =
                |text: String| public.check(&text, MANIFEST).is_ok_and(|valid| valid.author == Author::Hashtrail);
            let accepted = String::from_utf8(damaged).is_ok_and(is_own);
            assert!(!accepted, "bit {bit} of the signature");
        }
        for bit in 0..MANIFEST.len() * 8 {
            let mut damaged = MANIFEST.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(public.check(&signature, &damaged).is_err(), "bit {bit} of the manifest");
        }
        Ok(())
    }

    #[test]
    fn what_another_program_wrote_with_the_key_is_valid_and_told_apart() -> Result<()> {
        let key = SigningKey::generate()?;
        let public = key.verifying_key();
        let sign = |trusted, untrusted| {
            let data = Cursor::new(MANIFEST);
            minisign::sign(Some(&key.public), &key.secret, data, Some(trusted), Some(untrusted))
        };
        let other = sign("timestamp:1767312000\tfile:manifest.jsonl\thashed", "signature from minisign secret key")?;
        let all = MANIFEST.len();
        assert_eq!(public.check(&other.to_string(), MANIFEST)?, Valid { bytes: all, author: Author::Other });
        assert!(public.check(&other.to_string(), &MANIFEST[..8]).is_err(), "it covers the whole manifest or nothing");
        let own = key.sign(MANIFEST, "00")?;
        let altered = Valid { bytes: all, author: Author::Altered };
        for text in [own.replace(UNTRUSTED_COMMENT, "checked by mk"), own.replace('\n', "\r\n"), format!("{own}\n")] {
            assert_eq!(public.check(&text, MANIFEST)?, altered, "{text}");
        }
        Ok(())
    }

    #[test]
    fn other_keys_cuts_and_nonsense_are_refused() -> Result<()> {
        let (key, other) = (SigningKey::generate()?, SigningKey::generate()?);
        let signature = key.sign(MANIFEST, "00")?;
        let error = |key: &SigningKey, text: &str, manifest: &[u8]| -> Result<String> {
            let checked = VerifyingKey::parse(&key.public_text()?)?.check(text, manifest);
            Ok(checked.err().context("an error")?.to_string())
        };
        assert!(error(&other, &signature, MANIFEST)?.contains("key"));
        assert!(error(&key, &signature, &MANIFEST[..9])?.contains("the end was cut"));
        assert!(error(&key, "", MANIFEST)?.contains("no signature"));
        assert!(VerifyingKey::parse("nonsense").is_err());
        assert!(SigningKey::parse("nonsense\nmore").is_err());
        Ok(())
    }
}
