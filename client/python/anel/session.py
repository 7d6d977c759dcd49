"""What a client says to nodes and when: hello, window, resend, fail-over.

Pure: no socket, clock, thread or randomness. A shell (shell.py) gives it events and does what the actions say.
"""

from __future__ import annotations

from typing import Any

from . import wire
from .events import Abandon, Action, CloseLink, Connected, Disconnected, Ended, Event, Leave, OpenLink, Send
from .events import State, Tick
from .options import Options
from .outbox import Outbox
from .outcome import Closed, Durable, Error, Refused, Unknown

PAUSE_DOUBLINGS_MAX = 2
HELLOS_IN_ROW_MAX = 3


class Session:
    """One client id and instance, at one node at a time. Times are seconds of a clock that never goes back."""

    def __init__(
        self, client_id: str, instance: int, nodes: int, options: Options = Options(), fresh_instance: int = 0
    ) -> None:
        """fresh_instance: to begin anew with when the session was retired with nothing unacked; 0: it ends."""
        self.client_id = client_id
        self.instance = instance
        self._fresh_instance = fresh_instance
        self.options = options
        self.timing = options.timing
        self.nodes = nodes
        self.node = options.first_node % nodes
        self.state = State.WAITING
        self.outbox = Outbox()
        self.limits = wire.Limits()  # of the node that is there
        self._birth = 0  # of the session that was pushed under, as its welcome told it; 0: not known
        self.trouble = ""  # why there is no progress, for people
        self._message_bytes = options.message_bytes
        self._batch_bytes = options.batch_bytes
        self._started = False
        self._said_hello = False
        self._leave_requested = False
        self._bye_sent = False
        self._failures_in_row = 0  # links without an ack or a welcome that led on
        self._hellos_in_row = 0  # hellos on this link without an ack between
        self._pause_until = 0.0
        self._answer_deadline = 0.0
        self._progress_deadline = 0.0
        self._refusal: Error = Closed("closed", "the client was closed")  # of pushes behind the end
        self._actions: list[Action] = []

    # --- for the shell --------------------------------------------------------------------------------
    def push(self, timestamp: int, payload: bytes, token: Any) -> None:
        """Takes a message; `token` comes back in its Settled. Step with Tick when `wants_step()` afterwards.

        @raise Refused: `too_large`, `would_block` (the window is full), or why the session ended.
        """
        # Sizes are checked before a message gets any number, so a message that is refused leaves no gap.
        if len(payload) > self._message_bytes:
            raise Refused("too_large", f"a message of {len(payload)} bytes, {self._message_bytes} are allowed")
        if self.state is State.ENDED or self._leave_requested:
            raise self._refusal.again()
        if not self.has_room():
            raise Refused("would_block", "the window is full")
        message = wire.message(timestamp, payload)
        outbox = self.outbox
        if outbox.open.messages and outbox.open.frame_bytes + len(message) > self._batch_bytes:
            outbox.seal()
        outbox.append(message, token)
        if len(outbox.open.messages) >= self.options.batch_messages:
            outbox.seal()

    def has_room(self) -> bool:
        return self.outbox.messages < self.options.window_messages and self.outbox.bytes < self.options.window_bytes

    def wants_step(self) -> bool:
        """A push has made something ready to go out."""
        if not self._started:
            return True
        if self.state is not State.PUSHING:
            return False
        if self.outbox.next < len(self.outbox.batches):
            return self._window_open()
        return self.outbox.next == 0 and bool(self.outbox.open.messages)

    def next_wakeup(self) -> float | None:
        """When a Tick is due at the latest; None: only another event can change anything."""
        match self.state:
            case State.WAITING:
                return self._pause_until
            case State.CONNECTING | State.GREETING | State.LEAVING:
                return self._answer_deadline
            case State.PAUSED:
                return min(self._pause_until, self._progress_deadline)
            case State.PUSHING if self.outbox.next > 0:
                return min(self._answer_deadline, self._progress_deadline)
        return None

    def step(self, event: Event, now: float) -> list[Action]:
        """Takes one event. @return what the shell must do, in this order."""
        if self.state is State.ENDED:
            return []
        match event:
            case Tick():
                self._tick(now)
            case Connected():
                if self.state is State.CONNECTING:
                    self._greet(now)
            case Disconnected(why):
                if self.state is not State.WAITING:
                    self._fail_over(why, now)
            case Leave():
                self._leave_requested = True
                if self._said_hello:
                    self._send_what_may(now)
                elif self.outbox.messages == 0:
                    self._end(self._refusal, self._refusal)  # the ring never heard of it
            case Abandon(why):
                self._end(Unknown("closed", why), Closed("closed", why))
            case _:
                if self.state not in (State.WAITING, State.CONNECTING):
                    self._take_reply(event, now)
        actions, self._actions = self._actions, []
        return actions

    # --- the link -------------------------------------------------------------------------------------
    def _tick(self, now: float) -> None:
        if not self._started:
            self._started = True
            self._open_link(now)
            return
        match self.state:
            case State.WAITING if now >= self._pause_until:
                self._open_link(now)
            case State.CONNECTING if now >= self._answer_deadline:
                self._fail_over("no connection in time", now)
            case State.GREETING | State.LEAVING if now >= self._answer_deadline:
                self._fail_over("no answer in time", now)
            case State.PAUSED if now >= self._progress_deadline:
                self._fail_over("busy for too long", now)
            case State.PAUSED if now >= self._pause_until:
                self.state = State.PUSHING
                self._expect_answer(now)
                self._send_what_may(now)
            case State.PUSHING if self.outbox.next > 0 and now >= self._answer_deadline:
                self._fail_over("no answer in time", now)
            case State.PUSHING if self.outbox.next > 0 and now >= self._progress_deadline:
                self._fail_over("no ack in time", now)
            case State.PUSHING:
                self._send_what_may(now)

    def _open_link(self, now: float) -> None:
        self.state = State.CONNECTING
        self._hellos_in_row = 0
        self._answer_deadline = now + self.timing.connect_timeout
        self._actions.append(OpenLink(self.node))

    def _fail_over(self, why: str, now: float) -> None:
        """The next node, at once; when all were tried in vain, after a pause that grows."""
        self.trouble = why
        self._actions.append(CloseLink(why))
        self.outbox.leave_link()
        self.node = (self.node + 1) % self.nodes
        self._failures_in_row += 1
        self.state = State.WAITING
        self._pause_until = now
        laps = self._failures_in_row // self.nodes
        if laps > 0:
            self._pause_until += self.timing.retry_pause * 2 ** min(laps - 1, PAUSE_DOUBLINGS_MAX)
        else:
            self._open_link(now)

    def _greet(self, now: float) -> None:
        self.state = State.GREETING
        self._said_hello = True
        self._hellos_in_row += 1
        self._expect_answer(now)
        self._actions.append(Send(wire.hello(self.client_id, self.instance, self.outbox.sent, self._birth_to_name())))

    def _birth_to_name(self) -> int:
        """What was pushed may be written in that session: in another one it would be written again."""
        return self._birth if self.outbox.sent > 0 else 0

    def _expect_answer(self, now: float) -> None:
        self._answer_deadline = now + self.timing.answer_timeout

    def _expect_progress(self, now: float) -> None:
        self._progress_deadline = now + self.timing.progress_timeout

    def _window_open(self) -> bool:
        outbox = self.outbox
        size = outbox.in_flight_bytes + outbox.batches[outbox.next].frame_bytes
        return outbox.in_flight_bytes == 0 or size <= self.limits.window_bytes

    def _send_what_may(self, now: float) -> None:
        outbox = self.outbox
        if self.state is not State.PUSHING:
            return
        # A resend is no progress: the clock of acks starts with what was never sent.
        if outbox.numbered == 0:
            self._expect_progress(now)
        if outbox.next == 0:
            self._expect_answer(now)
        while True:
            # Nothing under way: what there is goes at once. Else it waits for a full batch or the next ack.
            if outbox.next == 0 and not outbox.batches and outbox.open.messages:
                outbox.seal()
            if outbox.next == len(outbox.batches) or not self._window_open():
                break
            batch = outbox.batches[outbox.next]
            if batch.frame_bytes <= self.limits.max_batch_bytes:
                batch = outbox.number_next()
                self._actions.append(Send(wire.push(self.client_id, self.instance, batch.first, batch.messages)))
                outbox.sent_next()
            elif len(batch.messages) > 1:
                outbox.cut(outbox.next, len(batch.messages) // 2)
            else:
                # The node would cut the connection rather than answer, and again after every resend.
                error = Refused("too_large", f"the node takes {self.limits.max_batch_bytes} bytes at once")
                if batch.sent_before:
                    self._give_up_here(error, now)
                    return
                self._actions += outbox.refuse(outbox.next, error)
        if self._leave_requested and outbox.messages == 0:
            self.state = State.LEAVING
            self._bye_sent = True
            self._expect_answer(now)
            self._actions.append(Send(wire.bye(self.client_id, self.instance)))

    # --- answers --------------------------------------------------------------------------------------
    def _take_reply(self, reply: wire.Reply, now: float) -> None:
        # Empty where the node could not read it; another's: of a client before on this address.
        if not isinstance(reply, wire.Other) and reply.client_id not in ("", self.client_id):
            return
        match reply:
            case wire.Ack():
                self._take_ack(reply, now)
            case wire.Welcome():
                if self.state is State.GREETING:
                    self._take_welcome(reply, now)
            case wire.Busy():
                self._take_busy(reply, now)
            case wire.Reject():
                self._take_reject(reply, now)
            case wire.Byed():
                if self.state is State.LEAVING:
                    self._end(self._refusal, self._refusal)

    def _take_limits(self, limits: wire.Limits) -> None:
        self.limits = limits
        self._message_bytes = min(self.options.message_bytes, limits.max_message_bytes)
        self._batch_bytes = min(self.options.batch_bytes, limits.max_batch_bytes)

    def _take_welcome(self, welcome: wire.Welcome, now: float) -> None:
        self._take_limits(welcome.limits)
        outbox = self.outbox
        if self._birth_to_name() not in (0, welcome.birth):
            text = "what was sent belongs to a session that has ended"
            self._end(Unknown("session_retired", text), Refused("session_retired", text))
            return
        self._birth = welcome.birth
        if outbox.sent == 0:
            # A new session, or one taken over: our numbers go on behind what stands there.
            outbox.acked = outbox.assigned = welcome.last
        elif welcome.last > outbox.assigned:
            text = f"the session stands at {welcome.last}, this client sent no more than {outbox.assigned}"
            self._end(Unknown("conflict", text), Refused("conflict", text))
            return
        elif welcome.last < outbox.acked:
            self._fail_over(f"the node stands at {welcome.last}, but {outbox.acked} was acked", now)
            return
        # No ack may be read out of a welcome: another instance may have had the session in between. The last message
        # that is written goes again, in a batch of its own: its ack covers all before it.
        if welcome.last > outbox.acked:
            outbox.cut_before(welcome.last + 1)
            outbox.resend_from(welcome.last)
        else:
            outbox.resend_from(welcome.last + 1)
        outbox.skip_to_next()
        self.trouble = ""
        if outbox.messages == 0:
            self._failures_in_row = 0
        self.state = State.PUSHING
        self._expect_answer(now)
        self._expect_progress(now)
        self._send_what_may(now)

    def _take_ack(self, ack: wire.Ack, now: float) -> None:
        if not self.outbox.acked < ack.last <= self.outbox.assigned:
            return
        self._actions += self.outbox.take_ack(ack.last, Durable(ack.sequence, ack.round))
        self._failures_in_row = 0
        self._hellos_in_row = 0
        self.trouble = ""
        self._expect_answer(now)
        self._expect_progress(now)
        self._send_what_may(now)

    def _take_busy(self, busy: wire.Busy, now: float) -> None:
        if self.state in (State.GREETING, State.LEAVING):
            self._fail_over("busy", now)
        elif self.outbox.find(busy.first) is not None:
            self.outbox.resend_from(busy.first)
            asked = min(max(busy.retry_after_ms, 1) / 1000, self.timing.answer_timeout)
            self._pause_until = now + asked
            self.state = State.PAUSED
            self.trouble = "busy"

    def _take_reject(self, reject: wire.Reject, now: float) -> None:
        code, text = reject.code, reject.text
        if code in ("too_large", "malformed"):
            self._take_refused_batch(reject, now)
        elif code == "session_retired" and self._bye_sent:
            self._end(self._refusal, self._refusal)  # the bye is decided
        elif code == "session_retired" and self._may_renew():
            self.instance, self._fresh_instance = self._fresh_instance, 0
            self.outbox.renew()
            self._birth = 0
            self._greet(now)
        elif code in ("conflict", "session_retired"):
            self._end(Unknown(code, text), Refused(code, text))
        elif code in ("gap", "hello_first"):
            # Of a batch before the hello, whose answer comes; or of the hello itself, whose session changed meanwhile.
            if self.state is State.GREETING and reject.sequence != 0:
                return
            if self._hellos_in_row >= HELLOS_IN_ROW_MAX:
                self._fail_over(f"{code}: {text}", now)
            else:
                self._greet(now)
        else:  # a code that is not known is not final
            self._fail_over(f"{code}: {text}", now)

    def _may_renew(self) -> bool:
        """With nothing unacked nothing can be written twice."""
        return self.state is State.GREETING and self._fresh_instance != 0 and self.outbox.numbered == 0

    def _take_refused_batch(self, reject: wire.Reject, now: float) -> None:
        """Final for one message, which is found by halving its batch; what comes behind it must not be lost."""
        error = Refused(reject.code, reject.text)
        if self.state is State.GREETING and reject.sequence == 0:
            if self._birth_to_name():
                self._give_up_here(error, now)  # a node of an older program, which reads no birth
            else:
                self._end(Unknown(reject.code, reject.text), error)  # our very hello is refused
            return
        outbox = self.outbox
        place = outbox.find(reject.sequence)
        if place is None or outbox.batches[place].sent_before:
            self._give_up_here(error, now)
            return
        first = outbox.batches[place].first
        if first == reject.sequence and len(outbox.batches[place].messages) > 1:
            outbox.cut(place, len(outbox.batches[place].messages) // 2)
        else:
            self._actions += outbox.refuse_one(reject.sequence, error)
        outbox.resend_from(first)
        self._send_what_may(now)

    def _give_up_here(self, error: Error, now: float) -> None:
        """Another node may have taken the message, so its number cannot go to another one."""
        if self._failures_in_row >= 2 * self.nodes:
            self._end(Unknown(error.code, error.text), error)
        else:
            self._fail_over(str(error), now)

    def _end(self, sent: Error, unsent: Error) -> None:
        self.state = State.ENDED
        self.trouble = str(unsent)
        self._refusal = unsent
        self._actions.append(CloseLink(str(unsent)))
        self._actions += self.outbox.settle_all(sent, unsent)
        self._actions.append(Ended())
