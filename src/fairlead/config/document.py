"""The OpenAPI document as text: the same in every language and on every machine."""

import json
from typing import Any

from django.utils import translation


def build() -> dict[str, Any]:
    from fairlead.config.api import PREFIX, api

    with translation.override("en"):
        built: dict[str, Any] = json.loads(
            json.dumps(api.get_openapi_schema(path_prefix=PREFIX.strip("/") + "/"))
        )
    return built


def text() -> str:
    return json.dumps(build(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
