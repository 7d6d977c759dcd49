"""Builds client/example against an installation, as somebody outside of the tree would. Usage: client_test.py BUILD VERSION"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))

from ring import Ring  # noqa: E402

BUILD, VERSION = pathlib.Path(sys.argv.pop(1)), sys.argv.pop(1)
EXAMPLE = HERE.parent.parent / "client" / "example"
PUBLIC = {"client.hpp", "ids.hpp", "options.hpp", "outcome.hpp", "result.hpp", "strong.hpp", "timing.hpp"}


def run(*command, **options):
    """What it prints. A command that fails, fails the test with all that it said."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=200, check=False,
                          **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="anel-install-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.prefix = pathlib.Path(cls.folder.name, "prefix")
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)

    def in_a_folder(self, name):
        folder = pathlib.Path(self.folder.name, name)
        folder.mkdir()
        return folder

    def works(self, program):
        """It pushes to a ring of one node, made of the installed programs, and its messages stand in output.txt."""
        with Ring(self.prefix / "bin", nodes=1) as ring:
            ring.wait_healthy()
            said = run(program, ring.addresses(), "tea", "coffee")
            self.assertEqual(said, "2 durable\n")
            self.assertEqual(ring.output().messages, [b"tea", b"coffee"])
            self.assertEqual(ring.stop(), [0])

    def with_cmake(self, folder, version="0.1"):
        text = (EXAMPLE / "CMakeLists.txt").read_text(encoding="utf-8")
        wanted = re.sub(r"find_package\(anel [\d.]+ ", f"find_package(anel {version} ", text)
        self.assertIn(f"anel {version} ", wanted)
        (folder / "CMakeLists.txt").write_text(wanted, encoding="utf-8")
        (folder / "push.cpp").write_text((EXAMPLE / "push.cpp").read_text(encoding="utf-8"), encoding="utf-8")
        return subprocess.run(["cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                               "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror"], capture_output=True, text=True, check=False)

    def test_a_project_that_uses_find_package(self):
        folder = self.in_a_folder("cmake")
        configured = self.with_cmake(folder)
        self.assertEqual(configured.returncode, 0, configured.stderr)
        run("cmake", "--build", folder / "build")
        self.works(folder / "build" / "push")

    def test_a_version_that_is_not_installed_is_not_found(self):
        configured = self.with_cmake(self.in_a_folder("later"), "9.0")
        self.assertNotEqual(configured.returncode, 0)
        self.assertIn("compatible with requested version", " ".join(configured.stderr.split()))

    def test_a_compiler_that_asks_pkg_config(self):
        folder = self.in_a_folder("pkg-config")
        found = next(self.prefix.rglob("anel.pc"))
        environment = dict(os.environ, PKG_CONFIG_PATH=str(found.parent))
        self.assertEqual(run("pkg-config", "--modversion", "anel", env=environment).strip(), VERSION)
        flags = run("pkg-config", "--cflags", "--libs", "anel", env=environment).split()
        run("g++", "-std=c++20", "-Wall", "-Wextra", "-Werror", EXAMPLE / "push.cpp", "-o", folder / "push", *flags)
        self.works(folder / "push")

    def test_a_shared_library_may_have_it_inside(self):
        folder = self.in_a_folder("shared")
        archive = next(self.prefix.rglob("libanel.a"))
        run("g++", "-shared", "-o", folder / "all.so", "-Wl,--whole-archive", archive, "-Wl,--no-whole-archive",
            "-lzmq", "-lfmt", "-pthread")

    def test_only_what_a_user_needs_is_installed(self):
        headers = {path.name for path in (self.prefix / "include" / "anel").iterdir()}
        self.assertEqual(headers, PUBLIC)
        for name in PUBLIC:
            text = (self.prefix / "include" / "anel" / name).read_text(encoding="utf-8")
            self.assertNotIn('#include "', text, name)
            self.assertNotIn("#define", text, name)

    def test_what_users_see_is_described(self):
        """Each declaration at the left margin or in a public part has a comment above it, beside it, or on its group."""
        bare = []
        for name in sorted(PUBLIC):
            lines = (self.prefix / "include" / "anel" / name).read_text(encoding="utf-8").splitlines()
            for before, line in zip(lines, lines[1:]):
                declares = re.match(r"(struct|class|enum class|using|\[\[nodiscard\]\] \w.*\() ?\w", line)
                if declares and "///" not in line and not re.match(r"\s*(///|template|using)", before):
                    bare.append(f"{name}: {line}")
        self.assertEqual(bare, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
