//! Which bytes of a record tell the values of a part of its row. Some tell more, which only makes a part be looked at again.

use super::Tail;
use crate::record::wire::event;
use hashtrail::event::{ACCESS, DIGEST, FILE, POLICY, PROCESS};
use std::mem::offset_of;

/// Appends the fields from one to before another, as they stand in the head, and texts behind it.
macro_rules! put {
    ($tail:ident, $key:ident, [$($from:ident..$to:ident),*], [$($text:ident),*]) => {{
        $($key.extend_from_slice(&$tail.head[offset_of!(event, $from)..offset_of!(event, $to)]);)*
        $($key.extend_from_slice($tail.$text);)*
    }};
}

/// Appends the bytes that tell the values of a part.
#[inline]
pub(super) fn put_key(part: usize, tail: &Tail<'_>, key: &mut Vec<u8>) {
    match part {
        POLICY => put!(tail, key, [result..path_bytes, flags..padding], []),
        PROCESS => put!(
            tail,
            key,
            [process_start_ns..root_ino, pid..root_dev, exe_bytes..argv_bytes, comm..fs_type],
            [exe, container]
        ),
        FILE => put!(
            tail,
            key,
            [
                root_ino..digest_duration_ns,
                real_ino..content_read_ns,
                mnt_ns..open_flags,
                path_flags..ref_cpu,
                real_dev..result,
                flags..digest_status,
                fs_type..digest
            ],
            [path]
        ),
        ACCESS => put!(
            tail,
            key,
            [
                target_ino..real_ino,
                open_flags..digest_algorithm,
                ref_cpu..attributes,
                hook..entry,
                flags..digest_status
            ],
            [target]
        ),
        DIGEST => {
            put!(
                tail,
                key,
                [
                    digest_duration_ns..target_ino,
                    content_read_ns..record_bytes,
                    digest_algorithm..path_flags,
                    digest_status..action
                ],
                []
            );
            key.extend_from_slice(&tail.head[offset_of!(event, digest)..]);
        }
        _ => {}
    }
}
