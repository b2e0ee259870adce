#!/usr/bin/env python3
"""An HTTP server that misbehaves on purpose: the path of a request says how.

hostile_server.py [--tls CERT KEY] [--old] [--ask CA] [--proxy] [--login USER:PASSWORD] [--any]

--old: offers only TLS 1.0 and 1.1. --ask: wants a client certificate of that CA. --login: the proxy wants this user.
--any: listens on all addresses, not only on 127.0.0.1. Prints `port N`, then one line per request `seen PATH connection
N request M` when its head is read, before anything is answered, and `closed PATH connection N` when it has closed a
connection behind a request. A line on its standard input releases one answer that waits for it. One thread per
connection, raw sockets. Ends when its standard input ends.
"""
import base64
import os
import select
import socket
import ssl
import struct
import sys
import threading
import time

OK = b'{"ok":true}'
FOREVER = 3600
lock = threading.Lock()
go_on = threading.Semaphore(0)


def say(line):
    with lock:
        sys.stdout.write(line + '\n')
        sys.stdout.flush()


def head(status='200 OK', *lines):
    return ('HTTP/1.1 %s\r\n' % status + ''.join(line + '\r\n' for line in lines) + '\r\n').encode()


def whole(body, status='200 OK', *lines):
    return head(status, 'Content-Length: %d' % len(body), *lines) + body


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


class Gone(Exception):
    pass


class Reader:
    def __init__(self, connection):
        self.connection, self.pending = connection, b''

    def more(self):
        piece = self.connection.recv(65536)
        if not piece:
            raise Gone
        self.pending += piece

    def head(self):
        while b'\r\n\r\n' not in self.pending:
            self.more()
        text, self.pending = self.pending.split(b'\r\n\r\n', 1)
        return text.decode('latin-1')

    def body(self, text):
        length = 0
        for line in text.split('\r\n')[1:]:
            if line.lower().startswith('content-length:'):
                length = int(line.split(':')[1])
        while len(self.pending) < length:
            self.more()
        body, self.pending = self.pending[:length], self.pending[length:]
        return body


def forever(connection, piece):
    while True:
        connection.sendall(piece)


def answer(connection, path, text, body, requests):
    """True = keep the connection."""
    send = connection.sendall
    if path == '/ok':
        send(whole(OK))
    elif path == '/echo':
        send(whole(text.encode('latin-1') + b'\n\n' + body))
    elif path == '/length':
        send(whole(b'%d' % len(body)))
    elif path == '/chunked':
        send(head('200 OK', 'Transfer-Encoding: chunked'))
        for piece in (b'{"ok"', b':', b'true}'):
            send(b'%x\r\n%s\r\n' % (len(piece), piece))
            time.sleep(0.01)
        send(b'0\r\nX-Trailer: late\r\n\r\n')
    elif path == '/until-close':
        send(head('200 OK') + OK)
        return False
    elif path == '/html':
        send(whole(b'<html>Blocked by your administrator</html>', '200 OK', 'Content-Type: text/html'))
    elif path == '/redirect':
        send(whole(b'', '302 Found', 'Location: /ok'))
    elif path == '/interim':
        send(head('100 Continue') + head('103 Early Hints', 'Link: </x>') + whole(OK, '200 OK', 'X-Last: yes'))
    elif path == '/interim-then-slow':
        send(head('100 Continue'))
        time.sleep(0.8)
        send(whole(OK))
    elif path == '/not-http':
        send(b'SSH-2.0-OpenSSH_9.2\r\n')
        return False
    elif path == '/garbage':
        send(bytes(range(256)) * 16)
        return False
    elif path == '/endless-head':
        send(b'HTTP/1.1 200 OK\r\n')
        forever(connection, b'X-More: and more\r\n' * 100)
    elif path == '/endless-line':
        send(b'HTTP/1.1 200 OK\r\nX-More: ')
        forever(connection, b'more' * 1000)
    elif path == '/endless-interim':
        forever(connection, head('100 Continue') * 100)
    elif path == '/endless-trailer':
        send(head('200 OK', 'Transfer-Encoding: chunked') + b'2\r\nok\r\n0\r\n')
        forever(connection, b'X-More: and more\r\n' * 100)
    elif path == '/endless-body':
        send(head('200 OK', 'Transfer-Encoding: chunked'))
        forever(connection, b'2000\r\n' + b'more' * 2048 + b'\r\n')
    elif path == '/drip':
        send(head('200 OK', 'Content-Length: 100000'))
        while True:
            send(b'.')
            time.sleep(0.02)
    elif path == '/stall':
        time.sleep(FOREVER)
    elif path == '/stall-in-head':
        send(b'HTTP/1.1 200 OK\r\nX-Begun: yes\r\n')
        time.sleep(FOREVER)
    elif path == '/stall-in-body':
        send(head('200 OK', 'Content-Length: 100') + b'begun')
        time.sleep(FOREVER)
    elif path == '/close':
        return False
    elif path == '/reset':
        reset(connection)
        return False
    elif path == '/close-in-head':
        send(b'HTTP/1.1 200 OK\r\nX-Begun: yes\r\n')
        return False
    elif path == '/close-in-body':
        send(head('200 OK', 'Content-Length: 100') + b'begun')
        return False
    elif path == '/close-in-chunk':
        send(head('200 OK', 'Transfer-Encoding: chunked') + b'10\r\nbegun')
        return False
    elif path == '/bad-chunk':
        send(head('200 OK', 'Transfer-Encoding: chunked') + b'zz\r\nbegun\r\n')
        return False
    elif path == '/reset-in-body':
        send(head('200 OK', 'Content-Length: 100') + b'begun')
        go_on.acquire()
        reset(connection)
        return False
    elif path == '/two-lengths':
        send(head('200 OK', 'Content-Length: 2', 'Content-Length: 7') + b'ok')
        return False
    elif path == '/quiet-close':
        send(whole(OK))
        return False
    elif path == '/stale':
        if requests > 1:
            return False
        send(whole(OK))
    elif path == '/stale-reset':
        if requests > 1:
            reset(connection)
            return False
        send(whole(OK))
    else:
        send(whole(b'{"message":"no such path"}', '404 Not Found'))
    return True


