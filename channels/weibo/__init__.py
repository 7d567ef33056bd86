"""The Weibo channel (微博). See README.md."""

from channels.weibo.adapter import Weibo, create

__all__ = ["Weibo", "create"]
