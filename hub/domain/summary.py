"""What may truthfully be said of an item as a whole. Computed from its deliveries, never stored: one truth."""

from __future__ import annotations

from collections.abc import Iterable

from hub.domain.delivery import DeliveryState
from hub.domain.item import STATE_LABELS, ItemState

_S = DeliveryState
_WAITING = frozenset({_S.PLANNED})
_GOING = frozenset({_S.SENDING, _S.ACCEPTED})
_TROUBLE = frozenset({_S.UNKNOWN, _S.REFUSED})
_OVER = frozenset({_S.SUPERSEDED, _S.CANCELLED})


def summarise(state: ItemState, deliveries: Iterable[DeliveryState]) -> str:
    """Return the public word for an item: 已排期, 发布中, 已发布, 部分发布, 待处理, 撤回中, 已撤稿 or its editorial state."""
    live = [d for d in deliveries if d not in _OVER]
    if state is ItemState.WITHDRAWN:
        return "已撤稿" if all(d is _S.WITHDRAWN for d in live) else "撤回中"
    if state is not ItemState.RELEASED or not live:
        return STATE_LABELS[state]
    kinds = set(live)
    if kinds <= {_S.DELIVERED}:
        return "已发布"
    if kinds <= _WAITING:
        return "已排期"
    if kinds & _TROUBLE:
        return "部分发布" if _S.DELIVERED in kinds else "待处理"
    return "部分发布" if _S.DELIVERED in kinds and kinds & _WAITING else "发布中"
