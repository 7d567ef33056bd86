"""The life of a delivery (渠道投递): one revision × one channel × one action.

Two rules carry the design. ``unknown`` never leads to ``sending``: only a look at the platform, or a person, leads out of
it. And a look that could not be made changes nothing.
"""

from __future__ import annotations

from enum import StrEnum

from hub.domain.problems import IllegalTransition


class DeliveryState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    WITHDRAWING = "withdrawing"
    WITHDRAWN = "withdrawn"


DELIVERY_LABELS: dict[DeliveryState, str] = {
    DeliveryState.PLANNED: "待发",
    DeliveryState.SENDING: "发送中",
    DeliveryState.DELIVERED: "已送达",
    DeliveryState.ACCEPTED: "平台处理中",
    DeliveryState.REFUSED: "被拒绝",
    DeliveryState.UNKNOWN: "待核实",
    DeliveryState.SUPERSEDED: "已被新版取代",
    DeliveryState.CANCELLED: "已取消",
    DeliveryState.WITHDRAWING: "撤回中",
    DeliveryState.WITHDRAWN: "已撤回",
}


class DeliveryEvent(StrEnum):
    CLAIM = "claim"
    # What a send brought back.
    SENT_LIVE = "sent_live"
    SENT_ACCEPTED = "sent_accepted"
    SENT_UNAVAILABLE = "sent_unavailable"
    SENT_HELD = "sent_held"
    """The account was refused, not the content: the delivery waits, unsent, until the account works again."""
    SENT_REFUSED = "sent_refused"
    SENT_UNKNOWN = "sent_unknown"
    LEASE_EXPIRED = "lease_expired"
    NEVER_BEGAN = "never_began"
    """The worker died between the claim and the first call: nothing left this machine."""
    # What a look brought back.
    LOOK_LIVE = "look_live"
    LOOK_ACCEPTED = "look_accepted"
    LOOK_UNAVAILABLE = "look_unavailable"
    LOOK_REFUSED = "look_refused"
    LOOK_UNKNOWN = "look_unknown"
    LOOK_ABSENT = "look_absent"
    # What a person or a newer revision decided.
    GIVE_UP = "give_up"
    RETRY = "retry"
    RESOLVE_PUBLISHED = "resolve_published"
    RESOLVE_NOT_PUBLISHED = "resolve_not_published"
    CANCEL = "cancel"
    SUPERSEDE = "supersede"
    REPLACED = "replaced"
    """A newer revision is live on this channel: readers no longer see this one."""
    WITHDRAW_PLANNED = "withdraw_planned"
    WITHDRAW_DONE = "withdraw_done"
    WITHDRAW_CANCELLED = "withdraw_cancelled"
    TAKEN_DOWN = "taken_down"
    """The platform, or somebody in its console, removed it after success (WeChat statuses 5 and 6)."""


_S, _E = DeliveryState, DeliveryEvent
TERMINAL = frozenset({_S.SUPERSEDED, _S.CANCELLED, _S.WITHDRAWN})
IN_DOUBT = frozenset({_S.SENDING, _S.ACCEPTED, _S.UNKNOWN})
"""States in which something may be happening out there: nothing else is sent for the same item and channel."""
FINAL_FOR_NOW = frozenset({_S.DELIVERED, _S.REFUSED, *TERMINAL})

TRANSITIONS: dict[tuple[DeliveryState, DeliveryEvent], DeliveryState] = {
    (_S.PLANNED, _E.CLAIM): _S.SENDING,
    (_S.PLANNED, _E.CANCEL): _S.CANCELLED,
    (_S.PLANNED, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.PLANNED, _E.GIVE_UP): _S.REFUSED,
    (_S.SENDING, _E.SENT_LIVE): _S.DELIVERED,
    (_S.SENDING, _E.SENT_ACCEPTED): _S.ACCEPTED,
    (_S.SENDING, _E.SENT_UNAVAILABLE): _S.PLANNED,
    (_S.SENDING, _E.SENT_HELD): _S.PLANNED,
    (_S.SENDING, _E.SENT_REFUSED): _S.REFUSED,
    (_S.SENDING, _E.SENT_UNKNOWN): _S.UNKNOWN,
    (_S.SENDING, _E.LEASE_EXPIRED): _S.UNKNOWN,
    (_S.SENDING, _E.NEVER_BEGAN): _S.PLANNED,
    (_S.SENDING, _E.GIVE_UP): _S.REFUSED,
    **{(s, _E.LOOK_LIVE): _S.DELIVERED for s in (_S.ACCEPTED, _S.UNKNOWN)},
    **{(s, _E.LOOK_ACCEPTED): _S.ACCEPTED for s in (_S.ACCEPTED, _S.UNKNOWN)},
    **{(s, _E.LOOK_REFUSED): _S.REFUSED for s in (_S.ACCEPTED, _S.UNKNOWN)},
    **{(s, _E.LOOK_ABSENT): _S.PLANNED for s in (_S.ACCEPTED, _S.UNKNOWN)},
    (_S.ACCEPTED, _E.LOOK_UNKNOWN): _S.ACCEPTED,
    (_S.ACCEPTED, _E.LOOK_UNAVAILABLE): _S.ACCEPTED,
    (_S.UNKNOWN, _E.LOOK_UNKNOWN): _S.UNKNOWN,
    (_S.UNKNOWN, _E.LOOK_UNAVAILABLE): _S.UNKNOWN,
    **{(s, _E.RESOLVE_PUBLISHED): _S.DELIVERED for s in (_S.ACCEPTED, _S.UNKNOWN, _S.REFUSED)},
    **{(s, _E.RESOLVE_NOT_PUBLISHED): _S.PLANNED for s in (_S.ACCEPTED, _S.UNKNOWN)},
    (_S.REFUSED, _E.RETRY): _S.PLANNED,
    (_S.REFUSED, _E.CANCEL): _S.CANCELLED,
    (_S.REFUSED, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.DELIVERED, _E.REPLACED): _S.SUPERSEDED,
    (_S.DELIVERED, _E.WITHDRAW_PLANNED): _S.WITHDRAWING,
    (_S.DELIVERED, _E.TAKEN_DOWN): _S.WITHDRAWN,
    (_S.WITHDRAWING, _E.WITHDRAW_DONE): _S.WITHDRAWN,
    (_S.WITHDRAWING, _E.WITHDRAW_CANCELLED): _S.DELIVERED,
    (_S.WITHDRAWING, _E.TAKEN_DOWN): _S.WITHDRAWN,
}


def advance(state: DeliveryState, event: DeliveryEvent) -> DeliveryState:
    """Return the next state. Raises IllegalTransition for a pair that is not in the table."""
    target = TRANSITIONS.get((state, event))
    if target is None:
        raise IllegalTransition(f"投递处于“{DELIVERY_LABELS[state]}”，不能执行该操作（{event.value}）")
    return target
