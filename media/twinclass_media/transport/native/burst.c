/* One burst to many viewers: number, protect, send. The inner loop of egress.py, in C.
 *
 * Needs the C library only. Crypto is libsrtp's, taken by pointer from pylibsrtp. Everything
 * hostile was parsed in Python before: what comes here are offsets of our own template, and
 * they are checked against the arena once per call.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef TWINCLASS_DIGEST
#define TWINCLASS_DIGEST ""
#endif

/* Longest pktinfo control message plus UDP_SEGMENT's. */
#define CONTROL_BYTES 128
#define ROWS_PER_LOOK 8
#define MAX_PACKETS 48

typedef int (*protect_function)(void *session, void *packet, int *length);

/* As laid out by native.py: little struct formats, natural alignment. */
struct packet {
    uint32_t offset;            /* of the packet in the template */
    uint32_t size;              /* before protection */
    uint32_t timestamp;
    uint16_t sequence;
    uint8_t first_byte;
    uint8_t marker_bit;
    uint16_t picture_id;        /* VP8; offsets from the packet's start, 0 = absent */
    uint16_t picture_id_at;
    uint16_t tl0_at;
    uint8_t picture_id_bits;
    uint8_t tl0;
};

struct run {
    uint32_t start, end;
    uint32_t segment;           /* 0 = one packet */
};

struct row {
    uint64_t session;
    uint64_t address;
    uint64_t control;
    int32_t descriptor;
    uint32_t address_bytes;
    uint32_t control_bytes;
    uint32_t ssrc;
    uint32_t timestamp_offset;
    int32_t picture_id_delta;
    int32_t tl0_delta;
    uint16_t sequence_offset;
    uint16_t number;            /* the next transport-wide number */
    uint8_t payload_type;
    uint8_t segmentation;
    uint8_t reserved[6];
};

enum { DONE = 0, LATE = 1, BLOCKED = 2, REFUSED = 3, INVALID = 4 };

struct result {
    int32_t status;
    int32_t rows;               /* taken up; with BLOCKED and REFUSED the last is half done */
    int32_t run;                /* of that row */
    int32_t position;           /* in the arena: where that run stopped */
    int32_t error;              /* errno */
    int32_t protect_failed;     /* packets */
    int32_t unsent;             /* rows that were not sent for that reason */
};

const char *twinclass_burst_digest(void) { return TWINCLASS_DIGEST; }

static void put16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
    value = htonl(value);
    memcpy(at, &value, sizeof value);
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* RFC 7741 section 4.2. */
static void patch_vp8(uint8_t *at, const struct packet *p, const struct row *row) {
    if (p->picture_id_bits == 15)
        put16(at + p->picture_id_at, 0x8000u | (((uint32_t)p->picture_id + (uint32_t)row->picture_id_delta) & 0x7FFFu));
    else if (p->picture_id_bits == 7)
        at[p->picture_id_at] = (uint8_t)((p->picture_id + (uint32_t)row->picture_id_delta) & 0x7Fu);
    if (p->tl0_at)
        at[p->tl0_at] = (uint8_t)(p->tl0 + (uint32_t)row->tl0_delta);
}

static int number(protect_function protect, uint8_t *arena, const struct packet *packets, int count,
                  uint32_t number_at, const struct row *row) {
    int failed = 0;
    for (int i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        uint8_t *at = arena + p->offset;
        at[0] = p->first_byte;
        at[1] = p->marker_bit | row->payload_type;
        put16(at + 2, (uint32_t)p->sequence + row->sequence_offset);
        put32(at + 4, p->timestamp + row->timestamp_offset);
        put32(at + 8, row->ssrc);
        if (number_at)
            put16(at + number_at, (uint32_t)row->number + (uint32_t)i);
        if (row->picture_id_delta || row->tl0_delta)
            patch_vp8(at, p, row);
        int length = (int)p->size;
        if (protect((void *)(uintptr_t)row->session, at, &length))
            failed++;
    }
    return failed;
}

