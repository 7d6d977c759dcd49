"""The ring of the compose file, started by tests/compose/run.sh, as the faults of a chaos run see it."""

import os
import subprocess
import sys
import threading

import zmq

from common import Ring

STOP_WITHIN = 60   # s


def docker(*words):
    """@return what it printed, or None: it said no."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


class ContainerNode:
    """Does what Node of ring.py does, by the engine's own commands."""

    def __init__(self, identity, project):
        self.id = identity
        self.service = f"cluster_sync_{identity + 1}"
        labels = ("--filter", f"label=com.docker.compose.project={project}",
                  "--filter", f"label=com.docker.compose.service={self.service}")
        self.container = docker("ps", "-a", "-q", "--no-trunc", *labels)
        assert self.container, f"project {project} has no container of {self.service}"
        # The port that was asked for: which one is published may change with each start.
        self.port = int(self.inspect(f'{{{{(index .HostConfig.PortBindings "{5000 + identity}/tcp" 0).HostPort}}}}'))
        self.network = self.inspect("{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}")
        self.environment = {}

    def inspect(self, form):
        return docker("inspect", "-f", form, self.container)

    @property
    def pid(self):
        """Of its first process, as this machine counts; 0: it does not run."""
        return int(self.inspect("{{.State.Pid}}"))

    @property
    def running(self):
        return self.exit_code is None

    @property
    def exit_code(self):
        status, code = self.inspect("{{.State.Status}} {{.State.ExitCode}}").split()
        # A shell's way to name SIGKILL.
        return None if status in ("running", "paused") else -9 if code == "137" else int(code)

    def start(self):
        assert docker("start", self.container) is not None, f"{self.service} does not start"

    def kill(self):
        self.resume()
        docker("kill", self.container)
        docker("wait", self.container)

    def stop(self, seconds=STOP_WITHIN):
        self.resume()
        docker("stop", "--time", str(seconds), self.container)
        return self.exit_code

    def pause(self):
        docker("pause", self.container)

    def resume(self):
        docker("unpause", self.container)

    def cut_off(self):
        """@return whether it was on the network."""
        return docker("network", "disconnect", self.network, self.container) is not None

    def rejoin(self):
        """Under the name that the others know; its address may be another one."""
        if docker("network", "connect", "--alias", self.service, self.network, self.container) is None:
            raise AssertionError(f"{self.service} does not come back to its network")


class ContainerRing(Ring):
    def __init__(self, binaries, project, folder, nodes):
        self.binaries = os.path.abspath(binaries)
        self.folder = folder
        self.data = os.path.join(folder, "shared_data")
        self.context = zmq.Context()
        self.nodes = [ContainerNode(node, project) for node in range(nodes)]

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.context.destroy(linger=0)
        if kind is not None:
            for node in self.nodes:
                print(f"--- {node.service}\n{self.log_tail(node.id)}", file=sys.stderr)

    def stop(self, seconds=STOP_WITHIN):
        threads = [threading.Thread(target=node.stop, args=(seconds,), daemon=True) for node in self.nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [node.exit_code for node in self.nodes]

    def log_tail(self, node, lines=15):
        done = subprocess.run(["docker", "logs", "--tail", str(lines), self.nodes[node].container],
                              capture_output=True, text=True, check=False)
        return done.stdout + done.stderr
