"""The Python client's session, without sockets: what it sends, when, and what it says became of each message.

Usage: python_session_test.py [unittest arguments]
"""

import os
import random
import unittest

import msgpack

from session_world import FakeRing, World  # first: it says where the package is
from anel import Closed, Durable, Options, Refused, Unknown, wire
from anel.events import Abandon, Connected, Disconnected, Leave, State
from anel.options import Address, parse_address, parse_nodes


class Sending(unittest.TestCase):
    def test_hello_comes_before_any_push(self):
        world = World()
        world.push("early")
        self.assertEqual((world.opened, world.hellos, world.pushes), ([0], [], []))
        world.step(Connected())
        self.assertEqual((world.hellos, world.pushes), ([0], []))
        world.welcome()
        self.assertEqual(world.pushes, [(1, ["early"])])

    def test_a_session_taken_over_goes_on_behind_what_stands_there(self):
        world = World().begin(last=41)
        world.push("m")
        self.assertEqual(world.pushes, [(42, ["m"])])
        world.ack(41)
        self.assertEqual(world.outcomes, {})
        world.ack(42)
        self.assertEqual(world.outcomes, {"m": Durable(142, 9)})

    def test_idle_it_sends_at_once_and_under_way_it_gathers_a_batch(self):
        world = World().begin()
        world.push("a")
        world.push("b")
        world.push("c")
        self.assertEqual(world.pushes, [(1, ["a"])])
        world.ack(1)
        self.assertEqual(world.pushes[1:], [(2, ["b", "c"])])

    def test_full_batches_go_out_while_others_are_under_way(self):
        world = World().begin()
        world.push_many(10)
        self.assertEqual([first for first, _ in world.pushes], [1, 5])
        world.ack(8)
        self.assertEqual(world.pushes[2:], [(9, ["m9", "m10"])])

    def test_an_ack_covers_all_before_it_and_may_end_inside_a_batch(self):
        world = World().begin()
        world.push_many(8)
        world.ack(6)
        self.assertEqual(sorted(world.outcomes), [f"m{number}" for number in range(1, 7)])
        world.ack(6)
        world.ack(5)
        self.assertEqual(len(world.outcomes), 6)
        world.ack(8)
        self.assertTrue(world.are(Durable, "m7", "m8"))

    def test_acks_of_what_was_never_sent_and_of_others_change_nothing(self):
        world = World().begin()
        world.push("a")
        world.ack(2)
        world.step(wire.Ack("coffee", 1, 1, 1))
        world.step(wire.Other("news"))
        self.assertEqual(world.outcomes, {})

    def test_the_window_of_messages_says_would_block(self):
        world = World(window_messages=3).begin()
        world.push_many(3)
        with self.assertRaises(Refused) as raised:
            world.push("more")
        self.assertEqual(raised.exception.code, "would_block")
        world.ack(1)
        world.push("more")

    def test_the_window_of_the_node_bounds_what_is_under_way(self):
        world = World(batch_messages=1).begin(window_bytes=3000)
        texts = [letter * 1000 for letter in "abcd"]
        world.push(*texts)
        self.assertEqual(len(world.pushes), 2)
        world.ack(1)
        self.assertEqual(len(world.pushes), 3)

    def test_a_message_larger_than_the_window_goes_alone(self):
        world = World().begin(window_bytes=100)
        world.push("x" * 1000)
        self.assertEqual(len(world.pushes), 1)

    def test_sizes_are_refused_before_a_number_is_given(self):
        world = World().begin(max_message_bytes=10)
        with self.assertRaises(Refused) as raised:
            world.push("x" * 11)
        self.assertEqual(raised.exception.code, "too_large")
        world.push("x" * 10)
        self.assertEqual(world.pushes, [(1, ["x" * 10])])

    def test_before_the_first_welcome_only_the_users_own_limit_counts(self):
        world = World(message_bytes=3_000_000)
        with self.assertRaises(Refused):
            world.push("x" * 3_000_001)
        world.push("x" * 3_000_000)
        world.begin(max_message_bytes=4_000_000)
        self.assertEqual(len(world.pushes), 1)

    def test_batches_keep_to_the_size_of_the_node_that_is_there(self):
        world = World(batch_messages=64)
        world.push(*(str(number) * 1000 for number in range(8)))
        world.begin(max_batch_bytes=3000)
        self.assertTrue(all(len(texts) <= 2 for _, texts in world.pushes), world.pushes)
        self.assertEqual([text for _, texts in world.pushes for text in texts],
                         [str(number) * 1000 for number in range(8)])

    def test_what_a_node_would_cut_the_connection_for_is_not_sent(self):
        world = World()
        world.push("a", "x" * 9000, "b")
        world.begin(max_message_bytes=1000, max_batch_bytes=2000)
        self.assertEqual([text for _, texts in world.pushes for text in texts], ["a", "b"])
        self.assertEqual(world.pushes[-1][0] + len(world.pushes[-1][1]), 3)
        self.assertEqual(world.outcomes["x" * 9000].code, "too_large")

    def test_what_only_another_node_could_take_goes_on_to_it_under_its_number(self):
        world = World().begin()
        world.push("x" * 9000)
        world.step(Disconnected("gone"))
        world.meet(max_message_bytes=1000, max_batch_bytes=2000)
        self.assertEqual((len(world.pushes), world.opened, world.outcomes), (1, [0, 1, 2], {}))
        world.meet()
        self.assertEqual(world.pushes[1], (1, ["x" * 9000]))


