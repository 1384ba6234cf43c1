"""YAML of process documents, read by libyaml where it is here: reading them all is seconds in Python alone."""

from typing import Any, Final

import yaml

LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_document(text: str) -> Any:
    return yaml.load(text, Loader=LOADER)
