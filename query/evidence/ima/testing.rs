//! Lists for tests, made without the code that reads them.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Writer {
    pub(super) is_big: bool,
    /// 20, 32, 48 or 64.
    pub(super) hash_bytes: usize,
}

pub(super) const USUAL: Writer = Writer { is_big: false, hash_bytes: 20 };

/// One entry: template, fields and whether it is a violation.
#[derive(Debug, Clone)]
pub(super) struct Measurement {
    pub(super) template: &'static str,
    pub(super) fields: Vec<Vec<u8>>,
    pub(super) is_violation: bool,
}

/// `algorithm:`, NUL, digest.
pub(super) fn named(algorithm: &str, digest: &[u8]) -> Vec<u8> {
    let mut field = format!("{algorithm}:").into_bytes();
    field.push(0);
    field.extend(digest);
    field
}

pub(super) fn nul_ended(text: &str) -> Vec<u8> {
    format!("{text}\0").into_bytes()
}

/// A file that was measured with SHA-256.
pub(super) fn file(path: &str, byte: u8) -> Measurement {
    let fields = vec![named("sha256", &[byte; 32]), nul_ended(path)];
    Measurement { template: "ima-ng", fields, is_violation: false }
}

pub(super) fn violation(path: &str) -> Measurement {
    Measurement { is_violation: true, ..file(path, 0) }
}

/// One of each template, from the start of a boot.
pub(super) fn samples() -> Vec<Measurement> {
    let digest = [0x5a; 32];
    let plain = |template, mut fields: Vec<Vec<u8>>, rest: &[&[u8]]| {
        fields.extend(rest.iter().map(|field| field.to_vec()));
        Measurement { template, fields, is_violation: false }
    };
    let ng = |path| vec![named("sha256", &digest), nul_ended(path)];
    let ngv2 = |path| vec![named("ima:sha256", &digest), nul_ended(path)];
    vec![
        file("boot_aggregate", 1),
        plain("ima", vec![vec![7; 20], b"/usr/bin/old".to_vec()], &[]),
        plain("ima-ng", ng("/usr/bin/tool"), &[]),
        plain("ima-ngv2", ngv2("/usr/bin/tool2"), &[]),
        plain("ima-sig", ng("/usr/bin/signed"), &[b"\x03\x02\x04"]),
        plain("ima-sig", ng("/usr/bin/unsigned"), &[b""]),
        plain("ima-sigv2", ngv2("/usr/bin/signed2"), &[b"\x03\x02\x04"]),
        plain("ima-buf", ng("kexec-cmdline"), &[b"root=/dev/vda"]),
        plain("ima-modsig", ng("/lib/a.ko"), &[b"", &named("sha512", &[9; 64]), b"\x30\x82"]),
        plain("d-ng|n-ng|sig", ng("/usr/bin/custom"), &[b""]),
        violation("/var/log/messages"),
    ]
}

impl Writer {
    pub(super) fn binary(self, measurements: &[Measurement]) -> Vec<u8> {
        measurements.iter().flat_map(|measurement| self.binary_entry(measurement)).collect()
    }

    pub(super) fn ascii(self, measurements: &[Measurement]) -> Vec<u8> {
        measurements.iter().flat_map(|measurement| self.ascii_line(measurement)).collect()
    }

    pub(super) fn binary_entry(self, measurement: &Measurement) -> Vec<u8> {
        let mut entry = self.number(10);
        entry.extend(self.template_hash(measurement));
        self.sized(&mut entry, measurement.template.as_bytes());
        if measurement.template == "ima" {
            entry.extend(&measurement.fields[0]);
            self.sized(&mut entry, &measurement.fields[1]);
        } else {
            self.sized(&mut entry, &self.data(measurement));
        }
        entry
    }

    fn ascii_line(self, measurement: &Measurement) -> Vec<u8> {
        let mut line = format!("10 {} {}", hex(&self.template_hash(measurement)), measurement.template).into_bytes();
        for field in &measurement.fields {
            line.push(b' ');
            if let Some(colon) = field.windows(2).position(|pair| pair == b":\0") {
                line.extend(&field[..=colon]);
                line.extend(hex(&field[colon + 2..]).into_bytes());
            } else if let Some(text) = field.strip_suffix(b"\0").or(field.starts_with(b"/").then_some(field)) {
                line.extend(text);
            } else {
                line.extend(hex(field).into_bytes());
            }
        }
        line.push(b'\n');
        line
    }

    fn template_hash(self, measurement: &Measurement) -> Vec<u8> {
        if measurement.is_violation {
            return vec![0; self.hash_bytes];
        }
        let data = if measurement.template == "ima" {
            let mut data = measurement.fields.concat();
            data.resize(20 + 256, 0);
            data
        } else {
            self.data(measurement)
        };
        match self.hash_bytes {
            20 => Sha1::digest(data).to_vec(),
            32 => Sha256::digest(data).to_vec(),
            48 => Sha384::digest(data).to_vec(),
            _ => Sha512::digest(data).to_vec(),
        }
    }

    fn data(self, measurement: &Measurement) -> Vec<u8> {
        let mut data = Vec::new();
        for field in &measurement.fields {
            self.sized(&mut data, field);
        }
        data
    }

    fn sized(self, bytes: &mut Vec<u8>, part: &[u8]) {
        bytes.extend(self.number(u32::try_from(part.len()).expect("a short part")));
        bytes.extend(part);
    }

    fn number(self, number: u32) -> Vec<u8> {
        if self.is_big { number.to_be_bytes().to_vec() } else { number.to_le_bytes().to_vec() }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