class Leaving(unittest.TestCase):
    def test_bye_waits_until_all_is_settled_and_ends(self):
        world = World().begin()
        world.push("a")
        world.step(Leave())
        self.assertEqual(world.byes, 0)
        with self.assertRaises(Closed):
            world.push("late")
        world.ack(1)
        self.assertEqual((world.byes, world.ended), (1, 0))
        world.step(wire.Byed("tea"))
        self.assertEqual((world.session.state, world.ended), (State.ENDED, 1))

    def test_a_bye_whose_answer_was_lost_is_seen_in_the_retired_session(self):
        world = World().begin()
        world.push("a")
        world.ack(1)
        world.step(Leave())
        world.step(Disconnected("gone"))
        world.step(Connected())
        world.reject(0, "session_retired")
        self.assertEqual((world.session.state, world.ended), (State.ENDED, 1))
        self.assertTrue(world.are(Durable, "a"))

    def test_who_never_said_hello_ends_at_once(self):
        world = World()
        world.tick()
        world.step(Leave())
        self.assertEqual((world.byes, world.ended, world.closed), (0, 1, ["closed: the client was closed"]))

    def test_an_idle_session_needs_no_timer(self):
        world = World().begin()
        world.push("a")
        self.assertIsNotNone(world.session.next_wakeup())
        world.ack(1)
        self.assertIsNone(world.session.next_wakeup())
        self.assertFalse(world.session.wants_step())

    def test_giving_up_tells_sent_from_unsent(self):
        world = World().begin()
        world.push_many(6)
        world.step(Abandon("no more"))
        self.assertTrue(world.are(Unknown, "m1", "m4"))
        self.assertTrue(world.are(Closed, "m5", "m6"))
        with self.assertRaises(Closed):
            world.push("late")


