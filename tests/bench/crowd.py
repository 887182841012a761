"""Many requests that start together, from one thread that costs the servers little."""

import selectors
import socket
import time


class _Answer:
    def __init__(self):
        self.data = bytearray()
        self.end = None

    def take(self, chunk):
        """True: the answer is complete."""
        self.data += chunk
        if self.end is None:
            head_end = self.data.find(b"\r\n\r\n")
            if head_end < 0:
                return False
            head = bytes(self.data[:head_end]).lower()
            self.body_at = head_end + 4
            self.end = self.body_at + int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        return len(self.data) >= self.end

    def body(self):
        if not self.data.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")):
            raise RuntimeError(f"answered {bytes(self.data[:500])!r}")
        return bytes(self.data[self.body_at:self.end])


def together(port, method, paths, headers_of_each, content=b""):
    """Sends one request a connection, all connections open before: (seconds until the last answer, bodies)."""
    answers = []
    with selectors.DefaultSelector() as selector:
        for path, headers in zip(paths, headers_of_each):
            connection = socket.create_connection(("127.0.0.1", port))
            lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(content)}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            answers.append(_Answer())
            selector.register(connection, selectors.EVENT_READ,
                              ("\r\n".join([*lines, "", ""]).encode() + content, answers[-1]))
        begin = time.monotonic()
        for key in selector.get_map().values():
            key.fileobj.sendall(key.data[0])
        while selector.get_map():
            for key, _ in selector.select(60):
                chunk = key.fileobj.recv(1 << 18)
                if not chunk or key.data[1].take(chunk):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
        seconds = time.monotonic() - begin
    return seconds, [answer.body() for answer in answers]
