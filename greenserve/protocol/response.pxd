# C types of response.py.

cimport cython

cdef int _DATE, _SERVER, _BUFFERING, _TYPE, _LENGTH, _HOP_BY_HOP, _CONNECTION, _KEEP_ALIVE, _OURS, _NOT_IN_HINTS
cdef dict _ROLES, _statuses, _names
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
    cdef object length

    cdef bytes make_line(self, str value)


@cython.final
@cython.freelist(8)
cdef class Answer:
    cdef readonly Status status
    cdef readonly list fields
    cdef readonly object content_length
    cdef bint wants_close
    cdef int given
    cdef list lines

    @cython.locals(pair=tuple, name=str, value=str, known=FieldName, line=bytes, role=int)
    cdef add(self, field)
    cdef withdraw_length(self)
    cdef _announce(self, length)


@cython.final
@cython.freelist(8)
@cython.no_gc
cdef class ResponseHead:
    cdef readonly int code
    cdef readonly bytes head
    cdef readonly bint silent
    cdef readonly object content_length
    cdef readonly bint chunked
    cdef public bint persistent


cpdef Answer check_answer(status, fields)

@cython.locals(known=Status)
cdef Status _find_status(status)

@cython.locals(code=int, known=Status)
cdef Status _learn_status(status)

@cython.locals(known=FieldName)
cdef FieldName _find_name(str name)

@cython.locals(known=FieldName)
cdef FieldName _learn_name(str name)

cdef tuple _check_field(field)

cdef _check_value(str name, str value)

cdef _parse_length(str value)

@cython.locals(made=ResponseHead, length=object, lines=list, given=int)
cpdef ResponseHead make_response_head(Answer answer, str method, bint http11, bint persistent, known_length, str date)

cdef bint _streams_events(Answer answer) except -1

cdef _choose_framing(ResponseHead made, Answer answer, str method, bint http11, known_length)

@cython.locals(known=FieldName)
cpdef bytes make_early_hints(fields)

@cython.locals(answer=Answer, made=ResponseHead)
cpdef bytes make_refusal(int code, str method, str date, bint persistent=*, str text=*)