class FailingOver(unittest.TestCase):
    def test_a_node_lost_in_the_middle_of_a_batch_is_followed_by_the_next(self):
        world = World().begin()
        world.push_many(8)
        world.ack(2)
        del world.pushes[:]
        world.step(Disconnected("gone"))
        self.assertEqual(world.opened, [0, 1])
        world.meet(last=6)
        self.assertEqual(world.hellos, [0, 8])
        # 6 goes again alone: its ack covers all before it. A welcome acks nothing.
        self.assertEqual(world.pushes, [(6, ["m6"]), (7, ["m7", "m8"])])
        self.assertEqual(sorted(world.outcomes), ["m1", "m2"])
        world.ack(8)
        self.assertEqual(len(world.outcomes), 8)

    def test_a_silent_node_is_left_after_the_answer_timeout(self):
        world = World().begin()
        world.push("a")
        world.tick(1.9)
        self.assertEqual(world.opened, [0])
        world.tick(0.2)
        self.assertEqual(world.opened, [0, 1])

    def test_a_node_that_answers_no_hello_is_left_too(self):
        world = World()
        world.tick()
        world.step(Connected())
        world.tick(2.1)
        self.assertEqual(world.opened, [0, 1])

    def test_a_connection_that_does_not_come_is_left_sooner(self):
        world = World()
        world.tick()
        world.tick(0.6)
        self.assertEqual(world.opened, [0, 1])

    def test_when_all_nodes_fail_it_pauses_before_it_tries_again(self):
        world = World()
        world.tick()
        for _ in range(3):
            world.step(Disconnected("refused"))
        self.assertEqual((world.opened, world.session.state), ([0, 1, 2], State.WAITING))
        world.tick(world.session.next_wakeup() - world.now - 0.01)
        self.assertEqual(world.session.state, State.WAITING)
        world.tick(0.02)
        self.assertEqual(world.opened, [0, 1, 2, 0])

    def test_codes_that_are_not_final_send_it_to_the_next_node(self):
        for code in ("no_quorum", "shutting_down", "disk_full", "too_many_sessions", "one that is not known"):
            with self.subTest(code):
                world = World().begin()
                world.push("a")
                world.reject(1, code)
                self.assertEqual(world.opened, [0, 1])
                world.meet()
                self.assertEqual(world.pushes, [(1, ["a"]), (1, ["a"])])
                self.assertEqual(world.outcomes, {})

    def test_busy_is_waited_for_and_resent_from_there(self):
        world = World().begin()
        world.push_many(8)
        del world.pushes[:]
        world.busy(5, 40)
        world.tick(0.03)
        self.assertEqual(world.pushes, [])
        world.tick(0.02)
        self.assertEqual(world.pushes, [(5, ["m5", "m6", "m7", "m8"])])

    def test_a_node_that_is_busy_for_ever_is_left(self):
        world = World().begin()
        world.push("a")
        for _ in range(1000):
            if world.opened != [0]:
                break
            world.busy(1, 10)
            world.tick(0.02)
        self.assertEqual(world.opened, [0, 1])
        self.assertGreaterEqual(world.now - 1000, 8)

    def test_a_hello_that_is_refused_with_hello_first_is_said_again_at_once(self):
        world = World()
        world.tick()
        world.step(Connected())
        world.reject(0, "hello_first")
        self.assertEqual((world.hellos, world.opened), ([0, 0], [0]))
        world.reject(1, "hello_first")  # of a batch before it
        self.assertEqual(world.hellos, [0, 0])

    def test_gap_and_hello_first_are_answered_by_hello(self):
        for code in ("gap", "hello_first"):
            with self.subTest(code):
                world = World().begin()
                world.push("a")
                world.reject(1, code)
                self.assertEqual((world.hellos, world.opened), ([0, 1], [0]))
                world.welcome()
                self.assertEqual(world.pushes, [(1, ["a"]), (1, ["a"])])

    def test_gaps_without_end_lead_to_another_node(self):
        world = World().begin()
        world.push("a")
        for _ in range(3):
            world.reject(1, "gap")
            if world.session.state is State.GREETING:
                world.welcome()
        self.assertEqual(world.opened, [0, 1])


