# cython: boundscheck=False, wraparound=False
"""The compiled twin of `wire.Wire` and `readiness.EpollReadiness`, with the same methods.

What has no plain spelling is here: descriptors without socket objects, one buffer
for all that is received, a number in the epoll event that leads to its wire,
and greenlets switched without a call of Python. tests/worker runs with both.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.errno cimport EAGAIN, errno
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc

import os
import socket

from gevent import get_hub, spawn_raw

from greenserve.errors import ClientDisconnected
from greenserve.worker.wire import NEVER, DeadlineExceeded, Held, now

cdef extern from *:
    """
    #include "greenlet/greenlet.h"
    static int load_greenlet(void) { PyGreenlet_Import(); return _PyGreenlet_API ? 0 : -1; }
    static PyObject* current_greenlet(void) { return (PyObject*)PyGreenlet_GetCurrent(); }
    static PyObject* switch_to(PyObject* greenlet) { return PyGreenlet_Switch((PyGreenlet*)greenlet, NULL, NULL); }
    """
    int load_greenlet() except -1
    object current_greenlet()
    object switch_to(object greenlet)

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        uint64_t u64
    # As the header has it: packed on x86-64.
    cdef struct epoll_event:
        uint32_t events
        epoll_data_t data
    int EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int operation, int fd, epoll_event* event)
    int epoll_wait(int epoll, epoll_event* events, int most, int timeout)

cdef extern from "<sys/uio.h>" nogil:
    cdef struct iovec:
        void* iov_base
        size_t iov_len

cdef extern from "<sys/socket.h>" nogil:
    cdef struct msghdr:
        iovec* msg_iov
        size_t msg_iovlen
    int MSG_MORE, MSG_NOSIGNAL, SHUT_WR, SOL_SOCKET, SO_LINGER, SOCK_NONBLOCK, SOCK_CLOEXEC, AF_INET
    ctypedef unsigned int socklen_t
    ctypedef unsigned short sa_family_t
    cdef struct sockaddr:
        sa_family_t sa_family
    ssize_t recv(int fd, void* buffer, size_t size, int flags)
    ssize_t send(int fd, const void* data, size_t size, int flags)
    ssize_t sendmsg(int fd, const msghdr* message, int flags)
    int shutdown(int fd, int how)
    int setsockopt(int fd, int level, int option, const void* value, socklen_t size)
    int accept4(int fd, sockaddr* address, socklen_t* size, int flags)

cdef extern from "<netinet/in.h>" nogil:
    int IPPROTO_TCP
    cdef struct in_addr:
        uint32_t s_addr
    cdef struct sockaddr_in:
        in_addr sin_addr
        unsigned short sin_port
    unsigned short ntohs(unsigned short value)

cdef extern from "<netinet/tcp.h>" nogil:
    int TCP_NODELAY

cdef extern from "<arpa/inet.h>" nogil:
    const char* inet_ntop(int family, const void* address, char* text, socklen_t size)

cdef extern from "<unistd.h>" nogil:
    int close(int fd)

cdef extern from "<string.h>" nogil:
    void* memset(void* where, int value, size_t size)

load_greenlet()

cdef enum:
    READABLE = 0x001
    WRITABLE = 0x004
    FAILED = 0x018
    HALF_CLOSED = 0x2000
    TO_READ = READABLE | HALF_CLOSED | FAILED
    BATCH = 128
    #: More pieces than this are sent in several calls.
    GATHERED = 16
    RECEIVE_SIZE = 65536

cdef uint32_t EVERYTHING = READABLE | WRITABLE | HALF_CLOSED | <uint32_t>1 << 31

#: One for all wires: what is received leaves it before anybody else runs.
cdef char received[RECEIVE_SIZE]


cdef disconnect(int number):
    raise ClientDisconnected(f"the client is gone: {OSError(number, os.strerror(number))}")


# The collector must not take the socket from a wire that then closes the descriptor once more.
@cython.no_gc_clear
@cython.final
cdef class Wire:
    """A non-blocking socket, the events on it that are not used up, and the greenlet that waits for one."""

    def __cinit__(self, int fd):
        """*fd* is closed with the wire."""
        self.fd = fd
        self.deadline = NEVER

    @property
    def socket(self):
        """The socket itself, for who needs more than bytes."""
        if self._socket is None:
            self._socket = socket.socket(fileno=self.fd)
            self._socket.setblocking(False)
        return self._socket

    cpdef bytes receive_now(self, Py_ssize_t size):
        """Return what is there, at most *size* bytes; None if it is nothing, b"" if the client has finished sending."""
        cdef Py_ssize_t most = min(size, RECEIVE_SIZE)
        cdef ssize_t count
        if size < 0:
            # The kernel would take it for a very large one.
            raise ValueError("negative buffersize in recv")
        count = recv(self.fd, received, most, 0)
        if count < 0:
            if errno != EAGAIN:
                disconnect(errno)
            # Also the events that end a connection: were they real, there would have been an answer.
            self.seen &= ~<uint32_t>TO_READ
            return None
        if count < most:
            self.seen &= ~<uint32_t>READABLE
        return PyBytes_FromStringAndSize(received, count)

    cpdef Py_ssize_t send_now(self, bytes data, bint more) except -2:
        """Send what the kernel takes of *data*; return how many bytes, -1 if it takes none."""
        cdef int flags = MSG_NOSIGNAL | (MSG_MORE if more else 0)
        return self._note_sent(send(self.fd, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), flags), more)

    def send_pieces_now(self, list pieces, bint more):
        """Send what the kernel takes of all the *pieces* in one go."""
        cdef Py_buffer views[GATHERED]
        cdef iovec vector[GATHERED]
        cdef msghdr message
        cdef int count = 0
        memset(&message, 0, sizeof(message))
        try:
            for piece in pieces[:GATHERED]:
                PyObject_GetBuffer(piece, &views[count], PyBUF_SIMPLE)
                vector[count].iov_base = views[count].buf
                vector[count].iov_len = views[count].len
                count += 1
            message.msg_iov = vector
            message.msg_iovlen = count
            more = more or len(pieces) > GATHERED
            return self._note_sent(sendmsg(self.fd, &message, MSG_NOSIGNAL | (MSG_MORE if more else 0)), more)
        finally:
            while count:
                count -= 1
                PyBuffer_Release(&views[count])

    cdef Py_ssize_t _note_sent(self, ssize_t sent, bint more) except -2:
        """Return what the kernel took, -1 if that is nothing."""
        if sent >= 0:
            self.held = more
        elif errno == EAGAIN:
            self.seen &= ~<uint32_t>WRITABLE
        else:
            disconnect(errno)
        return sent

    def send_file_now(self, int file, offset, count):
        """Send what the kernel takes of an open file at once; return how many bytes, -1 if it takes none. Raises OSError."""
        try:
            return os.sendfile(self.fd, file, offset, count)
        except BlockingIOError:
            self.seen &= ~<uint32_t>WRITABLE
            return -1

    def push(self):
        """Make the kernel send what it holds back."""
        cdef int yes = 1
        # A unix socket has no such option, and holds nothing back.
        setsockopt(self.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes))
        self.held = False

    def finish_sending(self):
        """Say that nothing more will be sent."""
        shutdown(self.fd, SHUT_WR)

    def drop_unsent(self):
        """Make closing free at once what the kernel holds for the client, which else would be there until it is taken."""
        cdef int linger[2]
        linger[0], linger[1] = 1, 0
        setsockopt(self.fd, SOL_SOCKET, SO_LINGER, linger, sizeof(linger))

    def close(self):
        cdef int fd = self.fd
        self.fd = -1
        if self._socket is not None:
            self._socket.close()
        elif fd >= 0:
            close(fd)

    def __dealloc__(self):
        if self.fd >= 0 and self._socket is None:
            close(self.fd)


@cython.final
cdef class EpollReadiness:
    """Every connection of one worker behind one edge-triggered epoll."""

    def __cinit__(self):
        self._epoll = epoll_create1(EPOLL_CLOEXEC)
        if self._epoll < 0:
            raise OSError(errno, os.strerror(errno))
        # Not on the stack, which greenlets share and copy.
        self._events = malloc(BATCH * sizeof(epoll_event))
        if self._events is NULL:
            raise MemoryError
        #: By descriptor.
        self._wires = []

    def __init__(self):
        self._hub = get_hub()
        self._watcher = self._hub.loop.io(self._epoll, READABLE)
        self._watcher.start(self._deliver)
        self.hold = Held().add

    def __dealloc__(self):
        free(self._events)
        if self._epoll >= 0:
            close(self._epoll)

    cpdef wait(self, Wire wire, uint32_t events, double deadline):
        if not wire.watched:
            self._watch(wire)
        if wire.seen & events:
            return
        wire.awaited = events
        wire.deadline = deadline
        wire.greenlet = current_greenlet()
        try:
            if wire.greenlet is self._hub:
                # It says in its own words that nobody may wait there.
                self._hub.switch_out()
            switch_to(self._hub)
        finally:
            wire.greenlet = None

    def sleep(self, Wire wire, double deadline, sleeper):
        if not wire.watched:
            self._watch(wire)
        wire.deadline = deadline
        wire.sleeper = sleeper
        if wire.seen & TO_READ:
            self._rouse(wire)

    def forget(self, Wire wire):
        wire.sleeper = None
        if wire.watched:
            wire.watched = False
            self._wires[wire.fd] = None
            # Closing would do, had the application not perhaps forked a process that still holds the socket.
            epoll_ctl(self._epoll, EPOLL_CTL_DEL, wire.fd, NULL)

    def expire(self):
        cdef double moment = now()
        cdef Wire wire
        # Those that are roused may close others, or open new ones.
        for wire in [wire for wire in self._wires if wire is not None]:
            if wire.deadline <= moment and wire.watched:
                self._rouse(wire)
                self.interrupt(wire)

    def interrupt(self, Wire wire):
        if wire.greenlet is not None:
            try:
                wire.greenlet.throw(DeadlineExceeded)
            except Exception as error:
                self._hub.handle_error(wire, type(error), error, error.__traceback__)

    def close(self):
        self._watcher.stop()
        self._watcher.close()
        close(self._epoll)
        self._epoll = -1

    cdef _watch(self, Wire wire):
        cdef epoll_event event
        while len(self._wires) <= wire.fd:
            self._wires.append(None)
        # A descriptor may be used again while events of the one before it wait to be delivered.
        self._generation += 1
        wire.generation = self._generation
        event.events = EVERYTHING
        event.data.u64 = <uint64_t>wire.generation << 32 | <uint32_t>wire.fd
        if epoll_ctl(self._epoll, EPOLL_CTL_ADD, wire.fd, &event) < 0:
            raise OSError(errno, os.strerror(errno))
        self._wires[wire.fd] = wire
        wire.watched = True

    def _deliver(self):
        cdef epoll_event* events = <epoll_event*>self._events
        cdef int index, count = epoll_wait(self._epoll, events, BATCH, 0)
        cdef uint32_t came
        cdef Wire wire
        for index in range(count):
            wire = self._wires[<uint32_t>events[index].data.u64]
            if wire is None or wire.generation != events[index].data.u64 >> 32:
                continue
            came = events[index].events
            wire.seen |= came
            if wire.greenlet is not None:
                if came & wire.awaited:
                    self._wake(wire)
            elif came & TO_READ:
                self._rouse(wire)

    cdef _rouse(self, Wire wire):
        """Give a greenlet to who waits without one."""
        sleeper, wire.sleeper = wire.sleeper, None
        if sleeper is not None:
            spawn_raw(sleeper)

    cdef _wake(self, Wire wire):
        """Run a waiting greenlet until it waits again; the others in this batch must get their turn whatever it raises."""
        try:
            switch_to(wire.greenlet)
        except Exception as error:
            self._hub.handle_error(wire, type(error), error, error.__traceback__)


@cython.final
cdef class Listener:
    """What connections are taken from: a non-blocking socket of gevent's."""

    cdef object _socket
    cdef int _fd
    cdef bint _ipv4
    #: The client before, and its name: many connections in a row come from one proxy.
    cdef uint32_t _client
    cdef str _name

    def __init__(self, listener):
        self._socket = listener
        self._fd = listener.fileno()
        self._ipv4 = listener.family == AF_INET

    def accept(self):
        """Return the next connection and who it is from, None if there is none. Raises OSError."""
        cdef sockaddr_in address
        cdef socklen_t size = sizeof(address)
        cdef int fd
        if not self._ipv4:
            return self._accept_other()
        fd = accept4(self._fd, <sockaddr*>&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if fd >= 0:
            return Wire(fd), (self._name_client(&address), ntohs(address.sin_port))
        if errno == EAGAIN:
            return None
        raise OSError(errno, os.strerror(errno))

    cdef str _name_client(self, sockaddr_in* address):
        cdef char text[16]
        if self._name is None or address.sin_addr.s_addr != self._client:
            inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text))
            self._name = text.decode("ascii")
            self._client = address.sin_addr.s_addr
        return self._name

    def _accept_other(self):
        try:
            fd, peer = self._socket._accept()
        except BlockingIOError:
            return None
        os.set_blocking(fd, False)
        return Wire(fd), peer


def wrap(accepted):
    """Return the wire of a socket that nobody else uses any more."""
    accepted.setblocking(False)
    return Wire(accepted.detach())
