# greenserve as an image to start from:
#
#     FROM greenserve
#     COPY . /app
#     USER root
#     RUN pip install --no-cache-dir -r /app/requirements.txt
#     USER 1000:1000
#     CMD ["--workers", "4", "app:app"]
#
# It honours PORT and WEB_CONCURRENCY. It asks for no rights and no writable
# directory but a temporary one: --read-only --cap-drop all --tmpfs /tmp.
#
# BASE is any image with Python 3.10 or later at `python3`, and venv in it.
# Compiling needs gcc and Python's headers, which are taken from apt where BASE has
# none of its own; --build-arg GREENSERVE_SPEEDUPS=0 does without, and is plain Python.
ARG BASE=python:3.12-slim

# The environment is built in one stage and copied as a whole; the compiler, pip's cache and the source stay behind.
FROM ${BASE} AS build
ARG GREENSERVE_SPEEDUPS=1
COPY .build/install-compiler /source/.build/
RUN [ "$GREENSERVE_SPEEDUPS" = 0 ] || /source/.build/install-compiler python3
# pip's own settings, for whoever builds without an index; an argument ends with its stage.
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /opt/greenserve
COPY . /source
RUN /opt/greenserve/bin/pip install /source

FROM build AS build-board
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
RUN /opt/greenserve/bin/pip install -r /source/examples/flask_board/requirements.txt

FROM ${BASE} AS bare
ENV PATH=/opt/greenserve/bin:$PATH PYTHONUNBUFFERED=1 PORT=8000
WORKDIR /app
USER 1000:1000
STOPSIGNAL SIGTERM
EXPOSE 8000
ENTRYPOINT ["greenserve"]

# The example board, as a target of its own: docker build --target board .
FROM bare AS board
COPY --from=build-board /opt/greenserve /opt/greenserve
COPY examples/flask_board /app
ENV DATABASE_URL=sqlite:////tmp/board.sqlite3
CMD ["app:app"]

FROM bare AS greenserve
COPY --from=build /opt/greenserve /opt/greenserve
COPY examples/hello.py /app/
CMD ["hello:application"]