class Refusals(unittest.TestCase):
    def test_conflict_and_a_retired_session_make_sent_ones_unknown_and_refuse_the_others(self):
        for code in ("conflict", "session_retired"):
            with self.subTest(code):
                world = World().begin()
                world.push_many(6)
                world.reject(1, code)
                self.assertTrue(world.are(Unknown, "m1", "m4"))
                self.assertTrue(world.are(Refused, "m5", "m6"))
                self.assertEqual({outcome.code for outcome in world.outcomes.values()}, {code})
                self.assertEqual(world.ended, 1)
                with self.assertRaises(Refused) as raised:
                    world.push("late")
                self.assertEqual(raised.exception.code, code)

    def test_a_retired_session_with_nothing_unacked_begins_anew_once(self):
        world = World(fresh_instance=8).begin()
        world.push("a")
        world.ack(1)
        world.step(Disconnected("gone"))
        world.push_many(6)
        world.step(Connected())
        world.reject(0, "session_retired")
        self.assertEqual((world.session.instance, world.hellos, world.ended), (8, [0, 1, 0], 0))
        world.welcome()
        self.assertEqual(world.pushes[1:], [(1, ["m1", "m2", "m3", "m4"])])
        world.ack(4)
        world.ack(6)
        self.assertTrue(world.are(Durable, "a", "m1", "m6"))
        world.step(Disconnected("gone"))
        world.step(Connected())
        world.reject(0, "session_retired")
        self.assertEqual(world.ended, 1)

    def test_a_retired_session_with_messages_under_way_does_not_begin_anew(self):
        world = World(fresh_instance=8).begin()
        world.push("a")
        world.step(Disconnected("gone"))
        world.step(Connected())
        world.reject(0, "session_retired")
        self.assertEqual((world.session.instance, world.ended), (7, 1))
        self.assertTrue(world.are(Unknown, "a"))

    def test_a_welcome_beyond_what_was_sent_is_a_conflict(self):
        world = World().begin()
        world.push("a")
        world.step(Disconnected("gone"))
        world.meet(last=2)
        self.assertEqual(world.outcomes["a"].code, "conflict")
        self.assertTrue(world.are(Unknown, "a"))

    def test_a_welcome_below_what_was_acked_is_not_believed(self):
        world = World().begin()
        world.push_many(2)
        world.ack(2)
        world.step(Disconnected("gone"))
        world.meet(last=1)
        self.assertEqual(world.opened, [0, 1, 2])

    def test_one_refused_message_does_not_take_the_others_with_it(self):
        world = World().begin()
        world.push_many(8)
        del world.pushes[:]
        world.reject(2, "too_large")
        self.assertEqual(world.outcomes["m2"].code, "too_large")
        # No other node saw these numbers, so they go to what comes behind.
        self.assertEqual([text for _, texts in world.pushes for text in texts],
                         ["m1", "m3", "m4", "m5", "m6", "m7", "m8"])
        self.assertEqual([first for first, _ in world.pushes][:2], [1, 2])
        world.ack(7)
        self.assertEqual(sum(isinstance(one, Durable) for one in world.outcomes.values()), 7)

    def test_a_batch_refused_as_a_whole_is_halved_until_the_bad_one_is_found(self):
        world = World().begin()
        world.push("m1", "m2", "bad", "m4")
        seen = expected = 0
        for _ in range(20):
            if seen == len(world.pushes):
                break
            first, texts = world.pushes[seen]
            seen += 1
            if first != expected + 1:
                continue  # behind a refused one: no answer
            if "bad" in texts:
                world.reject(first, "malformed")
            else:
                expected += len(texts)
                world.ack(expected)
        self.assertTrue(world.are(Refused, "bad"))
        self.assertTrue(world.are(Durable, "m1", "m2", "m4"))

    def test_a_number_that_another_node_may_have_is_never_given_to_another_message(self):
        world = World().begin()
        world.push("a", "b")
        world.ack(1)
        world.push("c")
        world.step(Disconnected("gone"))
        world.meet(last=1)
        world.reject(2, "too_large")
        self.assertEqual(world.opened, [0, 1, 2])
        for _ in range(10):
            if world.ended:
                break
            if world.session.state is State.WAITING:
                world.tick(1)
            world.meet(last=1)
            world.reject(2, "too_large")
        self.assertTrue(world.are(Unknown, "b"))
        named = {}
        for first, texts in world.pushes:
            for number, text in enumerate(texts, first):
                self.assertEqual(named.setdefault(number, text), text)

    def test_a_refused_hello_ends_it(self):
        world = World()
        world.push("a")
        world.step(Connected())
        world.reject(0, "malformed")
        self.assertEqual(world.outcomes["a"].code, "malformed")
        self.assertNotIsInstance(world.outcomes["a"], Unknown)


