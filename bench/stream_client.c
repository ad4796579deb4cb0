/* Asks for one address over many kept connections and measures how long each answer took.
 *
 * cc -O2 -o stream_client stream_client.c; ./stream_client PORT PATH CLIENTS SECONDS FILE_BYTES RANGE_BYTES
 *
 * RANGE_BYTES 0 asks for whole files, else each request is for that many bytes at a random place. One line of JSON.
 * An answer that is not complete when time is up counts as taking until then, if that is longer than the median: one
 * who starves must not vanish from the figures.
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

#define READ_AT_ONCE 262144
#define HEAD_BYTES 4096
#define SAMPLES 4000000
#define WARM_UP_NS 300000000ULL

struct client {
    int fd, in_body, head_length;
    uint64_t asked_ns, answers;
    long long left;
    char head[HEAD_BYTES];
};

static struct client *clients;
static int poller;
static struct sockaddr_in address;
static const char *path;
static long long file_bytes, range_bytes;
static uint64_t begin_ns, sample_count, bytes, all_bytes, errors, *samples, place = 88172645463325252ULL;
static char buffer[READ_AT_ONCE];

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static long long somewhere(void) {
    place ^= place << 13;
    place ^= place >> 7;
    place ^= place << 17;
    return (long long)(place % (uint64_t)(file_bytes / range_bytes)) * range_bytes;
}

static void ask(struct client *c) {
    char request[1024], range[96] = "";
    if (range_bytes) {
        long long start = somewhere();
        snprintf(range, sizeof range, "Range: bytes=%lld-%lld\r\n", start, start + range_bytes - 1);
    }
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nUser-Agent: Chrome/156.0\r\n%s\r\n", path,
                          range);
    c->in_body = c->head_length = 0;
    c->asked_ns = now_ns();
    if (send(c->fd, request, (size_t)length, MSG_NOSIGNAL) != length) errors++;
}

static void open_client(struct client *c) {
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e)) die("epoll_ctl");
    ask(c);
}

static void answered(struct client *c) {
    uint64_t now = now_ns();
    if (c->asked_ns >= begin_ns && sample_count < SAMPLES) samples[sample_count++] = now - c->asked_ns;
    c->answers++;
    ask(c);
}

/* The body's part of what was just read into the head; -1 while the head is not complete. */
static long long read_head(struct client *c) {
    c->head[c->head_length] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return -1;
    char *length = strcasestr(c->head, "\r\ncontent-length:");
    int status = atoi(c->head + 9);
    if (!length || length > end || status != (range_bytes ? 206 : 200)) {
        if (!errors++) fprintf(stderr, "%.*s\n", (int)(end - c->head), c->head);
    }
    c->left = length ? atoll(length + 17) : 0;
    c->in_body = 1;
    return c->head_length - (end + 4 - c->head);
}

static void receive(struct client *c) {
    for (;;) {
        int in_head = !c->in_body;
        char *into = in_head ? c->head + c->head_length : buffer;
        /* Not beyond this answer: no answer but ours can follow, but the head may hold all of a short body. */
        size_t room = in_head ? (size_t)(HEAD_BYTES - 1 - c->head_length) : sizeof buffer;
        ssize_t got = recv(c->fd, into, room, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) { /* closed: a server may do so between answers */
            if (c->in_body || c->head_length) errors++;
            close(c->fd);
            open_client(c);
            return;
        }
        all_bytes += (uint64_t)got;
        if (now_ns() >= begin_ns) bytes += (uint64_t)got;
        if (in_head) {
            c->head_length += (int)got;
            long long body = read_head(c);
            if (body < 0) {
                if (c->head_length == HEAD_BYTES - 1) die("a head that does not end");
                continue;
            }
            c->left -= body;
        } else {
            c->left -= got;
        }
        if (c->left <= 0) {
            answered(c);
            return;
        }
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: stream_client PORT PATH CLIENTS SECONDS FILE_BYTES RANGE_BYTES\n");
        return 2;
    }
    int client_count = atoi(argv[3]);
    double seconds = atof(argv[4]);
    path = argv[2];
    file_bytes = atoll(argv[5]);
    range_bytes = atoll(argv[6]);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    clients = calloc((size_t)client_count, sizeof *clients);
    samples = malloc(SAMPLES * sizeof *samples);
    poller = epoll_create1(EPOLL_CLOEXEC);
    begin_ns = now_ns() + WARM_UP_NS;
    uint64_t end_ns = begin_ns + (uint64_t)(seconds * 1e9);
    for (int i = 0; i < client_count; i++) open_client(&clients[i]);
    struct epoll_event ready[256];
    while (now_ns() < end_ns) {
        int n = epoll_wait(poller, ready, 256, 20);
        for (int i = 0; i < n; i++) receive(ready[i].data.ptr);
    }
    uint64_t finished = sample_count, stop_ns = now_ns(), fewest = UINT64_MAX, most = 0;
    qsort(samples, sample_count, sizeof *samples, compare);
    uint64_t median = sample_count ? samples[sample_count / 2] : 0;
    for (int i = 0; i < client_count; i++) {
        uint64_t age = stop_ns - clients[i].asked_ns;
        if (age > median && sample_count < SAMPLES) samples[sample_count++] = age;
        if (clients[i].answers < fewest) fewest = clients[i].answers;
        if (clients[i].answers > most) most = clients[i].answers;
    }
    qsort(samples, sample_count, sizeof *samples, compare);
    double took = (double)(stop_ns - begin_ns) / 1e9;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"requests_per_s\": %.1f, \"bytes_per_s\": %.0f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, "
           "\"fewest\": %llu, \"most\": %llu, \"errors\": %llu, \"all_bytes\": %llu, \"client_cpu_s\": %.2f}\n",
           (double)finished / took, (double)bytes / took,
           sample_count ? (double)samples[sample_count / 2] / 1e6 : 0,
           sample_count ? (double)samples[(sample_count * 99) / 100] / 1e6 : 0,
           sample_count ? (double)samples[sample_count - 1] / 1e6 : 0, (unsigned long long)fewest,
           (unsigned long long)most, (unsigned long long)errors, (unsigned long long)all_bytes,
           (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    return 0;
}
