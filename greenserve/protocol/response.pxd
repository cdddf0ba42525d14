# C types of response.py.

cimport cython

cdef int _DATE, _SERVER, _LENGTH, _HOP_BY_HOP, _CONNECTION, _KEEP_ALIVE, _OURS, _NOT_IN_HINTS
cdef dict _ROLES, _statuses, _names, _size_lines
cdef FieldName _DATE_NAME


@cython.final
cdef class Status:
    cdef readonly str text
    cdef readonly int code
    cdef bytes line


@cython.final
cdef class FieldName:
    cdef str text
    cdef int role
    cdef str value
    cdef bytes line
    cdef long long length

    @cython.locals(text=str, line=bytes)
    cdef bytes make_line(self, value)


@cython.final
cdef class Answer:
    cdef readonly Status status
    cdef readonly list fields
    cdef readonly long long content_length
    cdef bint wants_close
    cdef int given
    cdef list lines

    @cython.locals(role=int)
    cdef bint takes(self, FieldName known, value) except -1

    cdef withdraw_length(self)


@cython.final
cdef class ResponseHead:
    cdef readonly int code
    cdef readonly bytes head
    cdef readonly bint silent
    cdef readonly long long content_length
    cdef readonly bint chunked
    cdef readonly bint persistent


@cython.locals(known_status=Status, answer=Answer, lines=list, known=FieldName, line=bytes)
cpdef Answer check_answer(status, fields)

@cython.locals(text=str, code=int)
cdef Status _learn_status(status)

@cython.locals(text=str, known=FieldName)
cdef FieldName _learn_name(name, value)

cdef tuple _make_pair(field)

cdef _check_value(str name, str value)

cdef long long _parse_length(str value) except -1

@cython.locals(made=ResponseHead, length=cython.longlong, lines=list, given=int)
cpdef ResponseHead make_response_head(Answer answer, str method, bint http11, bint persistent, long long known_length, str date)

cdef bint _streams_events(Answer answer) except -1

cdef long long _choose_framing(ResponseHead made, Answer answer, str method, bint http11, long long known_length) except? -2

@cython.locals(line=bytes)
cpdef bytes make_size_line(Py_ssize_t size)

@cython.locals(known=FieldName)
cpdef bytes make_early_hints(fields)

@cython.locals(answer=Answer, made=ResponseHead)
cpdef bytes make_refusal(int code, str method, str date, bint persistent=*, str text=*)
