"""Megabytes that each need an escape pass without a change of view, and stand in the output as they came."""

import threading
import unittest

from common import BINARIES, Dealer, Ring, main

MIB = 1024 * 1024
BATCHES = 4
# A machine that does not run this ring for a while may cost it an epoch; a round that takes too long costs one each
# time it is bid, and it is bid again and again.
EPOCHS_LOST_TO_THE_MACHINE = 2


class Large(unittest.TestCase):
    def test_binary_megabytes_settle_within_the_token_time_out(self):
        payloads = [bytes([control]) * MIB for control in (0x01, 0x80, 0x7f)]
        batch = [[1, payload] for payload in payloads]
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            before = ring.status(0)["epoch"]
            failed = []

            def push_all(node):
                try:
                    with Dealer(ring, node, f"client {node}", 7) as client:
                        self.assertEqual(client.hello()[0], "welcome")
                        for number in range(BATCHES):
                            client.push(1 + number * len(batch), batch)
                            client.receive_ack((number + 1) * len(batch), 60)
                except AssertionError as error:
                    failed.append(error)

            threads = [threading.Thread(target=push_all, args=(node,)) for node in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(failed, [])
            ring.wait_healthy()
            self.assertLessEqual(ring.status(0)["epoch"] - before, EPOCHS_LOST_TO_THE_MACHINE)
            for node in range(3):
                written = [payload for one in ring.output().rounds for container, payload in one if container == node]
                self.assertEqual(len(written), BATCHES * len(batch))
                for at, payload in enumerate(written):
                    self.assertTrue(payload == b"\\x%02x" % payloads[at % 3][0] * MIB, f"message {at} of node {node}")
            self.assertEqual(ring.stop(), [0] * 3)


if __name__ == "__main__":
    main()
