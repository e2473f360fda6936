/*
 * The kernel's part of a relay's work: sends blocks of 64 KiB to every client at the
 * scenario's rate and does nothing else. No group is joined and nothing is received; what
 * this costs is what no relay that copies to its clients can save.
 *
 *   send --port 5198 --mbps 40
 *
 * Knows GET /rtp/A.B.C.N:PORT and /udp/A.B.C.N:PORT, and sends verifiable packets of stream N
 * (pattern.h) out of 1 MiB that is made once a stream: their counters start again with each
 * round and their time is that of the making, so that order and latency mean nothing here.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "pattern.h"

enum { BLOCK = 65536, RING = (1 << 20) / TS_SIZE * TS_SIZE, OWED_MAX = 1 << 20, MAX_STREAMS = 256 };

struct client {
  struct client *next;
  const uint8_t *ring; /* NULL until the request is whole */
  size_t at, owed, req_len;
  int fd;
  char req[2048];
};

static struct client *clients;
static uint8_t *rings[MAX_STREAMS];
static int timer;
static double mbps = 8;

static void run_timer(int on) {
  uint64_t ns = on ? (uint64_t)(BLOCK * 8e3 / mbps) : 0;
  struct timespec t = {(time_t)(ns / 1000000000ull), (long)(ns % 1000000000ull)};
  timerfd_settime(timer, 0, &(struct itimerspec){t, t}, NULL);
}

static const uint8_t *ring_of(unsigned stream) {
  if (!rings[stream]) {
    uint64_t t = now_ns();
    rings[stream] = malloc(RING);
    for (int i = 0; i * TS_SIZE < RING; i++) pat_fill(rings[stream] + i * TS_SIZE, stream, (uint64_t)i, t);
  }
  return rings[stream];
}

static void drop(struct client *c) {
  struct client **p = &clients;
  while (*p != c) p = &(*p)->next;
  *p = c->next;
  if (!clients) run_timer(0);
  close(c->fd);
  free(c);
}

/* An error is left to epoll, which reports it; drop() follows. */
static void deliver(struct client *c, uint64_t blocks) {
  c->owed += blocks * BLOCK;
  if (c->owed > OWED_MAX) c->owed = OWED_MAX;
  while (c->owed) {
    size_t len = c->owed < RING - c->at ? c->owed : RING - c->at;
    ssize_t n = send(c->fd, c->ring + c->at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) return;
    c->at = (c->at + (size_t)n) % RING;
    c->owed -= (size_t)n;
  }
}

static void on_client(struct client *c) {
  if (c->ring) c->req_len = 0;
  ssize_t n = recv(c->fd, c->req + c->req_len, sizeof c->req - 1 - c->req_len, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return drop(c);
  c->req[c->req_len += (size_t)n] = 0;
  if (c->ring || !strstr(c->req, "\r\n\r\n")) return;
  static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n";
  unsigned stream;
  if (sscanf(c->req, "GET /%*3[rtpud]/%*u.%*u.%*u.%u:", &stream) != 1 || stream >= MAX_STREAMS) return drop(c);
  if (send(c->fd, ok, sizeof ok - 1, MSG_NOSIGNAL) < 0) return drop(c);
  c->ring = ring_of(stream);
}

static void on_listener(int lfd, int ep) {
  int one = 1, fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  struct client *c = fd < 0 ? NULL : calloc(1, sizeof *c);
  if (!c) return;
  if (!clients) run_timer(1);
  c->fd = fd;
  c->next = clients;
  clients = c;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
}

int main(int argc, char **argv) {
  static const struct option opts[] = {{"port", 1, 0, 'p'}, {"mbps", 1, 0, 'm'}, {0, 0, 0, 0}};
  struct sockaddr_in at = {.sin_family = AF_INET};
  int one = 1;
  for (int c; (c = getopt_long(argc, argv, "", opts, NULL)) != -1;) {
    if (c == 'p') at.sin_port = htons((uint16_t)atoi(optarg));
    else if (c == 'm') mbps = atof(optarg);
    else return 2;
  }
  if (mbps <= 0) return 2;
  int lfd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (!at.sin_port || bind(lfd, (struct sockaddr *)&at, sizeof at) || listen(lfd, 1024)) {
    perror("listen");
    return 1;
  }
  int ep = epoll_create1(EPOLL_CLOEXEC);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  epoll_ctl(ep, EPOLL_CTL_ADD, lfd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &lfd});
  epoll_ctl(ep, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &timer});
  for (;;) {
    struct epoll_event ev[64];
    int n = epoll_wait(ep, ev, 64, -1);
    for (int i = 0; i < n; i++) {
      if (ev[i].data.ptr == &timer) {
        uint64_t times;
        if (read(timer, &times, sizeof times) <= 0) continue;
        for (struct client *c = clients; c; c = c->next)
          if (c->ring) deliver(c, times);
      } else if (ev[i].data.ptr == &lfd) {
        on_listener(lfd, ep);
      } else {
        on_client(ev[i].data.ptr);
      }
    }
  }
}
