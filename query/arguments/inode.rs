//! Files as users name them by their inode.

/// `major:minor:inode`.
pub(crate) fn parse(text: &str) -> Result<(String, i64), String> {
    let wrong = || format!("`{text}` is not MAJOR:MINOR:INODE, as in 8:1:1234");
    let (dev, ino) = text.rsplit_once(':').ok_or_else(wrong)?;
    let (major, minor) = dev.split_once(':').ok_or_else(wrong)?;
    let (_, _): (u32, u32) = (major.parse().map_err(|_| wrong())?, minor.parse().map_err(|_| wrong())?);
    Ok((dev.to_owned(), ino.parse().map_err(|_| wrong())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inodes_are_read() {
        assert_eq!(parse("8:1:12"), Ok(("8:1".into(), 12)));
        assert!(parse("8:12").is_err() && parse("a:b:1").is_err());
    }
}
