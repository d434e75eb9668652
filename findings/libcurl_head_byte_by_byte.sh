#!/bin/sh
# libcurl formats the head of a request one character at a time: a long header costs some thirty times as much as a body.
#
# Package: pycurl 7.45.6 from PyPI, whose wheel carries libcurl 8.12; libcurl 7.88 of Debian 12 does the same.
# Behaviour: each character of a line of CURLOPT_HTTPHEADER goes through three functions of curl's own printf before it is in the
#   buffer that is sent. 60,000 more characters of header cost each request many times the processor time of 60,000 more
#   characters of body, which are copied.
# The wrong guess: headers are a few hundred bytes of strings that a client copies, so their length costs nothing beside TLS and
#   the system calls. An Entra token is 1,400 to 2,000 characters, and was half of the instructions of a warm request.
# Effect here: packages and DLL, which have curl inside, copy the head at once (src/net/curl_format.c).
#
# No network but the installation: the server is this script's own, on the loopback. Exit 0: as described. Exit 1: it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install --only-binary :all: pycurl==7.45.6
"$folder/venv/bin/python" - <<'END'
import os
import resource
import signal
import socket
import sys

import pycurl

EXTRA, CALLS = 60000, 600
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def serve(listener):
    """Answers each request when its head and body are there, without a look at what they say."""
    connection, _ = listener.accept()
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            piece = connection.recv(1 << 20)
            if not piece:
                os._exit(0)
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += connection.recv(1 << 20)
        data = body[length:]
        connection.sendall(ANSWER)


def processor_us(header_bytes, body_bytes):
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        serve(listener)
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, "http://127.0.0.1:%d/" % listener.getsockname()[1])
    curl.setopt(pycurl.HTTPHEADER, ["Expect:", "Authorization: " + "x" * header_bytes])
    curl.setopt(pycurl.POSTFIELDS, "x" * body_bytes)
    curl.setopt(pycurl.WRITEFUNCTION, lambda _: None)
    curl.perform()
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(CALLS):
        curl.perform()
    after = resource.getrusage(resource.RUSAGE_SELF)
    curl.close()
    os.kill(child, signal.SIGTERM)
    os.waitpid(child, 0)
    return (after.ru_utime - before.ru_utime) * 1e6 / CALLS


print(pycurl.version)
small = min(processor_us(100, 100) for _ in range(3))
header = min(processor_us(100 + EXTRA, 100) for _ in range(3)) - small
body = min(processor_us(100, 100 + EXTRA) for _ in range(3)) - small
print("user time of a request: %.0f us; %d more characters of header: %.0f us more; of body: %.0f us more" % (small, EXTRA, header, body))
sys.exit(0 if header > 100 and header > 5 * max(body, 1) else 1)
END
