//! Sizes and durations as people write them.

use anyhow::{Context, Result, bail};
use std::time::Duration;

/// `8MiB`, `64KiB`, `4GiB` or plain bytes.
pub(crate) fn parse_size(text: &str) -> Result<u64> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale: u64 = match unit {
        "" | "B" => 1,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        _ => bail!("unit `{unit}` is not B, KiB, MiB or GiB"),
    };
    let number: u64 = number.parse().with_context(|| format!("`{text}` does not begin with a number"))?;
    number.checked_mul(scale).with_context(|| format!("`{text}` is too large"))
}

/// `250ms`, `10s`, `5m` or `2h`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => bail!("`{text}` needs a unit: ms, s, m or h"),
    };
    let number: u64 = number.parse().with_context(|| format!("`{text}` does not begin with a number"))?;
    let total = number.checked_mul(milliseconds).with_context(|| format!("`{text}` is too long"))?;
    if total == 0 {
        bail!("`{text}` is no time at all");
    }
    Ok(Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("8MiB").ok(), Some(8 << 20));
        assert_eq!(parse_size("4096").ok(), Some(4096));
        for wrong in ["", "MiB", "8MB", "-1", "99999999999GiB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("250ms").ok(), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("2h").ok(), Some(Duration::from_secs(7200)));
        for wrong in ["", "10", "s", "0s", "1.5s", "99999999999999999h"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
