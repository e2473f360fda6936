/*
 * The practical floor: what a user-space relay that batches has to spend, with
 * nothing else in it. One thread; every tick (10 ms) it drains each multicast socket
 * with recvmmsg(), strips RTP headers into one contiguous buffer and sends that
 * buffer to each client once.
 *
 *   floor --port 5199 --interface up0 [--tick-ms 10]
 *
 * Knows GET /rtp/GROUP:PORT and /udp/GROUP:PORT, and hangs up on all else. What
 * a client cannot take waits in a remainder of its own; when that would pass 4 MB,
 * whole ticks are dropped for this client.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { BATCH = 64, SLOT = 2048, TICK_MAX = 4 << 20, REST_MAX = 4 << 20, RCVBUF = 4 << 20 };

struct group {
  struct group *next;
  struct client *clients;
  struct sockaddr_in at;
  int fd;
};

struct client {
  struct client *next; /* in its group */
  struct group *group; /* NULL until the request is whole */
  uint8_t *rest;       /* ring of REST_MAX bytes, made at the first short write */
  size_t rest_at, rest_len, req_len;
  int fd;
  char req[2048];
};

static struct group *groups;
static uint8_t slots[BATCH][SLOT], out[TICK_MAX];
static struct iovec iov[BATCH];
static struct mmsghdr msgs[BATCH];
static int timer, ifindex, tick_ms = 10;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* The timer runs only while there is something to relay. */
static void run_timer(int on) {
  struct timespec t = {0, on ? tick_ms * 1000000L : 0};
  timerfd_settime(timer, 0, &(struct itimerspec){t, t}, NULL);
}

static struct group *join(struct sockaddr_in at) {
  for (struct group *g = groups; g; g = g->next)
    if (g->at.sin_addr.s_addr == at.sin_addr.s_addr && g->at.sin_port == at.sin_port) return g;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, zero = 0, size = RCVBUF;
  struct ip_mreqn m = {.imr_multiaddr = at.sin_addr, .imr_ifindex = ifindex};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &zero, sizeof zero);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) || setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m)) {
    perror("join");
    close(fd);
    return NULL;
  }
  if (!groups) run_timer(1);
  struct group *g = malloc(sizeof *g);
  *g = (struct group){groups, NULL, at, fd};
  return groups = g;
}

static void drop(struct client *c) {
  struct group *g = c->group;
  if (g) {
    struct client **p = &g->clients;
    while (*p != c) p = &(*p)->next;
    *p = c->next;
    if (!g->clients) { /* the last one: closing the socket leaves the group */
      struct group **q = &groups;
      while (*q != g) q = &(*q)->next;
      *q = g->next;
      close(g->fd);
      free(g);
      if (!groups) run_timer(0);
    }
  }
  close(c->fd);
  free(c->rest);
  free(c);
}

/* Bytes the kernel took. An error counts as all of them: epoll reports it, and drop() follows. */
static size_t push(struct client *c, const uint8_t *p, size_t len) {
  ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
  return n >= 0 ? (size_t)n : errno == EAGAIN ? 0 : len;
}

static void deliver(struct client *c, size_t len) {
  if (c->rest_len) {
    size_t n = push(c, c->rest + c->rest_at, least(c->rest_len, REST_MAX - c->rest_at));
    c->rest_at = (c->rest_at + n) % REST_MAX;
    c->rest_len -= n;
  }
  size_t done = c->rest_len || !len ? 0 : push(c, out, len), left = len - done;
  if (!left || c->rest_len + left > REST_MAX) return;
  if (!c->rest) c->rest = malloc(REST_MAX);
  size_t at = (c->rest_at + c->rest_len) % REST_MAX, part = least(left, REST_MAX - at);
  memcpy(c->rest + at, out + done, part);
  memcpy(c->rest, out + done + part, left - part);
  c->rest_len += left;
}

static size_t drain(int fd) {
  size_t len = 0;
  for (int n = BATCH; n == BATCH && len + BATCH * SLOT <= TICK_MAX;) {
    n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
      const uint8_t *p = slots[i];
      size_t l = msgs[i].msg_len;
      if (l > 12 && p[0] >> 6 == 2 && p[12] == 0x47) p += 12, l -= 12;
      else if (!l || p[0] != 0x47) continue;
      memcpy(out + len, p, l);
      len += l;
    }
  }
  return len;
}

static void tick(void) {
  for (struct group *g = groups; g; g = g->next) {
    size_t len = drain(g->fd);
    for (struct client *c = g->clients; c; c = c->next) deliver(c, len);
  }
}

/* Requests; once a client has its stream, whatever it still sends is thrown away. */
static void on_client(struct client *c) {
  if (c->group) c->req_len = 0;
  ssize_t n = recv(c->fd, c->req + c->req_len, sizeof c->req - 1 - c->req_len, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return drop(c);
  c->req[c->req_len += (size_t)n] = 0;
  if (c->group || !strstr(c->req, "\r\n\r\n")) return;
  static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n";
  struct sockaddr_in at = {.sin_family = AF_INET};
  char kind[4], addr[16];
  int right = sscanf(c->req, "GET /%3[rtpud]/%15[0-9.]:%hu", kind, addr, &at.sin_port) == 3 && inet_pton(AF_INET, addr, &at.sin_addr) == 1;
  at.sin_port = htons(at.sin_port);
  if (!right || !(c->group = join(at))) return drop(c);
  push(c, (const uint8_t *)ok, sizeof ok - 1);
  c->next = c->group->clients;
  c->group->clients = c;
}

int main(int argc, char **argv) {
  static const struct option opts[] = {{"port", 1, 0, 'p'}, {"interface", 1, 0, 'i'}, {"tick-ms", 1, 0, 't'}, {0, 0, 0, 0}};
  struct sockaddr_in at = {.sin_family = AF_INET};
  int one = 1;
  for (int c; (c = getopt_long(argc, argv, "", opts, NULL)) != -1;) {
    if (c == 'p') at.sin_port = htons((uint16_t)atoi(optarg));
    else if (c == 't') tick_ms = atoi(optarg);
    else if (c != 'i' || !(ifindex = (int)if_nametoindex(optarg))) return 2;
  }
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
  for (int i = 0; i < BATCH; i++) {
    iov[i] = (struct iovec){slots[i], SLOT};
    msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
  }
  for (;;) {
    struct epoll_event ev[64];
    int n = epoll_wait(ep, ev, 64, -1);
    for (int i = 0; i < n; i++) {
      if (ev[i].data.ptr == &timer) {
        uint64_t times;
        if (read(timer, &times, sizeof times) > 0) tick();
      } else if (ev[i].data.ptr == &lfd) {
        int fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct client *c = fd < 0 ? NULL : calloc(1, sizeof *c);
        if (!c) continue;
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
      } else {
        on_client(ev[i].data.ptr);
      }
    }
  }
}
