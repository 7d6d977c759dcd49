"""A ring whose nodes live in network namespaces of their own, so that a test can cut any of them off any other.

Each node has two networks: one to the other nodes, which tests cut, and one to its clients, which stays. Cutting is
one-way and silent: packets to an address go to a hardware address that nobody has. Only `ip` and the kernel's bridge
and veth are needed, no firewall.
"""

import os
import pathlib
import subprocess
import sys

from common import Ring

INSIDE = "ANEL_TEST_INSIDE_NAMESPACES"
SKIPPED = 77
NOBODY = "02:00:00:00:00:ff"
NODES_MAX = 5
HOSTS = pathlib.Path("/run/hosts")   # what names mean in these namespaces
UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
TRIAL = "ip link add trial type bridge && ip link add one type veth peer name two && mount -t tmpfs none /run"
LOST = "10.77.0.254"   # an address that nobody has
LOST_TABLE = "100"     # of routes, all of which lead there


def enter():
    """Starts this program once more, in namespaces that end with it, whatever ends it; or ends it as skipped."""
    if os.environ.get(INSIDE):
        run("mount", "--make-rprivate", "/")
        run("mount", "-t", "tmpfs", "none", "/run")
        run("ip", "link", "set", "lo", "up")
        HOSTS.touch()
        run("mount", "--bind", str(HOSTS), "/etc/hosts")
        make_networks()
        return
    if os.geteuid() != 0:
        print("skipped: only root can make network namespaces")
        sys.exit(SKIPPED)
    trial = subprocess.run([*UNSHARE, "sh", "-c", TRIAL], capture_output=True, text=True, check=False)
    if trial.returncode != 0:
        print(f"skipped: this machine lets nobody make network namespaces: {trial.stderr.strip()}")
        sys.exit(SKIPPED)
    os.environ[INSIDE] = "1"
    os.execvp(UNSHARE[0], [*UNSHARE, *sys.orig_argv])


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")


def make_networks():
    for bridge in ("inner", "outer"):
        run("ip", "link", "add", bridge, "type", "bridge")
        run("ip", "link", "set", bridge, "up")
    run("ip", "address", "add", "10.78.0.1/24", "dev", "outer")
    for node in range(NODES_MAX):
        run("ip", "netns", "add", f"node{node}")
        ip(node, "link", "set", "lo", "up")
        for bridge in ("inner", "outer"):
            run("ip", "link", "add", f"{bridge}{node}", "type", "veth",
                "peer", "name", bridge, "netns", f"node{node}")
            run("ip", "link", "set", f"{bridge}{node}", "master", bridge, "up")
            ip(node, "link", "set", bridge, "up")
        ip(node, "address", "add", f"{outer(node)}/24", "dev", "outer")


def ip(node, *words):
    run("ip", "-n", f"node{node}", *words)


def lose(node, address):
    """What this node sends to that address is lost."""
    ip(node, "neigh", "replace", address, "lladdr", NOBODY, "dev", "inner", "nud", "permanent")


def outer(node):
    return f"10.78.0.{10 + node}"


class NetworkRing(Ring):
    LINK_PORTS = (23000, 23063)

    def __init__(self, binaries, nodes=5, folder=None, settings=None):
        first, last = self.LINK_PORTS
        super().__init__(binaries, nodes, folder, {"ANEL_LINK_PORTS": f"{first}-{last}", **(settings or {})})
        # One control port for all, so that a node finds another one listening where it looks for a third.
        port = self.nodes[0].environment["CLUSTER_PORT"]
        peers = ",".join(f"{node.id}=node{node.id}:{port}" for node in self.nodes)
        self.all = range(nodes)
        self.inner = {}
        for node in self.all:
            self.move(node, f"10.77.0.{10 + node}")
        for node in self.nodes:
            node.environment.update(ANEL_PEERS=peers, CLUSTER_PORT=port)
            node.command = ["nsenter", f"--net=/run/netns/node{node.id}", *node.command]
        self.heal()

    def move(self, node, address):
        """The node gets this address in the place of its old one, and its name says so, as with containers."""
        self.take_off(node)
        self.inner[node] = address
        ip(node, "address", "add", f"{address}/24", "dev", "inner")
        lose(node, LOST)
        ip(node, "route", "replace", "default", "via", LOST, "dev", "inner", "table", LOST_TABLE)
        self.write_names()

    def take_off(self, node):
        """The node has no address, and nobody knows its name."""
        ip(node, "address", "flush", "dev", "inner")
        self.inner.pop(node, None)
        self.write_names()

    def write_names(self):
        HOSTS.write_text("".join(f"{where} node{which}\n" for which, where in self.inner.items()), encoding="ascii")

    # --- where clients find the nodes -----------------------------------------------------------------
    def address(self, node):
        return f"tcp://{outer(node)}:{self.nodes[node].port}"

    def addresses(self):
        return ",".join(f"{outer(node.id)}:{node.port}" for node in self.nodes)

    # --- cuts -----------------------------------------------------------------------------------------
    def cut(self, senders, receivers):
        """Nothing that these send reaches those; the other direction stays."""
        for sender in senders:
            for receiver in receivers:
                if sender != receiver:
                    lose(sender, self.inner[receiver])

    def part(self, *sides):
        """Each side hears itself alone."""
        for side in sides:
            rest = [node for node in self.all if node not in side]
            self.cut(side, rest)
            self.cut(rest, side)

    def block_links(self, node):
        """Nobody can send to this node's link ports; the control port stays open."""
        for other in self.all:
            if other != node:
                ip(other, "rule", "add", "to", self.inner[node], "ipproto", "tcp", "dport",
                        f"{self.LINK_PORTS[0]}-{self.LINK_PORTS[1]}", "lookup", LOST_TABLE)

    def heal(self):
        for node in self.all:
            for other in self.all:
                if other != node:
                    # What was not cut may have no entry, or one that is found out anew.
                    subprocess.run(["ip", "-n", f"node{node}", "neigh", "delete", self.inner[other], "dev", "inner"],
                                   capture_output=True, check=False)
            while subprocess.run(["ip", "-n", f"node{node}", "rule", "delete", "lookup", LOST_TABLE],
                                 capture_output=True, check=False).returncode == 0:
                pass
