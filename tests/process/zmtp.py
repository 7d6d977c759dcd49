"""A ZMTP 3.0 client on a plain TCP socket: does what no ZeroMQ library does. Thousands of them cost little."""

import socket

GREETING = bytes.fromhex("ff00000000000000017f0300") + b"NULL".ljust(20, b"\0") + bytes(32)
LONG, MORE, COMMAND = 2, 1, 4


def frame(body, flags=0):
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | LONG]) + len(body).to_bytes(8, "big") + body


def property_of(name, value):
    return bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value


READY = frame(b"\x05READY" + property_of(b"Socket-Type", b"DEALER") + property_of(b"Identity", b""), COMMAND)


class Raw:
    """Connected, and greeted unless told otherwise."""

    def __init__(self, port, greet=True, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))
        if greet:
            self.socket.sendall(GREETING + READY)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def read_greeting(self):
        """Until the node's READY is read: then it has a place for us."""
        self.read_exactly(64)
        return self.read_frame()

    def read_exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionError("closed by the node")
            data += more
        return data

    def read_frame(self):
        flags = self.read_exactly(1)[0]
        length = int.from_bytes(self.read_exactly(8 if flags & LONG else 1), "big")
        return self.read_exactly(length)

    def send(self, body, flags=0):
        self.socket.sendall(frame(body, flags))
