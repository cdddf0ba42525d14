# C types of exchange.py. What the tests fake, the channel and the takeover, are any objects.

cimport cython

from greenserve.protocol.request cimport RequestHead
from greenserve.protocol.response cimport (
    Answer,
    ResponseHead,
    check_answer,
    make_early_hints,
    make_refusal,
    make_response_head,
    make_size_line,
)
from greenserve.wsgi.input cimport Input


@cython.final
cdef class Exchange:
    cdef RequestHead _request
    cdef readonly object _channel
    cdef object _takeover
    cdef Answer _answer
    cdef ResponseHead _head
    cdef long long _known_length
    cdef readonly Input input
    cdef readonly dict environ
    cdef readonly object code
    cdef public long long sent
    cdef readonly bint complete
    cdef readonly bint persistent
    cdef readonly object failure

    cpdef bint is_taken_over(self) except -1
    cpdef run(self, application)
    cdef bint _tells_takeover(self, failure) except -1
    cdef _respond(self, application)
    cdef _send_blocks(self, blocks)
    cdef _send_each(self, blocks)
    cdef bint _is_unheard(self)

    @cython.locals(length=Py_ssize_t)
    cdef _send_list(self, blocks)

    cdef _send_file(self, wrapper)

    @cython.locals(head=ResponseHead)
    cdef _send_rest(self, rest)

    cdef _send_more(self, rest, count)
    cdef _send_block(self, block)

    @cython.locals(size=Py_ssize_t)
    cdef _send_first(self, ResponseHead head, block)

    @cython.locals(size=Py_ssize_t, room=cython.longlong)
    cdef _send_next(self, ResponseHead head, block)

    cdef _refuse_more(self, long long length)

    @cython.locals(head=ResponseHead, request=RequestHead)
    cdef ResponseHead _make_head(self)

    cdef _raise_takeover(self)
    cdef bint _may_go_on(self) except -1

    @cython.locals(head=ResponseHead)
    cdef _finish(self)

    @cython.locals(head=ResponseHead)
    cdef ResponseHead _send_lone_head(self)

    cdef _refuse(self, failure)
