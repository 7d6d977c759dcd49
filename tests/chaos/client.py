"""What every kind of client is made of."""

import random
import threading


class Client(threading.Thread):
    """A thread with chances from the run's seed, two ways to end, and what went wrong with it."""

    def __init__(self, ring, client_id, seed, ack_times):
        super().__init__(name=client_id, daemon=True)
        self.ring = ring
        self.client_id = client_id
        self.ack_times = ack_times
        self.chance = random.Random(f"{seed}/{client_id}")
        self.deaths = 0
        self.ending = False    # makes nothing new, and is over when all is acked
        self.aborted = False   # is over at once
        self.error = None

    def run(self):
        try:
            self.work()
        except BaseException as error:  # shown by whoever waits for this thread
            self.error = error
        finally:
            self.clear_up()

    def work(self):
        raise NotImplementedError

    def clear_up(self):
        pass
