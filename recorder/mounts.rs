//! Where filesystems are mounted: change hooks tell paths from the root of a filesystem, and the kernel puts the mount
//! point before them where it is the only one.

use crate::sensor::Sensor;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;

/// Longest mount point that the kernel's table holds.
const MOUNT_POINT_BYTES: usize = 255;

/// The mounts of the recorder's own namespace, as the sensor was last told.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    text: Vec<u8>,
    points: BTreeMap<u32, Vec<u8>>,
}

impl Mounts {
    /// Tells the sensor what changed since the last look.
    ///
    /// # Errors
    /// When the mounts cannot be read, or the sensor's table is full.
    pub(crate) fn look(&mut self, sensor: &Sensor) -> Result<()> {
        let text = fs::read("/proc/self/mountinfo").context("cannot read `/proc/self/mountinfo`")?;
        if text == self.text {
            return Ok(());
        }
        let points = mount_points(&text);
        for dev in self.points.keys().filter(|dev| !points.contains_key(dev)) {
            sensor.set_mount_point(*dev, None)?;
        }
        for (dev, path) in points.iter().filter(|(dev, path)| self.points.get(dev) != Some(path)) {
            sensor.set_mount_point(*dev, Some(path))?;
        }
        (self.text, self.points) = (text, points);
        Ok(())
    }
}

/// The devices whose root directory is mounted at exactly one place, which the root of all has as an empty path.
fn mount_points(mountinfo: &[u8]) -> BTreeMap<u32, Vec<u8>> {
    let mut places: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
    for line in mountinfo.split(|byte| *byte == b'\n') {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let [_, _, device, b"/", place, ..] = &fields[..] else { continue };
        let Some(dev) = device_number(device) else { continue };
        let mut place = unescaped(place);
        if place == b"/" {
            place.clear();
        }
        places.entry(dev).or_default().push(place);
    }
    let only = |(dev, mut places): (u32, Vec<Vec<u8>>)| {
        places.dedup();
        (places.len() == 1 && places[0].len() <= MOUNT_POINT_BYTES).then(|| (dev, places.remove(0)))
    };
    places.into_iter().filter_map(only).collect()
}

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

/// Spaces, tabs, newlines and backslashes stand as three octal digits.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..3).filter(|digits| digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
        match digits {
            Some(digits) if *first == b'\\' => {
                let value = digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
                plain.push(value.to_le_bytes()[0]);
                rest = &behind[3..];
            }
            _ => {
                plain.push(*first);
                rest = behind;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roots_that_are_mounted_once_have_a_place() {
        let text = b"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
            2 1 8:2 / /var/a\\040b rw - ext4 /dev/sda2 rw\n\
            3 1 8:2 /sub /mnt/sub rw - ext4 /dev/sda2 rw\n\
            4 1 0:30 / /run/x rw - tmpfs tmpfs rw\n\
            5 1 0:30 / /run/y rw - tmpfs tmpfs rw\n\
            6 1 0:31 /@ /home rw - btrfs /dev/sdb rw\n";
        let points = mount_points(text);
        assert_eq!(points.len(), 2, "{points:?}");
        assert_eq!(points[&(8 << 20 | 1)], b"");
        assert_eq!(points[&(8 << 20 | 2)], b"/var/a b");
        assert_eq!(device_of_mount(text, 5), Some(30));
        assert_eq!(device_of_mount(text, 7), None);
    }
}
