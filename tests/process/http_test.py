"""What a node answers over HTTP: health, status, metrics, and the stream behind the status page."""

import json
import os
import re
import socket
import time
import unittest
import urllib.error

import msgpack
import zmq

from common import Dealer, free_ports, main, push_text, wait_until
from http_ring import ROOT, HttpRing, Viewer, promtool, run_tool
from load import read_output

OPERATIONS = os.path.join(ROOT, "docs", "OPERATIONS.md")
FEED_FIGURES = ("connections", "waiting", "round", "answers_total", "bytes_total", "refused_total", "dropped_total")


class Http(unittest.TestCase):
    def test_health_status_and_what_is_not_there(self):
        with HttpRing(1) as ring:
            ring.wait_healthy()
            push_text(ring, 0, "counted")
            self.assertEqual(json.loads(ring.get("/status")[2])["sequence"], 1)
            for path in ("/health", "/healthz", "/readyz"):
                self.assertEqual(ring.get(path)[0::2], (200, "operational\n"))
            self.assertEqual(ring.get("/status?a=b")[0], 200)
            self.assertEqual(ring.get("/nothing")[0], 404)
            self.assertEqual(ring.get("/", method="POST")[0], 405)
            status, headers, page = ring.get("/")
            self.assertEqual(status, 200)
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            self.assertNotRegex(page, r"(?:src|href)=\"(?:https?:)?//", "the page needs nothing from elsewhere")
            for path in re.findall(r"(?:src|href)=\"(/[^\"]*)\"", page):
                self.assertEqual(ring.get(path)[0], 200, path)

    def test_a_node_without_a_ring_lives_and_is_not_ready(self):
        with HttpRing(3) as ring:
            ring.wait_healthy()
            ring.nodes[1].kill()
            ring.nodes[2].kill()
            wait_until(lambda: ring.get("/readyz")[0] == 503, 10, "a lonely node is not ready")
            self.assertEqual(ring.get("/healthz")[0], 200)

    def test_only_this_machine_sees_the_page_unless_told_otherwise(self):
        # 127.0.0.2 is another address of this machine: who listens everywhere answers there, too.
        for bind, reached in ((None, False), ("*", True)):
            settings = {"ANEL_BIND": "*"} | ({"ANEL_HTTP_BIND": bind} if bind else {})
            with self.subTest(bind=bind), HttpRing(1, **settings) as ring:
                ring.wait_healthy()
                self.assertEqual(ring.get("/healthz")[0], 200)
                with socket.create_connection(("127.0.0.2", ring.nodes[0].port), timeout=5):
                    pass
                with socket.socket() as elsewhere:
                    refused = elsewhere.connect_ex(("127.0.0.2", ring.http[0]))
                self.assertEqual(refused == 0, reached)

    def test_metrics_are_sound_documented_and_count(self):
        with HttpRing(1) as ring:
            ring.wait_healthy()
            with Dealer(ring, 0, "counter", 7) as client:
                client.hello()
                client.push(1, [[0, b"one"], [0, b"two"], [0, b"three"]])
                client.receive_ack(3)
            push_text(ring, 0, "four")
            text = ring.get("/metrics")[2]
            metrics = ring.metrics()
        self.assertEqual(run_tool(self, promtool(), "check", "metrics", input=text), "")
        self.assertEqual(metrics["anel_messages_decided_total"], 4)
        self.assertEqual(metrics["anel_ack_latency_seconds_count"], 2)
        self.assertEqual(metrics['anel_ack_latency_seconds_bucket{le="+Inf"}'], 2)
        self.assertGreater(metrics["anel_ack_latency_seconds_sum"], 0)
        self.assertEqual(metrics["anel_batch_messages_sum"], 4)
        self.assertEqual(metrics['anel_batch_messages_bucket{le="1"}'], 1)
        self.assertEqual(metrics['anel_batch_messages_bucket{le="3"}'], 2)
        self.assertEqual(metrics["anel_round_messages_sum"], 4)
        self.assertGreater(metrics["anel_fsync_seconds_count"], 0)
        self.assertAlmostEqual(metrics["anel_start_time_seconds"], time.time(), delta=120)
        with open(OPERATIONS, encoding="utf-8") as file:
            documented = set(re.findall(r"^\| `(anel_\w+)`", file.read(), re.MULTILINE))
        self.assertEqual(documented, set(re.findall(r"^# TYPE (anel_\w+)", text, re.MULTILINE)))

    def test_the_lap_of_the_token_is_timed(self):
        with HttpRing(3) as ring:
            ring.wait_healthy()
            push_text(ring, 1, "a round")
            counts = [ring.metrics(node)["anel_lap_seconds_count"] for node in range(3)]
            self.assertGreater(sum(counts), 0, counts)

    def test_the_feed_tells_of_its_readers(self):
        feed_port, = free_ports(1)
        with HttpRing(1, ANEL_FEED_PORT=str(feed_port)) as ring:
            ring.wait_healthy()
            push_text(ring, 0, "for a reader")
            output = read_output(ring)

            def figure(name):
                return ring.metrics()[f"anel_feed_{name}"]
            self.assertEqual([figure(name) for name in FEED_FIGURES], [0] * len(FEED_FIGURES))
            reader = ring.context.socket(zmq.DEALER)
            reader.linger = 0
            reader.connect(f"tcp://127.0.0.1:{feed_port}")

            def ask(frame):
                reader.send(frame)
                self.assertTrue(reader.poll(5000), "the feed answers")
                return msgpack.unpackb(reader.recv())
            *_, last_round, data = ask(msgpack.packb([1, "read", "", 0, 1000]))
            self.assertEqual(data, output)
            self.assertEqual(ask(b"rubbish")[1:3], ["reject", "malformed"])
            counted = {"connections": 1, "answers_total": 1, "bytes_total": len(output), "refused_total": 1,
                       "round": last_round}
            wait_until(lambda: {name: figure(name) for name in counted} == counted, 10, "all of it is counted")
            reader.send(msgpack.packb([1, "read", "", len(output), 1000]))
            wait_until(lambda: figure("waiting") == 1, 10, "it waits for more")
            self.assertTrue(reader.poll(5000), "and is told that there is none")
            wait_until(lambda: figure("waiting") == 0, 10, "nobody waits")
            reader.close()
            wait_until(lambda: figure("connections") == 0, 10, "the reader has gone")
            self.assertEqual((figure("answers_total"), figure("bytes_total")), (1, len(output)))

    def test_viewers_see_the_whole_ring_from_any_node(self):
        with HttpRing(3) as ring:
            ring.wait_healthy()
            viewer = Viewer(ring, node=2)
            seen = viewer.until(lambda one: all(node["answers"] for node in one["nodes"]), "every node answers")
            self.assertEqual([node["status"]["node"] for node in seen["nodes"]], [0, 1, 2])
            self.assertEqual(seen["served_by"], 2)
            push_text(ring, 0, "for the viewer")
            viewer.until(lambda one: "Mensagem: for the viewer" in one["output"]["lines"], "the line is shown")
            ring.nodes[1].kill()
            seen = viewer.until(lambda one: not one["nodes"][1]["answers"], "the killed node is silent")
            ring.nodes[1].start()
            seen = viewer.until(lambda one: all(node["answers"] and node["status"]["members"] == [0, 1, 2]
                                                for node in one["nodes"]), "it is back")
            self.assertIn("joins", seen["views"][-1]["why"])
            viewer.close()

    def test_viewers_see_the_round_that_is_open_who_voted_and_who_bid(self):
        """With a linger the round is opened for the message, which then waits in it; the last node of the lap is frozen."""
        with HttpRing(3, ANEL_LINGER_MS="100", ANEL_TOKEN_TIMEOUT_MS="30000") as ring:
            ring.wait_healthy(seconds=60)
            opener, = wait_until(lambda: [one for one in (ring.holder(),) if one is not None], 20, "the token is parked")
            bidder, last = (opener + 1) % 3, (opener + 2) % 3
            viewer = Viewer(ring, node=bidder)
            viewer.until(lambda one: one["token"], "the first lap was seen")
            ring.nodes[last].pause()
            with ring.context.socket(zmq.DEALER) as client:
                client.linger = 0
                client.connect(ring.address(bidder))
                client.send(b"on its way")
                seen = viewer.until(lambda one: (one["token"]["open"] or {}).get("bids"), "a bid is on the token")
                self.assertEqual(seen["token"]["open"], {"opener": opener, "votes": [bidder],
                                                         "bids": [{"node": bidder, "frames": 1}]})
                self.assertNotIn("Mensagem: on its way", seen["output"]["lines"])
                ring.nodes[last].resume()
                self.assertTrue(client.poll(20_000), "the round is closed")
                self.assertEqual(client.recv(), b"OK 1")
            viewer.until(lambda one: "Mensagem: on its way" in one["output"]["lines"] and not one["token"]["open"],
                         "the round is written and none is open")
            viewer.close()

    def test_too_many_viewers_are_told_and_cannot_keep_a_health_check_waiting(self):
        with HttpRing(1, ANEL_STATUS_VIEWERS_MAX="3") as ring:
            ring.wait_healthy()
            viewers = [Viewer(ring) for _ in range(3)]
            for viewer in viewers:
                viewer.next()
            status, headers, text = ring.get("/events")
            self.assertEqual(status, 503)
            self.assertIn("status_viewers_max", text)
            self.assertEqual(text.count("\n"), 1)
            self.assertIn("Retry-After", headers)
            # And some that connect and say nothing.
            silent = [socket.create_connection(("127.0.0.1", ring.http[0])) for _ in range(6)]
            begun = time.monotonic()
            self.assertEqual(ring.get("/healthz")[0], 200)
            self.assertEqual(ring.metrics()["anel_status_viewers"], 3)
            self.assertLess(time.monotonic() - begun, 1.5)
            for one in silent:
                one.close()
            viewers.pop().close()
            viewers.append(wait_until(lambda: self.try_viewer(ring), 10, "a place becomes free"))
            for viewer in viewers:
                viewer.close()
            # Nobody looks: no thread of this node asks anybody anything.
            wait_until(lambda: ring.metrics()["anel_status_viewers"] == 0, 10, "all viewers are gone")

    @staticmethod
    def try_viewer(ring):
        try:
            return Viewer(ring)
        except urllib.error.HTTPError:
            return None

    def test_a_node_with_viewers_ends_as_told(self):
        with HttpRing(1) as ring:
            ring.wait_healthy()
            viewer = Viewer(ring)
            viewer.next()
            self.assertEqual(ring.stop(), [0])
            viewer.close()


if __name__ == "__main__":
    main()
