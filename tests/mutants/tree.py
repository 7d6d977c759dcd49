"""A copy of the sources with a build folder of its own, kept between runs so that only what differs is built."""

import contextlib
import os
import shutil
import subprocess

from catalogue import applied

PARTS = ["CMakeLists.txt", "CMakePresets.json", "common", "ring", "client", "tests"]
PRESET = "release"


class BuildFailed(Exception):
    pass


def _files(top):
    if os.path.isfile(top):
        yield ""
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), top)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _write_if_different(path, content):
    """What did not change keeps its time, so that it is not built again."""
    if os.path.isfile(path) and _read(path) == content:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


class Tree:
    def __init__(self, root, folder):
        self.source = os.path.join(folder, "tree")
        self.binaries = os.path.join(self.source, "build", PRESET, "bin")
        for part in PARTS:
            self._copy(os.path.join(root, part), os.path.join(self.source, part))

    @staticmethod
    def _copy(original, copy):
        wanted = set(_files(original))
        for name in wanted:
            target = os.path.join(copy, name) if name else copy
            _write_if_different(target, _read(os.path.join(original, name) if name else original))
            shutil.copymode(os.path.join(original, name) if name else original, target)
        for name in set(_files(copy)) - wanted:
            os.remove(os.path.join(copy, name))

    def configure(self):
        """Once; after that the build itself sees when it has to be done again."""
        if os.path.exists(os.path.join(self.source, "build", PRESET, "build.ninja")):
            return
        configure = ["cmake", "--preset", PRESET, "-DANEL_WERROR=ON", "-DANEL_PACKAGING=OFF"]
        done = subprocess.run(configure, cwd=self.source, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"mutants: the copy cannot be configured:\n{done.stdout}{done.stderr}")

    def build(self, targets):
        if not targets:
            return
        done = subprocess.run(["cmake", "--build", "--preset", PRESET, "--parallel", str(os.cpu_count() or 2), "--target",
                               *targets], cwd=self.source, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            errors = [line for line in done.stdout.splitlines() if "error:" in line]
            raise BuildFailed(errors[0] if errors else done.stdout[-300:] + done.stderr[-300:])

    @contextlib.contextmanager
    def broken(self, mutant):
        """The copy with this mutant in it; whole again afterwards."""
        before = {}
        try:
            for edit in mutant.edits:
                path = os.path.join(self.source, edit.file)
                text = _read(path).decode()
                before.setdefault(path, text)
                changed = applied(text, edit)
                if changed is None:
                    raise SystemExit(f"mutants: two edits of {mutant.name} meet in {edit.file}")
                _write_if_different(path, changed.encode())
            yield
        finally:
            for path, text in before.items():
                _write_if_different(path, text.encode())
