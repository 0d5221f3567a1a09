/*
 * The yardstick: an echo server as plain as epoll(7) lets it be, on one thread.
 *
 *   echo level     level-triggered: one epoll_ctl per connection
 *   echo oneshot   EPOLLONESHOT, re-armed after each message, as an await by hand is
 *   echo http      level-triggered; each end of a request's head is answered, the same to all: no less can be done
 *
 * With "threads" behind it a second thread sleeps all the time, as there is always one in a JVM: the
 * kernel then counts who uses a descriptor, in each system call, and libc guards calls that pthread_cancel
 * may end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 256, BUFFER = 16 * 1024, BACKLOG = 4096 };

static int epoll;
static uint32_t interest;
static int speaks_http;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void arm(int operation, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(epoll, operation, fd, &event) < 0) die("epoll_ctl");
}

static int listen_anywhere(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (listener < 0) die("socket");
  if (bind(listener, (struct sockaddr *)&address, length) < 0) die("bind");
  if (listen(listener, BACKLOG) < 0) die("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &length) < 0) die("getsockname");
  printf("listening on %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static void accept_all(int listener) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    arm(EPOLL_CTL_ADD, fd, interest);
  }
  if (errno != EAGAIN) die("accept4");
}

/* Writes an answer for each head that ends in the bytes from request on; returns how many bytes that takes. */
static ssize_t answer_http(const char *request, ssize_t count, char *answers) {
  static const char head_end[] = "\r\n\r\n";
  static const char answer[] =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nHello, World!";
  const char *limit = request + count;
  char *next = answers;
  while ((request = memmem(request, limit - request, head_end, sizeof head_end - 1))) {
    request += sizeof head_end - 1;
    memcpy(next, answer, sizeof answer - 1);
    next += sizeof answer - 1;
  }
  return next - answers;
}

static void answer(int fd) {
  static char buffer[BUFFER];
  static char answers[BUFFER * 32]; /* a head has 4 bytes at the least, and an answer less than 128 */
  ssize_t count = recv(fd, buffer, sizeof buffer, 0);
  char *reply = speaks_http ? answers : buffer;
  if (speaks_http && count > 0) count = answer_http(buffer, count, answers);
  if (count <= 0 || send(fd, reply, count, MSG_NOSIGNAL) != count) {
    /* The peer is gone, or doesn't read: nothing that is measured. */
    close(fd);
  } else if (interest & EPOLLONESHOT) {
    arm(EPOLL_CTL_MOD, fd, interest);
  }
}

static void *sleep_for_ever(void *nothing) {
  while (1) pause();
  return nothing;
}

static int usage(const char *program) {
  fprintf(stderr, "usage: %s level|oneshot|http [threads]\n", program);
  return 2;
}

int main(int count, char **arguments) {
  struct epoll_event events[BATCH];
  if (count < 2 || count > 3) return usage(arguments[0]);
  interest = EPOLLIN;
  if (strcmp(arguments[1], "oneshot") == 0) {
    interest |= EPOLLONESHOT;
  } else if (strcmp(arguments[1], "http") == 0) {
    speaks_http = 1;
  } else if (strcmp(arguments[1], "level") != 0) {
    return usage(arguments[0]);
  }
  if (count == 3) {
    pthread_t sleeper;
    if (strcmp(arguments[2], "threads") != 0) return usage(arguments[0]);
    if (pthread_create(&sleeper, NULL, sleep_for_ever, NULL) != 0) die("pthread_create");
  }
  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) die("epoll_create1");
  int listener = listen_anywhere();
  arm(EPOLL_CTL_ADD, listener, EPOLLIN);
  while (1) {
    int ready = epoll_wait(epoll, events, BATCH, -1);
    if (ready < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        accept_all(listener);
      } else {
        answer(fd);
      }
    }
  }
}
