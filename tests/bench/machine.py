"""Which machine and which versions the figures belong to."""

import datetime
import os
import platform
import subprocess

import servers


def first_line(arguments):
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip().split("\n")[0]


def field(path, name):
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == name:
                    return value.strip()
    except OSError:
        pass
    return ""


def system_name():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def peer_version(system, unpacked):
    try:
        return system.version(unpacked)
    except (servers.NotHere, OSError, subprocess.CalledProcessError, IndexError):
        return "not here"


def described(place, unpacked):
    """Name and value, in the order in which they are shown."""
    memory_kib = int((field("/proc/meminfo", "MemTotal") or "0").split()[0])
    return {
        "date": datetime.date.today().isoformat(),
        "revision": first_line(["git", "describe", "--always", "--dirty"]) or "not from git",
        "processor": f"{os.cpu_count()} x {field('/proc/cpuinfo', 'model name') or platform.machine()}",
        "memory": f"{memory_kib / 1024 ** 2:.0f} GiB",
        "kernel": platform.release(),
        "system": system_name(),
        "file system": first_line(["stat", "-f", "-c", "%T", place.work]),
        "libzmq": first_line(["dpkg-query", "-W", "-f", "${Version}", "libzmq5"]),
        "Redis": peer_version(servers.Redis, unpacked),
        "etcd": peer_version(servers.Etcd, unpacked),
        "NATS": peer_version(servers.Nats, unpacked),
    }
