/*
 * A bad line between two network interfaces, for kernels that have no sch_netem: every Ethernet frame that one of them
 * receives is lost, or leaves by the other one later. ARP and IPv6 are delayed, but neither lost nor counted.
 *
 *   link <interface A> <interface B>
 *
 * Standard input has the orders, a line each: a direction ("down" is A to B, "up" B to A, "both") and what is set there.
 *
 *   reset                 a perfect line again
 *   delay=50 jitter=20    ms, one way; packets keep their order, so a late one makes those behind it late
 *   loss=3                percent, each packet for itself
 *   burst=1,30            percent: a good packet begins a burst of losses, a bad one ends it (Gilbert-Elliott)
 *   rate=1.5e6 queue=500  bit/s, and how much may wait for it, in ms of that rate; the rest is dropped (default 100)
 *   blockudp=1 blocktcp=1 0 lets it pass again
 *
 * "ready" is printed once it runs, and after each order "ok", or the reason why it is refused. It ends with standard input.
 * Orders are those of one seed: the same packets in the same order are lost alike.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FRAME = 70000, FRAMES_A_TURN = 64, SOCKET_BYTES = 64 << 20 };

typedef struct {
  double delay, jitter, loss, burst_begin, burst_end, rate, queue;
  int block_udp, block_tcp;
  int in_burst;
  /* When what waits has left, and when the frame before this one arrives, ms. */
  double free_at, last_arrival;
} Direction;

typedef struct {
  double at;
  uint64_t sequence;
  int out, length;
  unsigned char *bytes;
} Frame;

static Direction directions[2];

/* What is under way: a heap by time, then by the order in which it came. */
static Frame *heap;
static int heap_size, heap_room;

static int is_before(const Frame *a, const Frame *b) {
  return a->at < b->at || (a->at == b->at && a->sequence < b->sequence);
}

static void swap(int a, int b) {
  Frame kept = heap[a];
  heap[a] = heap[b];
  heap[b] = kept;
}

static void push(Frame frame) {
  if (heap_size == heap_room) {
    heap_room = heap_room == 0 ? 1024 : heap_room * 2;
    heap = realloc(heap, heap_room * sizeof *heap);
    if (heap == NULL) exit(1);
  }
  heap[heap_size] = frame;
  for (int i = heap_size++; i > 0 && is_before(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2) swap(i, (i - 1) / 2);
}

static Frame pop(void) {
  Frame first = heap[0];
  heap[0] = heap[--heap_size];
  for (int i = 0;;) {
    int least = i;
    for (int child = 2 * i + 1; child <= 2 * i + 2; child++)
      if (child < heap_size && is_before(&heap[child], &heap[least])) least = child;
    if (least == i) return first;
    swap(i, least);
    i = least;
  }
}

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int happens(double probability) { return probability > 0 && drand48() < probability; }

static int open_interface(const char *name) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  address.sll_ifindex = if_nametoindex(name);
  struct packet_mreq all = {.mr_ifindex = address.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
  int yes = 1, room = SOCKET_BYTES;
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) < 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) < 0) {
    perror(name);
    exit(1);
  }
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  return fd;
}

/* The ones' complement sum of RFC 1071, over 16-bit words in network order. */
static uint32_t sum_of(const unsigned char *bytes, int length, uint32_t sum) {
  for (; length > 1; length -= 2, bytes += 2) sum += (bytes[0] << 8) | bytes[1];
  return length > 0 ? sum + (bytes[0] << 8) : sum;
}

/* A veth leaves the checksum of what its own machine sends to a network card that does not exist. */
static void write_checksum(unsigned char *ip, int length) {
  int header = (ip[0] & 15) * 4, total = (ip[2] << 8) | ip[3];
  int at = ip[9] == IPPROTO_TCP ? 16 : ip[9] == IPPROTO_UDP ? 6 : -1;
  int is_fragment = (((ip[6] << 8) | ip[7]) & 0x3fff) != 0;
  if (at < 0 || is_fragment || total > length || total < header + at + 2) return;
  unsigned char *body = ip + header;
  body[at] = body[at + 1] = 0;
  uint32_t sum = sum_of(body, total - header, sum_of(ip + 12, 8, ip[9] + total - header));
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  uint16_t checksum = ~sum;
  if (checksum == 0 && ip[9] == IPPROTO_UDP) checksum = 0xffff;
  body[at] = checksum >> 8;
  body[at + 1] = checksum & 0xff;
}

static int is_lost(Direction *line) {
  if (happens(line->loss)) return 1;
  if (line->burst_begin > 0 && happens(line->in_burst ? line->burst_end : line->burst_begin))
    line->in_burst = !line->in_burst;
  return line->in_burst;
}