static int send_run(const struct row *row, uint8_t *arena, const struct run *run, int32_t *position) {
    uint8_t control[CONTROL_BYTES] __attribute__((aligned(8)));
    uint32_t step = run->segment && !row->segmentation ? run->segment : run->end - run->start;
    for (uint32_t at = run->start; at < run->end; at += step) {
        uint32_t end = at + step < run->end ? at + step : run->end;
        struct iovec piece = {arena + at, end - at};
        struct msghdr message = {
            .msg_name = (void *)(uintptr_t)row->address,
            .msg_namelen = row->address_bytes,
            .msg_iov = &piece,
            .msg_iovlen = 1,
        };
        size_t used = row->control_bytes;
        if (used)
            memcpy(control, (const void *)(uintptr_t)row->control, used);
        if (run->segment && row->segmentation) {
            struct cmsghdr *header = (struct cmsghdr *)(control + used);
            uint16_t segment = (uint16_t)run->segment;
            memset(header, 0, CMSG_SPACE(sizeof segment));
            header->cmsg_level = SOL_UDP;
            header->cmsg_type = UDP_SEGMENT;
            header->cmsg_len = CMSG_LEN(sizeof segment);
            memcpy(CMSG_DATA(header), &segment, sizeof segment);
            used += CMSG_SPACE(sizeof segment);
        }
        if (used) {
            message.msg_control = control;
            message.msg_controllen = used;
        }
        if (sendmsg(row->descriptor, &message, MSG_DONTWAIT) < 0) {
            *position = (int32_t)at;
            return errno;
        }
    }
    return 0;
}

static int valid(const uint8_t *data, uint32_t data_bytes, uint32_t arena_bytes, const struct packet *packets,
                 int count, uint32_t tag, const struct run *runs, int run_count, const struct row *rows, int row_count) {
    if (!data || data_bytes > arena_bytes || count < 1 || count > MAX_PACKETS || run_count < 1 || run_count > count)
        return 0;
    for (int i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        if (p->size < 12 || p->size > 1500 || p->offset > data_bytes || p->size + tag > data_bytes - p->offset)
            return 0;
        if (p->picture_id_bits && (uint32_t)p->picture_id_at + 2 > p->size)
            return 0;
        if (p->tl0_at >= p->size)
            return 0;
    }
    for (int i = 0; i < run_count; i++)
        if (runs[i].start >= runs[i].end || runs[i].end > data_bytes || runs[i].segment > 65535)
            return 0;
    for (int i = 0; i < row_count; i++)
        if (!rows[i].session || !rows[i].address || rows[i].control_bytes % sizeof(size_t) ||
            rows[i].control_bytes + CMSG_SPACE(sizeof(uint16_t)) > CONTROL_BYTES)
            return 0;
    return 1;
}

void twinclass_burst_send(protect_function protect, uint8_t *arena, uint32_t arena_bytes, const uint8_t *data,
                          uint32_t data_bytes, const struct packet *packets, int count, uint32_t tag,
                          uint32_t number_at, const struct run *runs, int run_count, const struct row *rows,
                          int row_count, int64_t deadline_ns, struct result *result) {
    memset(result, 0, sizeof *result);
    if (!valid(data, data_bytes, arena_bytes, packets, count, tag, runs, run_count, rows, row_count) ||
        (number_at && number_at + 2 > packets[count - 1].size)) {
        result->status = INVALID;
        return;
    }
    for (int i = 0; i < row_count; i++) {
        const struct row *row = &rows[i];
        memcpy(arena, data, data_bytes);
        int failed = number(protect, arena, packets, count, number_at, row);
        result->rows = i + 1;
        if (failed) {
            /* What libsrtp refused is still plain: nothing of this row may leave. */
            result->protect_failed += failed;
            result->unsent++;
            continue;
        }
        for (int r = 0; r < run_count; r++) {
            int error = send_run(row, arena, &runs[r], &result->position);
            if (error) {
                result->status = error == EAGAIN || error == EWOULDBLOCK ? BLOCKED : REFUSED;
                result->run = r;
                result->error = error;
                return;
            }
        }
        if ((i + 1) % ROWS_PER_LOOK == 0 && i + 1 < row_count && now_ns() >= deadline_ns) {
            result->status = LATE;
            return;
        }
    }
}
