// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The sensor. One translation unit; read it in the order of the way of one event: file_hooks, inode_hooks and named_hooks (what
 * is recorded), call, binary_gate, directory and policy (whether), record (the way), path, climb, text, value and limit (what
 * filters look at), repeat, subject, file, content, digest, digest_cache, reading, raw, writer and aside (the columns of the file),
 * task, process and container (those of who acts), enforce (the denial), rows and send (the ring).
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "event.h"
#include "tables.h"
#include "load.bpf.h"
#include "thread.bpf.h"
#include "maps.bpf.h"
#include "helpers.bpf.h"
#include "scratch.bpf.h"
#include "send.bpf.h"
#include "text.bpf.h"
#include "path.bpf.h"
#include "climb.bpf.h"
#include "value.bpf.h"
#include "policy.bpf.h"
#include "binary_gate.bpf.h"
#include "ancestry.bpf.h"
#include "process.bpf.h"
#include "task.bpf.h"
#include "container.bpf.h"
#include "directory.bpf.h"
#include "call.bpf.h"
#include "fork.bpf.h"
#include "file.bpf.h"
#include "device.bpf.h"
#include "content.bpf.h"
#include "digest_cache.bpf.h"
#include "reading.bpf.h"
#include "raw.bpf.h"
#include "writer.bpf.h"
#include "digest.bpf.h"
#include "limit.bpf.h"
#include "repeat.bpf.h"
#include "value_text.bpf.h"
#include "aside.bpf.h"
#include "enforce.bpf.h"
#include "tail.bpf.h"
#include "subject.bpf.h"
#include "rows.bpf.h"
#include "record.bpf.h"
#include "file_hooks.bpf.h"
#include "inode_hooks.bpf.h"
#include "named_hooks.bpf.h"
#include "snapshot.bpf.h"
#include "binary_scan.bpf.h"
#include "loadtest.bpf.h"

/* LSM programs and bpf_ima_file_hash need a licence that is compatible with the GPL. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
