/* One burst to many viewers: number, protect, send. The inner loop of egress.py, in C.
 *
 * Needs the C library only. Crypto is libsrtp's, taken by pointer from pylibsrtp. Everything
 * hostile was parsed in Python before: what comes here are offsets of our own template, and
 * they are checked against the arena once per call.
 *
 * Rows and ways live in memory of Python's, which writes to them when something changes; nothing
 * is handed over per burst but where they are.
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
#define MAX_CODECS 14
#define NOT_NEGOTIATED 0xFF

typedef int (*protect_function)(void *session, void *packet, int *length);

/* library.py reads from here: begin. */

/* How one peer's datagrams leave. */
struct way {
    uint64_t session;           /* libsrtp's; 0 = no keys yet */
    uint64_t address;           /* of a sockaddr; 0 = no path yet */
    uint64_t control;
    int32_t descriptor;
    uint32_t address_bytes;
    uint32_t control_bytes;
    uint16_t number;            /* the next transport-wide number */
    uint8_t ready;
    uint8_t segmentation;
};

/* One consumer's line in the forwarding table (forward/row.py). */
struct row {
    uint64_t way;
    uint64_t layer;             /* that it is fed from, by identity; 0 = none */
    int64_t floor;
    int64_t began;              /* the layer's cuts at its own */
    uint32_t ssrc;
    uint32_t timestamp_offset;
    int32_t picture_id_delta;
    int32_t tl0_delta;
    uint16_t sequence_offset;
    uint8_t payload_types[14];  /* by codec; 0xFF = not negotiated */
    /* What went out, since Python asked last; and the newest packet of it. */
    uint64_t packets;
    uint64_t octets;
    double at;
    int64_t newest;
    uint32_t newest_timestamp;
    int32_t newest_picture_id;  /* -1 = absent */
    int32_t newest_tl0;
};

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

struct burst {
    uint64_t data;              /* the template */
    uint64_t packets;
    uint64_t runs;
    uint32_t data_bytes;
    int32_t packet_count;
    int32_t run_count;
    uint32_t tag;
    uint32_t number_at;         /* of the transport-wide number in each packet, 0 = none */
    uint32_t codec;
    uint64_t layer;
    int64_t cuts;               /* of the layer when it was made */
    int64_t first;              /* source number of the first packet */
    int64_t newest;             /* of the last, which rows take over: */
    uint32_t newest_timestamp;
    int32_t newest_picture_id;
    int32_t newest_tl0;
    uint32_t octets;            /* payload, as sender reports count it */
    double at;                  /* when it came in, monotonic seconds */
};

struct progress {
    int32_t status;
    int32_t rows;               /* looked at; with BLOCKED and REFUSED the last is half done */
    int32_t sent;               /* rows */
    int32_t run;                /* of that row */
    int32_t position;           /* in the arena: where that run stopped, */
    int32_t end;                /* and where it ends */
    int32_t error;              /* errno */
    int32_t protect_failed;     /* packets */
    int32_t unreadable;         /* packets in a codec that was not negotiated */
};

const char *twinclass_burst_digest(void);
void twinclass_burst_send(void *protect, void *arena, uint32_t arena_bytes, const struct burst *burst,
                          const uint64_t *places, int32_t count, int64_t deadline_ns, uint8_t *taken,
                          struct progress *progress);
void twinclass_train_send(void *protect, void *arena, uint32_t arena_bytes, const uint64_t *bursts,
                          const int32_t *columns, int32_t burst_count, const uint64_t *seats, int32_t width,
                          int32_t count, int64_t deadline_ns, int32_t *sent, struct progress *progress);

/* library.py reads to here: end. */

enum { DONE = 0, LATE = 1, BLOCKED = 2, REFUSED = 3, INVALID = 4 };

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

/* Returns how many packets could not be protected. */
static int number(protect_function protect, uint8_t *start, const struct burst *burst, const struct row *row,
                  const struct way *way, uint8_t payload_type) {
    const struct packet *packets = (const struct packet *)(uintptr_t)burst->packets;
    int failed = 0;
    for (int i = 0; i < burst->packet_count; i++) {
        const struct packet *p = &packets[i];
        uint8_t *at = start + p->offset;
        at[0] = p->first_byte;
        at[1] = p->marker_bit | payload_type;
        put16(at + 2, (uint32_t)p->sequence + row->sequence_offset);
        put32(at + 4, p->timestamp + row->timestamp_offset);
        put32(at + 8, row->ssrc);
        if (burst->number_at)
            put16(at + burst->number_at, (uint32_t)way->number + (uint32_t)i);
        if (row->picture_id_delta || row->tl0_delta)
            patch_vp8(at, p, row);
        int length = (int)p->size;
        if (protect((void *)(uintptr_t)way->session, at, &length))
            failed++;
    }
    return failed;
}

