// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The sensor. One translation unit; read it in the order of the way of one event: hooks (what is recorded), call, seen,
 * directory and policy (whether), path and text, value, limit, file, process, kept, reading, raw, writer, aside and digest (the columns), act (the denial),
 * send (the ring).
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "event.h"
#include "tables.h"
#include "maps.bpf.h"
#include "send.bpf.h"
#include "text.bpf.h"
#include "path.bpf.h"
#include "climb.bpf.h"
#include "value.bpf.h"
#include "policy.bpf.h"
#include "seen.bpf.h"
#include "process.bpf.h"
#include "directory.bpf.h"
#include "call.bpf.h"
#include "fork.bpf.h"
#include "file.bpf.h"
#include "device.bpf.h"
#include "content.bpf.h"
#include "kept.bpf.h"
#include "reading.bpf.h"
#include "raw.bpf.h"
#include "writer.bpf.h"
#include "digest.bpf.h"
#include "limit.bpf.h"
#include "value_text.bpf.h"
#include "aside.bpf.h"
#include "act.bpf.h"
#include "append.bpf.h"
#include "record.bpf.h"
#include "hooks.bpf.h"
#include "changes.bpf.h"
#include "other.bpf.h"
#include "snapshot.bpf.h"
#include "look.bpf.h"
#include "loadtest.bpf.h"

/* LSM programs and bpf_ima_file_hash need a licence that is compatible with the GPL. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
