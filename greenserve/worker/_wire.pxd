from libc.stdint cimport uint32_t


cdef class Wire:
    cdef readonly int fd
    cdef public bint watched
    cdef public uint32_t seen
    cdef public uint32_t awaited
    cdef public object greenlet
    cdef public double deadline
    cdef public object sleeper
    cdef public bint held
    cdef uint32_t generation
    cdef object _socket

    cpdef bytes receive_now(self, Py_ssize_t size)
    cpdef Py_ssize_t send_now(self, bytes data, bint more) except -2
    cdef Py_ssize_t _note_sent(self, ssize_t sent, bint more) except -2


cdef class EpollReadiness:
    cdef object _hub
    cdef object _watcher
    cdef readonly object hold
    cdef int _epoll
    cdef uint32_t _generation
    cdef list _wires
    cdef void* _events

    cpdef wait(self, Wire wire, uint32_t events, double deadline)
    cdef _watch(self, Wire wire)
    cdef _rouse(self, Wire wire)
    cdef _wake(self, Wire wire)
