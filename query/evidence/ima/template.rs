//! Templates: which fields the data of an entry hold, and in which form.

use super::bytes::{Order, Reader, from_hex};

/// The kernel's templates and their fields. A template of the administrator (`ima_template_fmt=`) has its fields as
/// its name.
const BUILT_IN: [(&str, &str); 7] = [
    ("ima-ng", "d-ng|n-ng"),
    ("ima-ngv2", "d-ngv2|n-ng"),
    ("ima-sig", "d-ng|n-ng|sig"),
    ("ima-sigv2", "d-ngv2|n-ng|sig"),
    ("ima-buf", "d-ng|n-ng|buf"),
    ("ima-modsig", "d-ng|n-ng|sig|d-modsig|modsig"),
    ("evm-sig", "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode"),
];

/// The template of old kernels. Its data have no lengths, and its hash is over the digest and the padded name.
pub(super) const OLD: &str = "ima";
/// Digest of an entry of [`OLD`].
pub(super) const OLD_DIGEST_BYTES: usize = 20;
/// Longest name in an entry of [`OLD`]; the hash is over one byte more.
const OLD_NAME_BYTES_MAX: usize = 255;

/// Most bytes of an entry: paths and signatures are far shorter.
const DATA_BYTES_MAX: usize = 1 << 20;
/// Most bytes of an entry that holds a buffer, or that may.
const BUFFER_BYTES_MAX: usize = 16 << 20;

/// What an entry says about a file. All empty for unknown templates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Contents {
    /// Path or other name. The kernel puts `_` for each space.
    pub(super) path: Option<Vec<u8>>,
    pub(super) digest: Option<FileDigest>,
    /// Whether a buffer was measured, which the path only names.
    pub(super) is_buffer: bool,
}

/// The digest of what was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileDigest {
    pub(super) algorithm: String,
    pub(super) bytes: Vec<u8>,
    /// Whether it is that of fs-verity: a digest of the same name means something else then.
    pub(super) is_verity: bool,
}

impl FileDigest {
    /// Whether the kernel could compute it; otherwise it writes zeros.
    pub(super) fn is_computed(&self) -> bool {
        self.bytes.iter().any(|byte| *byte != 0)
    }
}

/// The form of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// 20 bytes of SHA-1.
    Digest,
    /// `algorithm:`, NUL, digest; or with `ima:` or `verity:` before it.
    NamedDigest,
    /// The same, of the file without the signature at its end.
    ModuleDigest,
    /// Text with NUL at its end.
    Name,
    Text,
    Bytes,
    Buffer,
    /// As many bytes, in the host's order.
    Number(usize),
}

impl Field {
    fn named(id: &str) -> Option<Self> {
        Some(match id {
            "d" => Self::Digest,
            "d-ng" | "d-ngv2" => Self::NamedDigest,
            "d-modsig" => Self::ModuleDigest,
            "n" | "n-ng" => Self::Name,
            "xattrnames" => Self::Text,
            "sig" | "modsig" | "evmsig" | "xattrlengths" | "xattrvalues" => Self::Bytes,
            "buf" => Self::Buffer,
            "iuid" | "igid" => Self::Number(4),
            "imode" => Self::Number(2),
            _ => return None,
        })
    }

    /// The data of the field that an ASCII list shows as `word`.
    fn encode(self, word: &[u8], order: Order) -> Option<Vec<u8>> {
        match self {
            Self::NamedDigest | Self::ModuleDigest => match word.iter().rposition(|byte| *byte == b':') {
                Some(colon) => Some([&word[..=colon], &[0], &from_hex(&word[colon + 1..])?].concat()),
                None => from_hex(word),
            },
            // `boot_aggregate` has no attributes and no owner.
            Self::Text | Self::Number(_) if word.is_empty() => Some(Vec::new()),
            Self::Name | Self::Text => Some([word, &[0]].concat()),
            Self::Digest | Self::Bytes | Self::Buffer => from_hex(word),
            Self::Number(size_bytes) => order.encode(std::str::from_utf8(word).ok()?.parse().ok()?, size_bytes),
        }
    }
}

