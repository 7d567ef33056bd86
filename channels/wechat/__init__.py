"""The WeChat Official Account channel (微信公众号). See README.md."""

from channels.wechat.adapter import WeChat, create

__all__ = ["WeChat", "create"]
