"""How a line of the log looks: a constant message, then what the caller gave beside it as `name=value`."""

from __future__ import annotations

import json
import logging
from typing import Final

#: What every record has, asked of one rather than listed: Python adds to it from version to version.
_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PLAIN: Final = (bool, int, float, type(None))


class Line(logging.Formatter):
    """`journal.seal_broken fault="detail_altered" event=55`: text in quotes, so that no value can forge a second one,
    nor a second line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of the base class
        # Of our own loggers alone: what others give along, a whole request with what was searched for, is not for a log.
        ours = record.name.startswith("fairlead.")
        given = {name: value for name, value in vars(record).items() if ours and name not in _USUAL}
        return " ".join([super().formatMessage(record), *(f"{k}={_spelled(v)}" for k, v in given.items())])


def _spelled(value: object) -> str:
    return str(value) if isinstance(value, _PLAIN) else json.dumps(str(value), ensure_ascii=False)