static int send_run(const struct way *way, uint8_t *arena, const struct run *run, int32_t *position) {
    uint8_t control[CONTROL_BYTES] __attribute__((aligned(8)));
    uint32_t step = run->segment && !way->segmentation ? run->segment : run->end - run->start;
    for (uint32_t at = run->start; at < run->end; at += step) {
        uint32_t end = at + step < run->end ? at + step : run->end;
        struct iovec piece = {arena + at, end - at};
        struct msghdr message = {
            .msg_name = (void *)(uintptr_t)way->address,
            .msg_namelen = way->address_bytes,
            .msg_iov = &piece,
            .msg_iovlen = 1,
        };
        size_t used = way->control_bytes;
        if (used)
            memcpy(control, (const void *)(uintptr_t)way->control, used);
        if (run->segment && way->segmentation) {
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
        if (sendmsg(way->descriptor, &message, MSG_DONTWAIT) < 0) {
            *position = (int32_t)at;
            return errno;
        }
    }
    return 0;
}

static int valid(const struct burst *burst, uint32_t arena_bytes) {
    const struct packet *packets = (const struct packet *)(uintptr_t)burst->packets;
    const struct run *runs = (const struct run *)(uintptr_t)burst->runs;
    int count = burst->packet_count;
    if (!burst->data || burst->data_bytes > arena_bytes || count < 1 || count > MAX_PACKETS || burst->run_count < 1 ||
        burst->run_count > count || burst->codec >= MAX_CODECS || burst->tag > arena_bytes)
        return 0;
    for (int i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        if (p->size < 12 || p->size > 1500 || p->offset > burst->data_bytes ||
            p->size + burst->tag > burst->data_bytes - p->offset)
            return 0;
        if (p->picture_id_bits && (uint32_t)p->picture_id_at + 2 > p->size)
            return 0;
        if (p->tl0_at >= p->size || (burst->number_at && burst->number_at + 2 > p->size))
            return 0;
    }
    for (int i = 0; i < burst->run_count; i++)
        if (runs[i].start >= runs[i].end || runs[i].end > burst->data_bytes || runs[i].segment > 65535)
            return 0;
    return 1;
}

static int usable(const struct way *way) {
    return way->ready && way->session && way->address && way->control_bytes % sizeof(size_t) == 0 &&
           way->control_bytes + CMSG_SPACE(sizeof(uint16_t)) <= CONTROL_BYTES;
}

/* The row may have moved on since the burst was made. */
static int is_for(const struct burst *burst, const struct row *row) {
    return row->layer == burst->layer && row->began <= burst->cuts && row->floor <= burst->first;
}

static void note(struct row *row, const struct burst *burst) {
    row->packets += (uint32_t)burst->packet_count;
    row->octets += burst->octets;
    row->at = burst->at;
    if (burst->newest > row->newest) {
        row->newest = burst->newest;
        row->newest_timestamp = burst->newest_timestamp;
        row->newest_picture_id = burst->newest_picture_id;
        row->newest_tl0 = burst->newest_tl0;
    }
}

/* ``taken``: one byte for each row, set where its numbers were used up; may be null. */
void twinclass_burst_send(void *protect, void *arena, uint32_t arena_bytes, const struct burst *burst,
                          const uint64_t *places, int32_t count, int64_t deadline_ns, uint8_t *taken,
                          struct progress *progress) {
    memset(progress, 0, sizeof *progress);
    if (!valid(burst, arena_bytes)) {
        progress->status = INVALID;
        return;
    }
    const struct run *runs = (const struct run *)(uintptr_t)burst->runs;
    int worked = 0;
    for (int i = 0; i < count; i++) {
        struct row *row = (struct row *)(uintptr_t)places[i];
        const struct way *way = (const struct way *)(uintptr_t)row->way;
        progress->rows = i + 1;
        if (!is_for(burst, row) || !usable(way))
            continue;
        uint8_t payload_type = row->payload_types[burst->codec];
        if (payload_type == NOT_NEGOTIATED) {
            progress->unreadable += burst->packet_count;
            continue;
        }
        memcpy(arena, (const void *)(uintptr_t)burst->data, burst->data_bytes);
        int failed = number((protect_function)protect, arena, burst, row, way, payload_type);
        if (failed) {
            /* What libsrtp refused is still plain: nothing of this row may leave. */
            progress->protect_failed += failed;
            continue;
        }
        note(row, burst);
        progress->sent++;
        if (taken)
            taken[i] = 1;
        for (int r = 0; r < burst->run_count; r++) {
            int error = send_run(way, arena, &runs[r], &progress->position);
            if (error) {
                progress->status = error == EAGAIN || error == EWOULDBLOCK ? BLOCKED : REFUSED;
                progress->run = r;
                progress->end = (int32_t)runs[r].end;
                progress->error = error;
                return;
            }
        }
        if (++worked % ROWS_PER_LOOK == 0 && i + 1 < count && now_ns() >= deadline_ns) {
            progress->status = LATE;
            return;
        }
    }
}

/* The size of all its packets, protected; 0 when they differ. */
static uint32_t segment_of(const struct burst *burst) {
    const struct packet *packets = (const struct packet *)(uintptr_t)burst->packets;
    uint32_t size = packets[0].size;
    for (int i = 0; i < burst->packet_count; i++)
        if (packets[i].size != size || packets[i].offset != (uint32_t)i * (size + burst->tag))
            return 0;
    return burst->data_bytes == (uint32_t)burst->packet_count * (size + burst->tag) ? size + burst->tag : 0;
}

/* Bursts of several tracks, all of packets of one size, as one run for each viewer: the kernel's way per
 * datagram is the cost. ``seats``: for each viewer ``width`` places of rows, 0 where it has none; burst n
 * is for those in column ``columns[n]``. ``sent``: rows, for each burst. */
void twinclass_train_send(void *protect, void *arena, uint32_t arena_bytes, const uint64_t *bursts,
                          const int32_t *columns, int32_t burst_count, const uint64_t *seats, int32_t width,
                          int32_t count, int64_t deadline_ns, int32_t *sent, struct progress *progress) {
    memset(progress, 0, sizeof *progress);
    uint32_t segment = 0, total = 0;
    int packets = 0;
    progress->status = INVALID;
    for (int n = 0; n < burst_count; n++) {
        const struct burst *burst = (const struct burst *)(uintptr_t)bursts[n];
        if (!valid(burst, arena_bytes) || columns[n] < 0 || columns[n] >= width || burst->number_at)
            return;
        uint32_t own = segment_of(burst);
        total += burst->data_bytes;
        packets += burst->packet_count;
        if (!own || (segment && own != segment) || total > arena_bytes || packets > MAX_PACKETS)
            return;
        segment = own;
    }
    progress->status = DONE;
    int worked = 0;
    for (int i = 0; i < count; i++) {
        const uint64_t *seat = seats + (size_t)i * (size_t)width;
        const struct way *way = 0;
        uint8_t *at = arena;
        progress->rows = i + 1;
        for (int n = 0; n < burst_count; n++) {
            const struct burst *burst = (const struct burst *)(uintptr_t)bursts[n];
            struct row *row = (struct row *)(uintptr_t)seat[columns[n]];
            if (!row || !is_for(burst, row))
                continue;
            way = (const struct way *)(uintptr_t)row->way;
            if (!usable(way))
                break;
            uint8_t payload_type = row->payload_types[burst->codec];
            if (payload_type == NOT_NEGOTIATED) {
                progress->unreadable += burst->packet_count;
                continue;
            }
            memcpy(at, (const void *)(uintptr_t)burst->data, burst->data_bytes);
            int failed = number((protect_function)protect, at, burst, row, way, payload_type);
            if (failed) {
                progress->protect_failed += failed;
                continue;
            }
            note(row, burst);
            sent[n]++;
            at += burst->data_bytes;
        }
        if (at == (uint8_t *)arena)
            continue;
        progress->sent++;
        uint32_t end = (uint32_t)(at - (uint8_t *)arena);
        const struct run run = {0, end, end > segment ? segment : 0};
        int error = send_run(way, arena, &run, &progress->position);
        if (error) {
            progress->status = error == EAGAIN || error == EWOULDBLOCK ? BLOCKED : REFUSED;
            progress->end = (int32_t)end;
            progress->error = error;
            return;
        }
        if (++worked % ROWS_PER_LOOK == 0 && i + 1 < count && now_ns() >= deadline_ns) {
            progress->status = LATE;
            return;
        }
    }
}