/// The fields of a template; `None` when it is unknown.
fn fields_of(template: &str) -> Option<Vec<Field>> {
    let format = BUILT_IN.iter().find(|(name, _)| *name == template).map_or(template, |(_, format)| format);
    format.split('|').map(Field::named).collect()
}

/// Whether the data of this template can be read.
pub(super) fn is_known(template: &str) -> bool {
    template == OLD || fields_of(template).is_some()
}

/// Refuses data that no kernel makes.
///
/// # Errors
/// When an entry of this template cannot have so many bytes.
pub(super) fn check_size(template: &str, size_bytes: usize) -> Result<(), String> {
    let may_be_large = fields_of(template).is_none_or(|fields| fields.contains(&Field::Buffer));
    let most = if may_be_large { BUFFER_BYTES_MAX } else { DATA_BYTES_MAX };
    if size_bytes > most {
        return Err(format!("{size_bytes} bytes of data, more than the {most} that `{template}` may have"));
    }
    Ok(())
}

/// Reads the data of an entry, of any template but [`OLD`].
///
/// # Errors
/// When the data are not the fields of the template.
pub(super) fn decode(template: &str, order: Order, data: &[u8]) -> Result<Contents, String> {
    let mut contents = Contents::default();
    let Some(fields) = fields_of(template) else { return Ok(contents) };
    let mut reader = Reader::new(data, order);
    for field in fields {
        let value = reader.sized().ok_or_else(|| format!("the fields of `{template}` end after its data"))?;
        match field {
            Field::Digest => contents.digest = sha1(value),
            Field::NamedDigest => contents.digest = named_digest(value)?,
            Field::Name => contents.path = Some(value.strip_suffix(&[0]).unwrap_or(value).to_vec()),
            Field::Buffer => contents.is_buffer = true,
            Field::ModuleDigest | Field::Text | Field::Bytes | Field::Number(_) => {}
        }
    }
    if !reader.is_at_end() {
        return Err(format!("the fields of `{template}` end before its data"));
    }
    Ok(contents)
}

/// The data of an entry from the fields that an ASCII list shows; `None` when the template is unknown.
///
/// # Errors
/// When the text is not the fields of the template.
pub(super) fn encode(template: &str, order: Order, text: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let Some(fields) = fields_of(template) else { return Ok(None) };
    let mut words = text.splitn(fields.len(), |byte| *byte == b' ');
    let mut data = Vec::new();
    for (number, field) in (1..).zip(fields) {
        let value = words
            .next()
            .and_then(|word| field.encode(word, order))
            .ok_or_else(|| format!("no field {number} of `{template}`"))?;
        let length = u32::try_from(value.len()).ok().and_then(|length| order.encode(length.into(), 4));
        data.extend(length.ok_or_else(|| format!("field {number} is too long"))?);
        data.extend(value);
    }
    Ok(Some(data))
}

/// An entry of [`OLD`]: what its hash is over, and what it says.
///
/// # Errors
/// When the parts have sizes that the template does not allow.
pub(super) fn old(digest: &[u8], name: &[u8]) -> Result<(Vec<u8>, Contents), String> {
    if digest.len() != OLD_DIGEST_BYTES {
        return Err(format!("a digest of {} bytes, not {OLD_DIGEST_BYTES}", digest.len()));
    }
    if name.len() > OLD_NAME_BYTES_MAX {
        return Err(format!("a name of {} bytes, more than {OLD_NAME_BYTES_MAX}", name.len()));
    }
    let mut hashed = [digest, name].concat();
    hashed.resize(OLD_DIGEST_BYTES + OLD_NAME_BYTES_MAX + 1, 0);
    Ok((hashed, Contents { path: Some(name.to_vec()), digest: sha1(digest), is_buffer: false }))
}

/// A digest without the name of its algorithm.
fn sha1(value: &[u8]) -> Option<FileDigest> {
    (value.len() == OLD_DIGEST_BYTES).then(|| FileDigest {
        algorithm: "sha1".into(),
        bytes: value.to_vec(),
        is_verity: false,
    })
}

