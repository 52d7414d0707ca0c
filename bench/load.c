/* Load client of the benchmarks: replays requests that were encoded beforehand over keep-alive connections.
 *
 *   load HOST PORT CONNECTIONS FILE
 *
 * FILE holds complete HTTP/1.1 requests, each behind its length as a little-endian uint32. Connection c of n sends
 * requests c, c + n, c + 2n, ... and waits for each answer before the next. Standard output: the nanoseconds that all
 * of it took, then those of each request, one number a line. Exit status 1, with the reason on standard error, on
 * any answer but 200 and 201. */

#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_LIMIT = 4 << 20, TIMEOUT_SECONDS = 120 };

struct request {
  const char *data;
  uint32_t length;
};

struct connection {
  pthread_t thread;
  int socket;
  int first;
  char *answer;
  char error[400];
};

static struct request *requests;
static uint64_t *latencies;
static size_t request_count;
static int connection_count;
static pthread_barrier_t ready;

static void die(const char *what) {
  fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void read_requests(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) die(path);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char *all = malloc((size_t)size + 1);
  if (!all || fread(all, 1, (size_t)size, file) != (size_t)size) die(path);
  fclose(file);
  errno = 0;
  for (long at = 0; at < size; request_count++) {
    uint32_t length;
    if (size - at < 4) die("the file of requests is cut off");
    memcpy(&length, all + at, 4);
    at += 4;
    if (length > size - at) die("the file of requests is cut off");
    if (request_count % 4096 == 0) {
      requests = realloc(requests, (request_count + 4096) * sizeof *requests);
      if (!requests) die("memory");
    }
    requests[request_count].data = all + at;
    requests[request_count].length = length;
    at += length;
  }
  latencies = calloc(request_count + 1, sizeof *latencies);
  if (!latencies) die("memory");
}

static int open_socket(const char *host, const char *port) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  int code = getaddrinfo(host, port, &hints, &found);
  if (code) die(gai_strerror(code));
  int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  struct timeval limit = {.tv_sec = TIMEOUT_SECONDS};
  if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen)) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  freeaddrinfo(found);
  errno = 0;
  return fd;
}

static int send_all(struct connection *c, const struct request *r) {
  for (uint32_t sent = 0; sent < r->length;) {
    ssize_t n = send(c->socket, r->data + sent, r->length - sent, MSG_NOSIGNAL);
    if (n <= 0) {
      snprintf(c->error, sizeof c->error, "sending: %s", strerror(errno));
      return 0;
    }
    sent += (uint32_t)n;
  }
  return 1;
}

/* Bytes of the whole answer once its head is known, 0 before, -1 where it has no length. */
static long answer_size(const char *answer, const char *end_of_head) {
  for (const char *line = strstr(answer, "\r\n"); line && line < end_of_head; line = strstr(line + 2, "\r\n"))
    if (!strncasecmp(line + 2, "content-length:", 15)) return end_of_head + 4 - answer + atol(line + 17);
  return -1;
}

static int receive(struct connection *c) {
  size_t have = 0;
  long want = 0;
  while (!want || have < (size_t)want) {
    ssize_t n = have < ANSWER_LIMIT ? recv(c->socket, c->answer + have, ANSWER_LIMIT - have, 0) : 0;
    if (n <= 0) {
      snprintf(c->error, sizeof c->error, "the answer ended early: %s", n ? strerror(errno) : "closed, or too long");
      return 0;
    }
    have += (size_t)n;
    c->answer[have] = 0;
    const char *end = want ? NULL : strstr(c->answer, "\r\n\r\n");
    if (end) want = answer_size(c->answer, end);
    if (want < 0) {
      snprintf(c->error, sizeof c->error, "an answer without Content-Length");
      return 0;
    }
  }
  if (strncmp(c->answer, "HTTP/1.1 201", 12) && strncmp(c->answer, "HTTP/1.1 200", 12)) {
    const char *body = strstr(c->answer, "\r\n\r\n");
    snprintf(c->error, sizeof c->error, "%.20s %.300s", c->answer, body ? body + 4 : "");
    return 0;
  }
  return 1;
}

static void *work(void *argument) {
  struct connection *c = argument;
  pthread_barrier_wait(&ready);
  for (size_t i = (size_t)c->first; i < request_count; i += (size_t)connection_count) {
    uint64_t start = now();
    if (!send_all(c, &requests[i]) || !receive(c)) break;
    latencies[i] = now() - start;
  }
  close(c->socket);
  return NULL;
}

int main(int count, char **arguments) {
  if (count != 5 || (connection_count = atoi(arguments[3])) < 1) die("usage: load HOST PORT CONNECTIONS FILE");
  read_requests(arguments[4]);
  struct connection *all = calloc((size_t)connection_count, sizeof *all);
  if (!all || pthread_barrier_init(&ready, NULL, (unsigned)connection_count + 1)) die("memory");
  for (int i = 0; i < connection_count; i++) {
    all[i].first = i;
    all[i].socket = open_socket(arguments[1], arguments[2]);
    all[i].answer = malloc(ANSWER_LIMIT + 1);
    if (!all[i].answer || pthread_create(&all[i].thread, NULL, work, &all[i])) die("memory");
  }
  pthread_barrier_wait(&ready);
  uint64_t start = now();
  for (int i = 0; i < connection_count; i++) pthread_join(all[i].thread, NULL);
  uint64_t elapsed = now() - start;
  for (int i = 0; i < connection_count; i++)
    if (all[i].error[0]) {
      fprintf(stderr, "load: %s\n", all[i].error);
      return 1;
    }
  printf("%llu\n", (unsigned long long)elapsed);
  for (size_t i = 0; i < request_count; i++) printf("%llu\n", (unsigned long long)latencies[i]);
  return 0;
}
