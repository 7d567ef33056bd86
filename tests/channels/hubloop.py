"""What the hub does with a channel, in one small loop: attempts, looks, kept refs. Time is a clock held in the hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from channels.base import (
    Absent,
    Accepted,
    Action,
    Channel,
    Exchange,
    Job,
    Live,
    Outcome,
    Publication,
    Ref,
    Refused,
    Rendition,
    Unavailable,
    Unknown,
    recording,
)
from tests.clock import FixedClock


@dataclass
class Delivery:
    """One delivery, driven as the hub drives it; ``outcomes`` keeps every answer in order."""

    channel: Channel
    publication: Publication
    clock: FixedClock
    action: Action = Action.PUBLISH
    previous: Ref = field(default_factory=dict)
    ref: Ref = field(default_factory=dict)
    note: str = ""
    outcomes: list[Outcome] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    on_keep: Callable[[Ref], None] = lambda _ref: None
    first_attempt_at: datetime | None = None
    published_at: datetime | None = None
    """Of the item: the deliveries that follow keep the first one's."""
    rendition: Rendition = field(init=False)

    def __post_init__(self) -> None:
        self.rendition = self.channel.format(self.publication)
        self.updated_at = self.clock()
        self.published_at = self.published_at or self.updated_at

    def job(self) -> Job:
        self.first_attempt_at = self.first_attempt_at or self.clock()
        assert self.published_at is not None
        return Job(
            key=f"{self.publication.public_id}.{self.publication.revision}.{self.channel.name}.{self.action.value}",
            action=self.action,
            public_id=self.publication.public_id,
            revision=self.publication.revision,
            ref=dict(self.ref),
            previous=dict(self.previous),
            published_at=self.published_at,
            updated_at=self.updated_at,
            first_attempt_at=self.first_attempt_at,
            now=self.clock(),
            note=self.note,
            keep=self._keep,
        )

    def _keep(self, ref: Ref) -> None:
        self.ref = dict(ref)
        self.on_keep(ref)

    def send(self) -> Outcome:
        """One attempt. What the adapter raises tells nothing: an ``Unknown``."""
        act = self.channel.withdraw if self.action is Action.WITHDRAW else self.channel.push
        return self._note(act)

    def look(self) -> Outcome:
        return self._note(self.channel.reconcile)

    def _note(self, call: Callable[[Rendition, Job], Outcome]) -> Outcome:
        with recording() as exchanges:
            try:
                outcome = call(self.rendition, self.job())
            except Exception as error:  # noqa: BLE001 - as the hub does
                outcome = Unknown(f"渠道程序出错：{error!r}")
        self.exchanges += exchanges
        self.outcomes.append(outcome)
        ref = getattr(outcome, "ref", None)
        if ref is not None:
            self.ref = dict(ref)
        return outcome

    def run(self, attempts: int = 4) -> Outcome:
        """Send, look and send again until it is settled, a person is needed, or ``attempts`` sends are used up."""
        outcome: Outcome = Absent()
        for _ in range(attempts):
            outcome = self.settle(self.send())
            if not isinstance(outcome, Absent | Unavailable) or (self.action is Action.WITHDRAW and isinstance(outcome, Absent)):
                return outcome
            pause = outcome.retry_after if isinstance(outcome, Unavailable) else None
            self.clock.advance(pause or self.channel.limits.retry_base)
        return outcome

    def settle(self, outcome: Outcome) -> Outcome:
        """Look as often as the channel's limits say. What is still unknown then is a person's."""
        looks = 0
        while isinstance(outcome, Unknown | Accepted) and looks < max(8, len(self.channel.limits.looks)):
            pauses = self.channel.limits.looks
            after = outcome.check_after if isinstance(outcome, Accepted) else outcome.look_after
            self.clock.advance(after or pauses[min(looks, len(pauses) - 1)])
            looks += 1
            outcome = self.look()
        return outcome

    def then(self, action: Action, publication: Publication | None = None, **more: object) -> Delivery:
        """The next delivery of the same item, with what this one left as ``previous``."""
        self.clock.advance(timedelta(minutes=5))
        fresh: dict[str, object] = {"ref": {}, "outcomes": [], "exchanges": [], "first_attempt_at": None, **more}
        return replace(self, action=action, publication=publication or self.publication, previous=dict(self.ref), **fresh)  # type: ignore[arg-type]


def live(outcome: Outcome) -> Live:
    assert isinstance(outcome, Live), outcome
    return outcome


def refused(outcome: Outcome) -> Refused:
    assert isinstance(outcome, Refused), outcome
    return outcome


def unknown(outcome: Outcome) -> Unknown:
    assert isinstance(outcome, Unknown), outcome
    return outcome
