"""The garbage collector in a process that lives long and loads much at its start."""

import gc
from typing import Final

#: New objects before the collector looks at the young ones, and how often the older ones follow. Python's own 700
#: let it walk all that a bulk write has at hand several times for each batch.
_THRESHOLDS: Final = (20_000, 20, 50)


def settle() -> None:
    """What is loaded by now stays: the collector never walks it again, and looks less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