/// A digest after `algorithm:` and NUL. There is none where the algorithm is not named, as in some old violations.
fn named_digest(value: &[u8]) -> Result<Option<FileDigest>, String> {
    let Some(end) = value.iter().position(|byte| *byte == 0).filter(|end| value[..*end].ends_with(b":")) else {
        return Ok(None);
    };
    let name = std::str::from_utf8(&value[..end - 1]).map_err(|_| "an algorithm that is not text".to_owned())?;
    let (kind, algorithm) = name.rsplit_once(':').unwrap_or(("ima", name));
    Ok(Some(FileDigest {
        algorithm: algorithm.to_owned(),
        bytes: value[end + 1..].to_vec(),
        is_verity: kind == "verity",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "2222222222222222222222222222222222222222222222222222222222222222";

    fn through_ascii(template: &str, text: &str) -> Result<Contents, String> {
        let mut seen = Vec::new();
        for order in Order::ALL {
            let data = encode(template, order, text.as_bytes())?.expect("a known template");
            seen.push(decode(template, order, &data)?);
        }
        assert_eq!(seen[0], seen[1]);
        Ok(seen.remove(0))
    }

    #[test]
    fn every_template_gives_path_and_digest() -> Result<(), String> {
        for (template, digest, rest) in [
            ("ima-ng", "sha256:", ""),
            ("ima-ngv2", "ima:sha256:", ""),
            ("ima-sig", "sha256:", " 030204"),
            ("ima-sigv2", "verity:sha256:", " "),
            ("ima-buf", "sha256:", " 00ff"),
            ("ima-modsig", "sha256:", " 03 sha1:1111 30"),
            ("evm-sig", "sha256:", " 05 security.ima|user.x 01000000 ff 1000 100 33261"),
            ("d-ng|n-ng|iuid", "sha256:", " 4294967295"),
        ] {
            let contents = through_ascii(template, &format!("{digest}{DIGEST} /usr/bin/a_b{rest}"))?;
            assert_eq!(contents.path.as_deref(), Some(&b"/usr/bin/a_b"[..]), "{template}");
            let found = contents.digest.expect("a digest");
            assert_eq!((found.algorithm.as_str(), found.bytes), ("sha256", vec![0x22; 32]), "{template}");
            assert_eq!(found.is_verity, digest.starts_with("verity"), "{template}");
            assert_eq!(contents.is_buffer, template == "ima-buf");
        }
        Ok(())
    }

    #[test]
    fn fields_that_a_boot_does_not_have_are_empty() {
        let text = format!("sha256:{DIGEST} boot_aggregate       ");
        assert_eq!(through_ascii("evm-sig", &text).map(|contents| contents.path), Ok(Some(b"boot_aggregate".to_vec())));
    }

    #[test]
    fn unknown_templates_say_nothing() {
        assert_eq!(decode("ima-new", Order::Little, b"anything"), Ok(Contents::default()));
        assert_eq!(encode("ima-new", Order::Little, b"anything"), Ok(None));
    }

    #[test]
    fn data_that_are_not_the_fields_are_refused() {
        let data = encode("ima-ng", Order::Little, b"sha1:00 /a").expect("fields").expect("a known template");
        assert!(decode("ima-sig", Order::Little, &data).is_err());
        assert!(decode("ima-ng", Order::Little, &[&data[..], b"x"].concat()).is_err());
        assert!(decode("ima-ng", Order::Little, &data[..data.len() - 1]).is_err());
        assert!(encode("ima-ng", Order::Little, b"sha1:0 /a").is_err());
        assert!(encode("ima-sig", Order::Little, b"sha1:00 /a").is_err());
        assert!(encode("d-ng|n-ng|imode", Order::Little, b"sha1:00 /a 65536").is_err());
    }

    #[test]
    fn sizes_are_capped() {
        assert!(check_size("ima-ng", DATA_BYTES_MAX).is_ok());
        assert!(check_size("ima-ng", DATA_BYTES_MAX + 1).is_err());
        assert!(check_size("ima-buf", DATA_BYTES_MAX + 1).is_ok());
        assert!(check_size("ima-new", BUFFER_BYTES_MAX + 1).is_err());
        assert!(old(&[0; 20], &[b'a'; 256]).is_err());
        assert!(old(&[0; 16], b"a").is_err());
    }
}
