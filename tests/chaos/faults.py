"""Does what the plan says to the nodes and clients of a ring, and knows how each node may end."""

import collections
import signal
import threading
import time

from common import wait_until
from load import is_stopped

LEAVE_WITHIN = 60     # s; what a node promises is a matter of seconds, what a busy machine makes of it is not
POINT_WITHIN = 3.0    # s until a fail point counts as not reached


class Body:
    """One node as faults see it: one hand on it at a time, and no end but those it was given."""

    def __init__(self, node):
        self.node = node
        self.lock = threading.RLock()
        self.may_end = set()

    def kill(self):
        """@return whether it was alive; so with the others."""
        with self.lock:
            if not self.node.running:
                return False
            self.may_end.add(-9)
            self.node.kill()
            return True

    def leave(self):
        with self.lock:
            if not self.node.running:
                return False
            self.node.resume()
            self.wait_heeds_sigterm()
            self.may_end.add(0)
            self.node.stop(LEAVE_WITHIN)
            return True

    def wait_heeds_sigterm(self):
        """A process that has only just begun dies of it, or as the first one of a container does not hear it."""
        def heeds():
            try:
                with open(f"/proc/{self.node.pid}/status", encoding="ascii") as file:
                    blocked = next(line for line in file if line.startswith("SigBlk:")).split()[1]
            except FileNotFoundError:
                return True  # it has ended; check_end() says whether it may have
            return int(blocked, 16) >> (signal.SIGTERM - 1) & 1 or not self.node.running
        wait_until(heeds, LEAVE_WITHIN, f"node {self.node.id} takes SIGTERM")

    def pause(self):
        with self.lock:
            self.node.pause()
            return self.node.running

    def resume(self):
        with self.lock:
            self.node.resume()

    def cut_off(self):
        with self.lock:
            return self.node.cut_off()

    def rejoin(self):
        with self.lock:
            self.node.rejoin()

    def start(self, points="", may_end=()):
        with self.lock:
            if self.node.running:
                return
            self.check_end()
            self.may_end = set(may_end)
            self.node.environment.pop("ANEL_FAIL_POINTS", None)
            if points:
                self.node.environment["ANEL_FAIL_POINTS"] = points
            self.node.start()

    def check_end(self):
        """No node ends by itself, and who is told to leave says 0."""
        with self.lock:
            code = self.node.exit_code
            assert code is None or code in self.may_end, \
                f"node {self.node.id} ended with {code}, allowed was {sorted(self.may_end) or 'no end at all'}"


class Faults:
    def __init__(self, ring, clients, log):
        self.ring = ring
        self.clients = clients
        self.log = log
        self.bodies = [Body(node) for node in ring.nodes]
        self.counts = collections.Counter()
        self.errors = []

    def perform(self, episode):
        """Its faults side by side; comes back when the last one is over."""
        self.side_by_side(episode.faults, self.perform_one)
        if self.errors:
            raise self.errors[0]
        for body in self.bodies:
            body.check_end()

    def perform_one(self, fault):
        time.sleep(fault.after)
        bodies = self.victims(fault)
        self.log(f"{fault}" + (f" (node {bodies[0].node.id})" if fault.holder else ""))
        hit = getattr(self, fault.verb)(fault, bodies)
        self.log(f"  {fault.kind} is over" if hit else f"  {fault.kind} hit nobody")
        if hit:
            self.counts[fault.kind] += 1

    def side_by_side(self, those, action):
        """At once, not one after the other: a node that leaves takes its time, and so does an engine.

        @return those for which the action gave something true.
        """
        hit = []

        def act(one):
            try:
                if action(one):
                    hit.append(one)
            except BaseException as error:  # raised again by perform()
                self.errors.append(error)
        threads = [threading.Thread(target=act, args=(one,), daemon=True) for one in those]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return hit

    def victims(self, fault):
        nodes = list(fault.nodes)
        holder = self.ring.holder() if fault.holder else None
        if holder is not None:
            nodes = [holder] + [node for node in nodes[1:] if node != holder]
        return [self.bodies[node] for node in nodes]

    # --- verbs: each gives back whether it hit anybody ----------------------------------------------
    def strike(self, fault, bodies, blow, mend):
        hit = self.side_by_side(bodies, blow)
        time.sleep(fault.length)
        self.side_by_side(hit, mend)
        return hit

    def kill(self, fault, bodies):
        return self.strike(fault, bodies, Body.kill, Body.start)

    def leave(self, fault, bodies):
        return self.strike(fault, bodies, Body.leave, Body.start)

    def pause(self, fault, bodies):
        return self.strike(fault, bodies, Body.pause, Body.resume)

    def cut_off(self, fault, bodies):
        return self.strike(fault, bodies, Body.cut_off, Body.rejoin)

    def stutter(self, fault, bodies):
        hit = False
        for _ in range(fault.pick):
            hit = bodies[0].pause() or hit
            time.sleep(fault.length)
            bodies[0].resume()
            time.sleep(fault.length)
        return hit

    def kill_and_pause(self, fault, bodies):
        killed = bodies[0].kill()
        time.sleep(fault.pick / 1000)
        paused = len(bodies) > 1 and bodies[1].pause()
        time.sleep(fault.length)
        if paused:
            bodies[1].resume()
        if killed:
            bodies[0].start()
        return killed and paused

    def kill_client(self, fault, _):
        client = self.clients[fault.pick % len(self.clients)]
        hit = client.kill(fault.length)
        time.sleep(fault.length)
        return hit

    # --- fail points --------------------------------------------------------------------------------
    def arm(self, fault, bodies, may_end, reached):
        """Starts the first one armed and waits until it comes to the place; a second one dies to bring it there."""
        victim = bodies[0]
        victim.kill()
        victim.start(fault.point, may_end)
        other = bodies[1] if len(bodies) > 1 else None
        begun = time.monotonic()
        while time.monotonic() - begun < POINT_WITHIN:
            if reached(victim):
                return True
            if other is not None and time.monotonic() - begun > 0.7:
                if other.kill():
                    other.start()
                other = None
            time.sleep(0.01)
        return False

    def restart(self, body):
        """Without fail points, whatever came of it."""
        body.resume()
        body.kill()
        body.start()

    def stop_at(self, fault, bodies):
        reached = self.arm(fault, bodies, (), lambda body: body.node.running and is_stopped(body.node))
        if reached:
            time.sleep(fault.length)
            bodies[0].resume()
        else:
            self.restart(bodies[0])
        return reached

    def end_at(self, fault, bodies):
        reached = self.arm(fault, bodies, (77,), lambda body: not body.node.running)
        if reached:
            time.sleep(fault.length)
        self.restart(bodies[0])
        return reached

    def fail_at(self, fault, bodies):
        """A failed sync ends a node with 10, a failed write with 12; a full disk and a short write do not end it."""
        ends = "EIO" in fault.point
        reached = self.arm(fault, bodies, (10, 12) if ends else (), lambda body: not body.node.running)
        time.sleep(fault.length)
        self.restart(bodies[0])
        return reached or not ends
