"""Reads output.txt while it grows, as `tail -f` does, and remembers what it saw by a checksum."""

import hashlib
import os
import threading
import time


class Follower(threading.Thread):
    STEP_S = 0.01

    def __init__(self, path):
        super().__init__(name="follower", daemon=True)
        self.path = path
        self.seen = 0
        self.sum = hashlib.sha256()
        self.ending = False
        self.error = None

    def run(self):
        try:
            while not os.path.exists(self.path):
                if self.ending:
                    return
                time.sleep(self.STEP_S)
            with open(self.path, "rb") as file:
                while True:
                    last = self.ending
                    self.read(file)
                    if last:
                        return
                    time.sleep(self.STEP_S)
        except BaseException as error:  # shown by finish()
            self.error = error

    def read(self, file):
        here, there = os.fstat(file.fileno()), os.stat(self.path)
        assert here.st_ino == there.st_ino, "output.txt was replaced"
        assert here.st_size >= self.seen, f"output.txt has {here.st_size} bytes, {self.seen} were there"
        while data := file.read(1 << 20):
            self.seen += len(data)
            self.sum.update(data)

    def finish(self):
        """Reads to the end, once the ring has stopped."""
        self.ending = True
        self.join(60)
        if self.error is not None:
            raise self.error

    def findings(self, data):
        if self.seen != len(data):
            yield f"the reader saw {self.seen} bytes, the file has {len(data)}"
        elif hashlib.sha256(data).digest() != self.sum.digest():
            yield "bytes that the reader saw have changed"