class Births(unittest.TestCase):
    """A session's birth: named in each hello behind a push, and never exchanged."""

    def test_each_hello_behind_a_push_names_the_session_that_it_was_pushed_under(self):
        world = World().begin()
        world.push("a")
        world.step(Disconnected("gone"))
        world.meet()
        world.reject(1, "gap")
        self.assertEqual(world.named, [0, 3, 3])

    def test_who_has_pushed_nothing_may_begin_in_any_session(self):
        world = World().begin()
        world.step(Disconnected("gone"))
        world.birth = 9
        world.meet()
        world.push("a")
        world.ack(1)
        world.step(Disconnected("gone"))
        world.step(Connected())
        self.assertEqual(world.named, [0, 0, 9])
        self.assertTrue(world.are(Durable, "a"))

    def test_what_was_pushed_is_not_pushed_again_in_another_session(self):
        world = World().begin()
        world.push("a")
        world.step(Disconnected("gone"))
        world.birth = 9
        world.meet()
        self.assertEqual((len(world.pushes), world.ended), (1, 1))
        self.assertTrue(world.are(Unknown, "a"))
        self.assertEqual(world.outcomes["a"].code, "session_retired")

    def test_who_begins_anew_names_no_birth(self):
        world = World(fresh_instance=8).begin()
        world.push("a")
        world.ack(1)
        world.step(Disconnected("gone"))
        world.step(Connected())
        world.reject(0, "session_retired")
        world.birth = 12
        world.welcome()
        world.push("b")
        world.step(Disconnected("gone"))
        world.step(Connected())
        self.assertEqual(world.named, [0, 3, 0, 12])

    def test_a_node_that_cannot_read_a_birth_is_left(self):
        world = World().begin()
        world.push("a")
        world.step(Disconnected("gone"))
        world.step(Connected())
        world.reject(0, "malformed")
        self.assertEqual((world.opened, world.ended), ([0, 1, 2], 0))
        world.meet()
        world.ack(1)
        self.assertTrue(world.are(Durable, "a"))

    def test_a_node_that_tells_no_birth_is_told_none(self):
        world = World()
        world.birth = 0
        world.begin()
        world.push("a")
        world.step(Disconnected("gone"))
        world.meet()
        self.assertEqual(world.named, [0, 0])


class Property(unittest.TestCase):
    def test_whatever_happens_each_message_is_written_once_and_in_order(self):
        seeds = [int(os.environ["ANEL_SEED"])] if "ANEL_SEED" in os.environ else range(1, 101)
        for seed in seeds:
            with self.subTest(f"replay with ANEL_SEED={seed}"):
                chance = random.Random(seed)
                world = World()
                ring = FakeRing(world, lambda sides: chance.randrange(sides) == 0)
                pushed = []
                world.tick()
                for _ in range(5000):
                    if len(world.outcomes) == 200:
                        break
                    while len(pushed) < 200 and world.session.has_room() and chance.randrange(3):
                        pushed.append(f"m{len(pushed) + 1}")
                        world.push(pushed[-1])
                    ring.turn()
                self.assertTrue(world.are(Durable, *pushed))
                self.assertEqual((ring.written, len(pushed)), (pushed, 200))