static void receive(Direction *line, unsigned char *bytes, int length, int out) {
  static uint64_t sequence;
  double now = now_ms(), leaves = now;
  int is_ip = length > ETH_HLEN + 20 && bytes[12] == 8 && bytes[13] == 0;
  if (is_ip) {
    unsigned char *ip = bytes + ETH_HLEN;
    if ((ip[9] == IPPROTO_UDP && line->block_udp) || (ip[9] == IPPROTO_TCP && line->block_tcp)) return;
    write_checksum(ip, length - ETH_HLEN);
    if (is_lost(line)) return;
  }
  if (line->rate > 0) {
    if (line->free_at < now) line->free_at = now;
    if (line->free_at - now > line->queue) return;
    line->free_at += length * 8e3 / line->rate;
    leaves = line->free_at;
  }
  double arrives = leaves + line->delay + (drand48() * 2 - 1) * line->jitter;
  if (arrives < leaves) arrives = leaves;
  if (arrives < line->last_arrival) arrives = line->last_arrival;
  line->last_arrival = arrives;
  Frame frame = {arrives, sequence++, out, length, malloc(length)};
  if (frame.bytes == NULL) exit(1);
  memcpy(frame.bytes, bytes, length);
  push(frame);
}

/* One "name=value" of an order; 0: there is no such thing. */
static int set(Direction *line, const char *word) {
  double value = 0, second = 0;
  char name[16] = "";
  int fields = sscanf(word, "%15[a-z]=%lf,%lf", name, &value, &second);
  if (fields == 1 && strcmp(name, "reset") == 0) *line = (Direction){.queue = 100};
  else if (fields < 2 || value < 0) return 0;
  else if (strcmp(name, "delay") == 0) line->delay = value;
  else if (strcmp(name, "jitter") == 0) line->jitter = value;
  else if (strcmp(name, "loss") == 0) line->loss = value / 100;
  else if (strcmp(name, "rate") == 0) line->rate = value, line->free_at = 0;
  else if (strcmp(name, "queue") == 0) line->queue = value;
  else if (strcmp(name, "blockudp") == 0) line->block_udp = value != 0;
  else if (strcmp(name, "blocktcp") == 0) line->block_tcp = value != 0;
  else if (strcmp(name, "burst") == 0 && fields == 3)
    line->burst_begin = value / 100, line->burst_end = second / 100, line->in_burst = 0;
  else return 0;
  return 1;
}

static void obey(char *order) {
  char *rest, *word = strtok_r(order, " ", &rest);
  int down = word != NULL && strcmp(word, "up") != 0, up = word != NULL && strcmp(word, "down") != 0;
  if (word == NULL || (down && up && strcmp(word, "both") != 0)) {
    puts("no direction: down, up or both");
    return;
  }
  while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
    if ((down && !set(&directions[0], word)) || (up && !set(&directions[1], word))) {
      printf("not known: %s\n", word);
      return;
    }
  }
  puts("ok");
}

/* 0: standard input has ended. */
static int read_orders(void) {
  static char line[4096];
  static int length;
  int got = read(STDIN_FILENO, line + length, sizeof line - 1 - length);
  if (got <= 0) return got < 0 && errno == EINTR;
  length += got;
  line[length] = 0;
  for (char *end; (end = strchr(line, '\n')) != NULL;) {
    *end = 0;
    obey(line);
    length -= end + 1 - line;
    memmove(line, end + 1, length + 1);
  }
  return length < (int)sizeof line - 1;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fputs("link <interface A> <interface B>\n", stderr);
    return 2;
  }
  static unsigned char bytes[MAX_FRAME];
  struct pollfd ready[] = {
      {open_interface(arguments[1]), POLLIN, 0}, {open_interface(arguments[2]), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  directions[0].queue = directions[1].queue = 100;
  srand48(4711);
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("ready");
  for (;;) {
    for (double now = now_ms(); heap_size > 0 && heap[0].at <= now + 0.05;) {
      Frame frame = pop();
      /* One that the interface refuses is lost, as on any line. */
      if (send(ready[frame.out].fd, frame.bytes, frame.length, 0) < 0 && errno == ENETDOWN) return 1;
      free(frame.bytes);
    }
    double wait = heap_size == 0 ? 1000 : heap[0].at - now_ms();
    if (wait < 0) wait = 0;
    if (wait > 1000) wait = 1000;
    struct timespec timeout = {wait / 1000, (long)(wait * 1e6) % 1000000000};
    ppoll(ready, 3, &timeout, NULL);
    for (int from = 0; from < 2; from++) {
      for (int turn = 0; (ready[from].revents & POLLIN) && turn < FRAMES_A_TURN; turn++) {
        int length = recv(ready[from].fd, bytes, sizeof bytes, 0);
        if (length <= 0) break;
        receive(&directions[from], bytes, length, 1 - from);
      }
    }
    if ((ready[2].revents & (POLLIN | POLLHUP)) && !read_orders()) return 0;
  }
}
