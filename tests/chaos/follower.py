"""Reads output.txt while it grows, by its name as `tail -F` does, and remembers what it saw by a checksum."""

import glob
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
        self.files = []  # inodes of those that had the name, as far as they were seen with it
        self.sum = hashlib.sha256()
        self.ending = False
        self.error = None

    def run(self):
        try:
            while not os.path.exists(self.path):
                if self.ending:
                    return
                time.sleep(self.STEP_S)
            file = open(self.path, "rb")
            while True:
                last = self.ending
                file = self.read(file)
                if last:
                    file.close()
                    return
                time.sleep(self.STEP_S)
        except BaseException as error:  # shown by finish()
            self.error = error

    def read(self, file):
        """All there is, of this file and of those behind it. @return the newest."""
        while True:
            named = os.stat(self.path).st_ino
            self.take(file)  # behind the look: a file that has lost the name is whole
            here = os.fstat(file.fileno())
            assert here.st_size >= file.tell(), f"a file has {here.st_size} bytes, {file.tell()} were there"
            if here.st_ino == named:
                assert named not in self.files[:-1], "output.txt is an older file again"
                if named not in self.files:
                    self.files.append(named)
                return file
            file = self.next_behind(file, here.st_ino)

    def next_behind(self, file, inode):
        file.close()
        while True:
            finished = self.finished()
            mine = [name for name in finished if os.stat(name).st_ino == inode]
            assert mine, "output.txt was replaced"
            behind = finished[finished.index(mine[0]) + 1:]
            if behind:
                return open(behind[0], "rb")
            newest = open(self.path, "rb")
            if finished == self.finished():
                return newest
            newest.close()  # it may be a file further already

    def finished(self):
        return sorted(glob.glob(self.path.replace(".txt", ".0*.txt")))

    def take(self, file):
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
            yield f"the reader saw {self.seen} bytes, the output has {len(data)}"
        elif hashlib.sha256(data).digest() != self.sum.digest():
            yield "bytes that the reader saw have changed"