def await_close(connection):
    """Returns when the other end has closed, without reading what it sent."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    poll.poll()


def pump(a, b):
    try:
        while piece := a.recv(65536):
            b.sendall(piece)
    except OSError:
        pass
    for end in (a, b):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def tunnel(connection, target):
    host, port = target.rsplit(':', 1)
    far = socket.create_connection((host, int(port)))
    connection.sendall(head('200 Connection established', 'X-Proxy: yes'))
    threading.Thread(target=pump, args=(far, connection), daemon=True).start()
    pump(connection, far)


def serve(connection, number, tls, is_proxy, login):
    target = ''
    try:
        if tls:
            connection = tls.wrap_socket(connection, server_side=True)
        reader, requests = Reader(connection), 0
        while True:
            text = reader.head()
            requests += 1
            method, target = text.split(' ')[:2]
            path = target
            if login and 'Proxy-Authorization: Basic ' + login not in text.split('\r\n'):
                connection.sendall(whole(b'', '407 Proxy Authentication Required', 'Proxy-Authenticate: Basic'))
                return
            if is_proxy and method != 'CONNECT':
                path = '/' + target.split('/', 3)[3]
            say('seen %s connection %d request %d' % (target, number, requests))
            if is_proxy and method == 'CONNECT':
                tunnel(connection, target)
                return
            if path == '/early':
                connection.sendall(whole(b'{"message":"too big"}', '413 Too Large', 'Connection: close'))
                await_close(connection)
                return
            if path == '/never-reads':
                time.sleep(FOREVER)
            body = reader.body(text)
            if not answer(connection, path, text, body, requests):
                return
    except (Gone, OSError, ValueError):
        pass
    finally:
        try:
            connection.close()
        except OSError:
            pass
        say('closed %s connection %d' % (target, number))


def main():
    arguments = sys.argv[1:]
    tls = None
    if '--tls' in arguments:
        at = arguments.index('--tls')
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(arguments[at + 1], arguments[at + 2])
    if '--old' in arguments:
        tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        tls.set_ciphers('ALL:@SECLEVEL=0')
    if '--ask' in arguments:
        tls.load_verify_locations(arguments[arguments.index('--ask') + 1])
        tls.verify_mode = ssl.CERT_REQUIRED
    login = None
    if '--login' in arguments:
        login = base64.b64encode(arguments[arguments.index('--login') + 1].encode()).decode()
    listener = socket.create_server(('' if '--any' in arguments else '127.0.0.1', 0), backlog=512)
    say('port %d' % listener.getsockname()[1])

    def accept():
        number = 0
        while True:
            connection, _ = listener.accept()
            number += 1
            threading.Thread(target=serve, args=(connection, number, tls, '--proxy' in arguments, login),
                             daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    for _ in sys.stdin:
        go_on.release()
    os._exit(0)


main()
