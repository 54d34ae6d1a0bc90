//! Mounts, as a `mountinfo` tells them.

/// The device of the filesystem of a mount, by a `mountinfo`.
pub(crate) fn device_of_mount(mountinfo: &[u8], mount: u64) -> Option<u32> {
    let number = mount.to_string();
    mountinfo.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        fields.next().filter(|first| *first == number.as_bytes())?;
        device_number(fields.nth(1)?)
    })
}

/// The kernel's form of `major:minor`.
fn device_number(device: &[u8]) -> Option<u32> {
    let (major, minor) = std::str::from_utf8(device).ok()?.split_once(':')?;
    Some(major.parse::<u32>().ok()? << 20 | minor.parse::<u32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_has_the_device_of_its_filesystem() {
        let text = b"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n5 1 0:30 / /run/y rw - tmpfs tmpfs rw\n";
        assert_eq!(device_of_mount(text, 5), Some(30));
        assert_eq!(device_of_mount(text, 7), None);
    }
}
