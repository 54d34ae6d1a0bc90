//! The record between kernel and user space: the types that the object's BTF gives, and the only way bytes become
//! them and they become bytes.

use std::mem::size_of;

#[allow(clippy::all, clippy::unwrap_used, unreachable_pub, unsafe_op_in_unsafe_fn, missing_docs, reason = "generated")]
mod skeleton {
    include!(concat!(env!("OUT_DIR"), "/recorder.skel.rs"));
}

pub(crate) use skeleton::types::{
    affix_key, affix_kind, affix_lengths, counters, digest_doubt, digest_source, digest_status, event, event_flag,
    filter, filter_kind, hook, hook_policy, path_flag, path_sets, process, selector, selector_flag,
};
pub(crate) use skeleton::{OpenRecorderSkel, RecorderSkel, RecorderSkelBuilder};

/// A struct of `bpf/event.h`.
///
/// # Safety
/// The type must be `repr(C)`, have no padding, and every bit pattern must be a value of it.
pub(crate) unsafe trait Wire: Copy {}

// SAFETY: the structs of bpf/event.h hold integers only, ordered so that no padding is hidden (asserted below against
// the sum of the fields, and in event.h).
unsafe impl Wire for affix_key {}
// SAFETY: as above.
unsafe impl Wire for affix_lengths {}
// SAFETY: as above.
unsafe impl Wire for counters {}
// SAFETY: as above.
unsafe impl Wire for event {}
// SAFETY: as above.
unsafe impl Wire for hook_policy {}
// SAFETY: as above.
unsafe impl Wire for path_sets {}
// SAFETY: as above.
unsafe impl Wire for process {}
// SAFETY: as above.
unsafe impl Wire for selector {}

const _: () = assert!(size_of::<event>() == 352);
const _: () = assert!(size_of::<affix_key>() == 2 * 4 + 256);
const _: () = assert!(size_of::<affix_lengths>() == 2 * 4 + 2 * (256 + 128));
const _: () = assert!(size_of::<counters>() == 14 * 8);
const _: () = assert!(size_of::<filter>() == 8 + 4 * 8);
const _: () = assert!(size_of::<selector>() == 8 + 16 * size_of::<filter>());
const _: () = assert!(size_of::<process>() == 8 + 4 * 8 + 2 * 4 + 256);

/// Reads a struct from the start of `bytes`; `None` when there are too few.
pub(crate) fn read<T: Wire>(bytes: &[u8]) -> Option<T> {
    if bytes.len() < size_of::<T>() {
        return None;
    }
    // SAFETY: the length is checked, the read is unaligned, and `Wire` makes every bit pattern a value.
    Some(unsafe { std::ptr::read_unaligned(bytes.as_ptr().cast::<T>()) })
}

/// The bytes of a struct, for a map.
pub(crate) fn bytes_of<T: Wire>(value: &T) -> &[u8] {
    // SAFETY: `Wire` has no padding, so all its bytes are initialised; the slice borrows `value`.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast::<u8>(), size_of::<T>()) }
}

/// Bytes of a C `char` array up to its first NUL.
pub(crate) fn c_text(characters: &[i8]) -> Vec<u8> {
    characters.iter().map(|character| character.cast_unsigned()).take_while(|byte| *byte != 0).collect()
}
