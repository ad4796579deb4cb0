/* Opens many event streams and measures how long each event was on its way.
 *
 * cc -O2 -o live_client live_client.c; ./live_client ADDRESS PORT PATH STREAMS
 *
 * An event carries the instant of its publishing, CLOCK_MONOTONIC in nanoseconds, as ` id="row-<ns>"`. Smaller numbers
 * than a second are warm-up: when every stream has one, "ready" is printed. "expect N" on stdin ends the run as soon
 * as every stream has N events, or after the patience below; the result is one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK " id=\"row-"
#define MARK_LENGTH (sizeof MARK - 1)
#define CARRIED 64
#define READ_AT_ONCE 262144
#define CONNECTING_AT_ONCE 128
#define PATIENCE_NS 20000000000ULL
#define BUCKET_NS 10000ULL
#define BUCKETS 3000000 /* 30 s */

enum state { CONNECTING, HEAD, BODY, CLOSED };

struct stream {
    int fd;
    enum state state;
    int warm;
    int carried_length;
    uint64_t count, last_stamp;
    char carried[CARRIED];
};

static struct stream *streams;
static int stream_count, opened, connecting, warm, closed, refused, at_goal;
static uint64_t received, disordered, resyncs, goal = UINT64_MAX, last_receipt_ns, *buckets;
static int poller;
static struct sockaddr_in address;
static char request[512];

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void watch(struct stream *s, int operation, uint32_t events) {
    struct epoll_event e = {.events = events, .data.ptr = s};
    if (epoll_ctl(poller, operation, s->fd, &e)) die("epoll_ctl");
}

static void open_next(void) {
    while (opened < stream_count && connecting < CONNECTING_AT_ONCE) {
        struct stream *s = &streams[opened++];
        s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (s->fd < 0) die("socket");
        if (connect(s->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) die("connect");
        connecting++;
        watch(s, EPOLL_CTL_ADD, EPOLLOUT);
    }
}

static void end_stream(struct stream *s) {
    if (s->state == CONNECTING || s->state == HEAD) connecting--;
    s->state = CLOSED;
    close(s->fd);
    closed++;
}

static void take_stamp(struct stream *s, uint64_t stamp, uint64_t now) {
    if (stamp < 1000000000ULL) {
        if (!s->warm) {
            s->warm = 1;
            warm++;
        }
        return;
    }
    if (stamp <= s->last_stamp) disordered++;
    s->last_stamp = stamp;
    received++;
    if (++s->count == goal) at_goal++;
    last_receipt_ns = now;
    uint64_t bucket = now > stamp ? (now - stamp) / BUCKET_NS : 0;
    buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static void carry(struct stream *s, const char *from, const char *end) {
    if (end - from > CARRIED) from = end - CARRIED;
    s->carried_length = (int)(end - from);
    memcpy(s->carried, from, (size_t)(end - from));
}

static void read_stream(struct stream *s) {
    static char buffer[CARRIED + READ_AT_ONCE];
    memcpy(buffer, s->carried, (size_t)s->carried_length);
    ssize_t length = read(s->fd, buffer + s->carried_length, READ_AT_ONCE);
    if (length <= 0) {
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
        end_stream(s);
        return;
    }
    uint64_t now = now_ns();
    const char *at = buffer, *end = buffer + s->carried_length + length;
    if (s->state == HEAD) {
        if (end - at < 12) {
            carry(s, at, end);
            return;
        }
        if (memcmp(at + 8, " 200", 4)) {
            refused++;
            end_stream(s);
            return;
        }
        s->state = BODY;
        connecting--;
        open_next();
    }
    if (memmem(at, (size_t)(end - at), "event: resync", 13)) resyncs++;
    for (;;) {
        const char *mark = memmem(at, (size_t)(end - at), MARK, MARK_LENGTH);
        if (!mark) {
            const char *rest = end - (MARK_LENGTH - 1);
            carry(s, rest > at ? rest : at, end);
            return;
        }
        const char *digits = mark + MARK_LENGTH, *quote = memchr(digits, '"', (size_t)(end - digits));
        if (!quote) {
            carry(s, mark, end);
            return;
        }
        take_stamp(s, strtoull(digits, NULL, 10), now);
        at = quote;
    }
}

static void handle(struct stream *s, uint32_t events) {
    if (s->state == CLOSED) return;
    if (s->state == CONNECTING) {
        int error = 0, on = 1;
        socklen_t size = sizeof error;
        getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error || write(s->fd, request, strlen(request)) != (ssize_t)strlen(request)) {
            end_stream(s);
            return;
        }
        setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
        s->state = HEAD;
        watch(s, EPOLL_CTL_MOD, EPOLLIN);
    } else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        read_stream(s);
    }
}

static double percentile_ms(double share) {
    uint64_t seen = 0, wanted = (uint64_t)((double)received * share);
    for (int i = 0; i < BUCKETS; i++) {
        seen += buckets[i];
        if (seen > wanted) return (double)i * BUCKET_NS / 1e6;
    }
    return 0;
}

static void report(void) {
    uint64_t fewest = UINT64_MAX, most = 0;
    for (int i = 0; i < stream_count; i++) {
        if (streams[i].count < fewest) fewest = streams[i].count;
        if (streams[i].count > most) most = streams[i].count;
    }
    printf("{\"received\": %lu, \"fewest\": %lu, \"most\": %lu, \"disordered\": %lu, \"resyncs\": %lu, ", received,
           fewest, most, disordered, resyncs);
    printf("\"closed\": %d, \"refused\": %d, \"last_receipt_ns\": %lu, ", closed, refused, last_receipt_ns);
    printf("\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f}\n", percentile_ms(0.5), percentile_ms(0.99),
           percentile_ms(0.9999999));
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: %s ADDRESS PORT PATH STREAMS\n", argv[0]);
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    inet_pton(AF_INET, argv[1], &address.sin_addr);
    stream_count = atoi(argv[4]);
    streams = calloc((size_t)stream_count, sizeof *streams);
    buckets = calloc(BUCKETS, sizeof *buckets);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", argv[3], argv[1]);
    poller = epoll_create1(0);
    struct epoll_event standard_input = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &standard_input)) die("epoll_ctl");
    open_next();

    static struct epoll_event events[1024];
    int told = 0;
    uint64_t patience_ends = UINT64_MAX;
    while (now_ns() < patience_ends && at_goal < stream_count && closed < stream_count) {
        int n = epoll_wait(poller, events, 1024, 100);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr) {
                handle(events[i].data.ptr, events[i].events);
                continue;
            }
            char line[64] = {0};
            if (read(0, line, sizeof line - 1) <= 0) return 1; /* whoever asked has gone */
            goal = strtoull(line + sizeof "expect", NULL, 10);
            for (int j = 0; j < stream_count; j++) at_goal += streams[j].count >= goal;
            patience_ends = now_ns() + PATIENCE_NS;
        }
        if (!told && warm + closed == stream_count) {
            told = 1;
            printf("ready\n");
            fflush(stdout);
        }
    }
    report();
    return 0;
}
