"""The whole schema: importing this module declares every table, guard and trigger."""

from __future__ import annotations

import hub.store.guards
import hub.store.record
import hub.store.tables  # noqa: F401 - the three imports are the declaration
from hub.store.base import Base

metadata = Base.metadata