class Wire(unittest.TestCase):
    def test_the_frames_of_the_document_are_read(self):
        self.assertEqual(wire.hello("tea", 0x1122334455667788, 0),
                         bytes.fromhex("9501a568656c6c6fa3746561cf112233445566778800"))
        self.assertEqual(wire.hello("tea", 0x1122334455667788, 2, 16),
                         bytes.fromhex("9601a568656c6c6fa3746561cf11223344556677880210"))
        welcome = bytes.fromhex("9601a777656c636f6d65a3746561000284b16d61785f6d6573736167655f6279746573ce00100000"
                                "af6d61785f62617463685f6279746573ce00400000ac77696e646f775f6279746573ce00800000"
                                "a5626972746810")
        self.assertEqual(wire.decode(welcome), wire.Welcome("tea", 0, 2, wire.Limits(), 16))

    def test_a_push_is_what_any_reader_of_msgpack_reads(self):
        messages = [wire.message(-5, b""), wire.message(2**63 - 1, b"\xff" * 300)]
        self.assertEqual(msgpack.unpackb(wire.push("tea", 7, 2**40, messages)),
                         [1, "push", "tea", 7, 2**40, [[-5, b""], [2**63 - 1, b"\xff" * 300]]])
        self.assertEqual(len(messages[1]), 300 + wire.MESSAGE_OVERHEAD)
        self.assertLessEqual(len(wire.push("x" * 64, 2**64 - 1, 2**64 - 1, [])), wire.PUSH_OVERHEAD)

    def test_answers_that_no_node_sends_are_told_from_those_of_kinds_to_come(self):
        self.assertEqual(wire.decode(msgpack.packb([1, "news", {"a": 1.5}])), wire.Other("news"))
        self.assertEqual(wire.decode(msgpack.packb([1, "reject", b"\xff".decode(errors="surrogateescape"), 0, "x", ""],
                                                   unicode_errors="surrogateescape")).client_id, "\udcff")
        for bad in ([1, "ack", "tea", 1, 2], [1, "ack", "tea", -1, 1, 1], [1, "ack", 5, 1, 1, 1], [2, "news"], 5, [],
                    [1], [1, "welcome", "tea", 0, 2, {"window_bytes": "all"}],
                    [1, "welcome", "tea", 0, 2, {"birth": -1}], [True, "bye", "tea"], {"a": 1}):
            with self.subTest(bad), self.assertRaises(wire.Unreadable):
                wire.decode(msgpack.packb(bad))
        for frame in (b"", b"\xc1", b"\x92\x01", msgpack.packb([1, "bye", "tea"]) + b"\0"):
            with self.subTest(frame), self.assertRaises(wire.Unreadable):
                wire.decode(frame)


class Choices(unittest.TestCase):
    def test_addresses_and_lists_of_nodes_are_read(self):
        self.assertEqual(parse_nodes("a:1,[::1]:2..4,,b:5"), [Address("a", 1), Address("::1", 2), Address("::1", 3),
                                                             Address("::1", 4), Address("b", 5)])
        self.assertEqual(parse_nodes(["a:1", "b:2"]), [Address("a", 1), Address("b", 2)])
        self.assertEqual(str(parse_address("[::1]:5000")), "[::1]:5000")

    def test_what_cannot_be_is_refused(self):
        for bad in ("", ",", "a", "a:0", "a:65536", ":1", "a b:1", "a:1..", "a:5..4", "a:1..100", "tcp://a:1",
                    "a:\u0661"):
            with self.subTest(bad), self.assertRaises(ValueError):
                parse_nodes(bad)
        for bad in ({"batch_messages": 0}, {"batch_messages": 65_536}, {"window_bytes": 0}, {"answer_timeout": 0},
                    {"window_messages": 1.5}, {"first_node": -1}):
            with self.subTest(bad), self.assertRaises(ValueError):
                Options(**bad)


if __name__ == "__main__":
    unittest.main(verbosity=2)
