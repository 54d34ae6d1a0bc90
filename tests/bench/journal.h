// The frames of a journal's segments, read and written without the recorder's own code.
#ifndef HASHTRAIL_BENCH_JOURNAL_H
#define HASHTRAIL_BENCH_JOURNAL_H

#include <linux/types.h>
#include <stdint.h>
#include "../../bpf/event.h"

enum frame_kind { FRAME_HEADER = 1, FRAME_RECORD = 2, FRAME_LEDGER = 3 };

// Before each payload; a payload is followed by zeros up to a multiple of 8.
struct frame_head {
	uint32_t payload_bytes;
	uint32_t crc; // over what follows and the payload, salted by the recording's id but for headers
	uint16_t kind;
	uint16_t ima_policy;
	uint32_t number;
	int64_t utc_offset_ns;
};
_Static_assert(sizeof(struct frame_head) == 24, "as the recorder writes it");

#define RECORDING_ID_BYTES 36

struct segment {
	const char *bytes;
	uint64_t length;
	uint64_t at;
	char recording_id[RECORDING_ID_BYTES + 1];
	uint32_t salt;
};

uint32_t crc32c(uint32_t crc, const void *bytes, uint64_t length);
uint32_t frame_crc(uint32_t salt, const struct frame_head *head, const void *payload);
_Noreturn void fail(const char *what, const char *which);

// Maps a segment, and leaves out the zeros at its end.
struct segment open_segment(const char *file);
// The next whole frame, or NULL at the end; a frame that is damaged ends the program.
const struct frame_head *next_frame(struct segment *segment, const char **payload);

int replay(char **args, struct segment *segments, int length);
int print_json(struct segment *segments, int length);

#endif
