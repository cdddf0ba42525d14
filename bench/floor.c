/* The kernel's share: an epoll loop that reads what comes, parses none of it,
 * and sends the same answer. What a server costs above this is its own.
 *
 *     floor PORT [close]      with close: one answer for each connection
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ANSWER[] =
    "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "Content-Type: text/plain\r\nContent-Length: 14\r\n\r\nHello, world!\n";
static const char LAST_ANSWER[] =
    "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "Content-Type: text/plain\r\nContent-Length: 14\r\nConnection: close\r\n\r\nHello, world!\n";

static int closing, epoll;

static int open_listener(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 2048))
        exit(1);
    return listener;
}

static void watch(int fd, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int listener) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        watch(fd, EPOLLIN | EPOLLET);
}

static void answer(int fd) {
    char request[65536];
    const char *text = closing ? LAST_ANSWER : ANSWER;
    size_t length = (closing ? sizeof LAST_ANSWER : sizeof ANSWER) - 1;
    if (recv(fd, request, sizeof request, 0) <= 0 || send(fd, text, length, MSG_NOSIGNAL) < 0 || closing)
        close(fd);
}

int main(int count, char **words) {
    struct epoll_event events[128];
    int listener = open_listener(count > 1 ? atoi(words[1]) : 0);
    closing = count > 2 && !strcmp(words[2], "close");
    epoll = epoll_create1(0);
    watch(listener, EPOLLIN);
    for (;;) {
        int ready = epoll_wait(epoll, events, 128, -1);
        for (int i = 0; i < ready; i++)
            if (events[i].data.fd == listener)
                accept_all(listener);
            else
                answer(events[i].data.fd);
    }
}
