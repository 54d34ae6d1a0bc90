//! The record between kernel and user space: the types that the object's BTF gives, and the only way bytes become
//! them and they become bytes.

use std::mem::size_of;

#[allow(clippy::all, clippy::unwrap_used, unreachable_pub, unsafe_op_in_unsafe_fn, missing_docs, reason = "generated")]
mod skeleton {
    include!(concat!(env!("OUT_DIR"), "/recorder.skel.rs"));
}

pub(crate) use skeleton::types::{
    action, affix_key, affix_kind, attribute, counters, digest_doubt, digest_key, digest_source, digest_status,
    directories, event, event_flag, family, filter_kind, gate, hook, hook_policy, limit_scope, network, not_enforced,
    number, other_kind, path_flag, path_sets, process, range, raw_writers_key, repeat_flag, selector, selector_flag,
    step, step_flag, substring_state, text, text_index, value, value_kind,
};
pub(crate) use skeleton::{OpenRecorderSkel, RecorderSkel, RecorderSkelBuilder};

/// The CPU of rows that user space makes; the column holds -1.
pub(crate) const USER_CPU: u32 = u32::MAX;

/// A struct of `bpf/event.h` or `bpf/tables.h`.
///
/// # Safety
/// The type must be `repr(C)`, have no padding, and every bit pattern must be a value of it.
pub(crate) unsafe trait Wire: Copy {}

// SAFETY: the structs of bpf/event.h and bpf/tables.h hold integers only, ordered so that no padding is hidden (asserted below against
// the sum of the fields, and in event.h).
unsafe impl Wire for affix_key {}
// SAFETY: as above.
unsafe impl Wire for counters {}
// SAFETY: as above.
unsafe impl Wire for digest_key {}
// SAFETY: as above.
unsafe impl Wire for event {}
// SAFETY: as above.
unsafe impl Wire for family {}
// SAFETY: as above.
unsafe impl Wire for hook_policy {}
// SAFETY: as above.
unsafe impl Wire for network {}
// SAFETY: as above.
unsafe impl Wire for path_sets {}
// SAFETY: as above.
unsafe impl Wire for process {}
// SAFETY: as above.
unsafe impl Wire for range {}
// SAFETY: as above.
unsafe impl Wire for selector {}
// SAFETY: as above.
unsafe impl Wire for step {}
// SAFETY: as above.
unsafe impl Wire for substring_state {}
// SAFETY: as above.
unsafe impl Wire for text_index {}
// SAFETY: as above.
unsafe impl Wire for value {}

/// `SIEVE_FACTOR` of bpf/tables.h: macros do not stand in the object's BTF.
pub(crate) const SIEVE_FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

const _: () = assert!(size_of::<event>() == 440);
const _: () = assert!(size_of::<affix_key>() == 2 * 4 + 256);
const _: () = assert!(size_of::<counters>() == 21 * 8);
const _: () = assert!(size_of::<digest_key>() == 2 * 4 + 64);
const _: () = assert!(size_of::<family>() == 6 * 4);
const _: () = assert!(size_of::<hook_policy>() == 8 * 4 + 32);
const _: () = assert!(size_of::<network>() == 4 * 8);
const _: () = assert!(size_of::<process>() == 2 * 8 + 2 * 32 + 4 * 4 + 256);
const _: () = assert!(size_of::<range>() == 2 * 8);
const _: () = assert!(size_of::<selector>() == 4 * 2 + 2 * 4 + 2 * 8);
const _: () = assert!(size_of::<step>() == 4 + 3 * 4 + 8);
const _: () = assert!(size_of::<substring_state>() == 256 * 2 + 32);
const _: () = assert!(size_of::<value>() == 12 * 4 + 8 + 16);
const _: () = assert!(size_of::<text_index>() == (1 << 15) / 8 + 4 * 4 + 2 * (256 + 128));

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

/// A flag of the record, as the byte that it stands in.
pub(crate) fn flag(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

/// Bytes of a C `char` array up to its first NUL.
pub(crate) fn c_text(characters: &[i8]) -> Vec<u8> {
    characters.iter().map(|character| character.cast_unsigned()).take_while(|byte| *byte != 0).collect()
}
