"""The tests that look for mutants: what each needs built, how it runs, and what of its output says why it failed."""

import glob
import os
import re
import resource
import signal
import subprocess
import tempfile
from dataclasses import dataclass

MEMORY_MAX = 6 << 30  # a mutant may allocate without end; it must not take the machine with it
# name: (the executable, its arguments, seconds). The ledger's slow suites are a step of their own.
PYTHON_SESSION = "python_session"
UNITS = {
    "unit_core": ("unit_core", [], 240),
    "unit_client": ("unit_client", [], 120),
    "ledger": ("test_ledger", ["--run_test=!a_crash:!processes:!after_a_power_cut:!disk_faults"], 240),
    "ledger crash": ("test_ledger", ["--run_test=a_crash,processes,after_a_power_cut,disk_faults"], 900),
    "transport": ("test_transport", [], 240),
}


@dataclass
class Result:
    failed: bool
    timed_out: bool = False
    why: str = ""


@dataclass
class Step:
    """One kind of test: one of UNITS, `traces`, `python_session`, `simulate SEEDS`, `process NAME`,
    `chaos SECONDS SEED`."""

    name: str
    targets: list
    seconds: float

    @staticmethod
    def named(name):
        kind, _, rest = name.partition(" ")
        if name in UNITS:
            executable, _, seconds = UNITS[name]
            return Step(name, [executable], seconds)
        if name == "traces":
            return Step(name, ["trace_runner"], 60)
        if name == PYTHON_SESSION:
            return Step(name, [], 60)
        if kind == "simulate" and rest.isdigit():
            return Step(name, ["simulate"], 240 + int(rest) * 0.5)
        if kind == "process" and rest:
            return Step(name, ["aneld", "anel"], 300)
        if kind == "chaos" and re.fullmatch(r"\d+ \d+", rest):
            # Its own bounds are those of a busy machine; it ends before.
            return Step(name, ["aneld", "anel"], 600 + int(rest.split()[0]) * 20)
        raise KeyError(f"no test is called '{name}'; there are {', '.join([*UNITS, 'traces', PYTHON_SESSION])}, simulate SEEDS, "
                       "process NAME, chaos SECONDS SEED")

    def _commands(self, binaries, source):
        kind, _, rest = self.name.partition(" ")
        if kind == "traces":
            traces = sorted(glob.glob(os.path.join(source, "tests", "traces", "*.trace")))
            return [[os.path.join(binaries, "trace_runner"), trace] for trace in traces]
        if kind == "simulate":
            return [[os.path.join(binaries, "simulate"), "--seeds", rest, "--nodes", "1..7", "--faults", "all"]]
        if kind == "process":
            # As ctest does: this is the python that apt-get gave zmq to.
            return [["/usr/bin/python3", os.path.join(source, "tests", "process", f"{rest}_test.py"), binaries]]
        if self.name == PYTHON_SESSION:
            # -B: a module that was broken and mended within a second looks unchanged to what is compiled ahead.
            return [["/usr/bin/python3", "-B", os.path.join(source, "tests", "interop", "python_session_test.py")]]
        if kind == "chaos":
            seconds, seed = rest.split()
            program = os.path.join(source, "tests", "chaos", "chaos.py")
            return [["/usr/bin/python3", program, binaries, "--seconds", seconds, "--seed", seed]]
        executable, extra, _ = UNITS[self.name]
        return [[os.path.join(binaries, executable), "--color_output=no", *extra]]

    def run(self, binaries, source):
        # What a failing test keeps to be looked at is of no use here.
        with tempfile.TemporaryDirectory(prefix="anel-mutants-") as folder:
            os.chmod(folder, 0o755)  # some tests become another user, who has to come in
            for command in self._commands(binaries, source):
                result = _run(command, self.seconds, folder)
                if result.failed:
                    return result
        return Result(failed=False)


def _limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _run(command, seconds, folder):
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                          errors="replace", start_new_session=True, preexec_fn=_limits,
                          env=dict(os.environ, TMPDIR=folder)) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except BaseException as ended:  # the time is over, or this program was told to end: the test ends with it
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if not isinstance(ended, subprocess.TimeoutExpired):
                raise
            return Result(failed=True, timed_out=True, why=f"did not end within {seconds:.0f} s")
    if process.returncode == 0:
        return Result(failed=False)
    return Result(failed=True, why=_why(output, process.returncode))


# The first line that matches says best what went wrong: Boost.Test, chaos, the simulator, an assertion, unittest.
REASONS = [r'error: in "([^"]+)"', r"^chaos: FAILED: (?:the output is not what was promised:\s*)?(.*)",
           r"^  (S\d.*|.*)\n  replay:", r"^(too little happened.*)", r"(ANEL_ASSERT.*|.*assertion.*)",
           r"^(?:FAIL|ERROR): (\S+)", r"^(simulate: aborted in seed \d+)"]


def _why(output, code):
    for reason in REASONS:
        match = re.search(reason, output, re.MULTILINE)
        if match:
            return match.group(1).strip()[:140]
    lines = [line for line in output.splitlines() if line.strip()]
    return (lines[-1].strip()[:140] if lines else "no word") + f" (exit code {code})"
