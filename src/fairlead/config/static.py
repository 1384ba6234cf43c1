"""Static files under names that carry a hash of their content, so that browsers may keep them for ever.

Beside each text lies its compressed copy, which WhiteNoise sends to a browser that takes it.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, StaticFilesStorage
from whitenoise.compress import Compressor


class StaticFiles(ManifestFilesMixin, StaticFilesStorage):
    """Hashed names where the files were collected, plain names in development and in tests.

    A page never fails over a missing entry: a file that was forgotten answers 404 by itself.
    """

    manifest_strict = False
    support_js_module_import_aggregation = False

    def url(self, name: str | None, force: bool = False) -> str:
        if name is None or settings.DEBUG or not self.hashed_files:
            return StaticFilesStorage.url(self, name)
        return super().url(name, force)

    def post_process(self, paths: Any, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        yield from super().post_process(paths, dry_run, **options)
        if dry_run:
            return
        compressor = Compressor(quiet=True)
        for name in sorted(set(self.hashed_files.values())):
            if compressor.should_compress(name):
                for _copy in compressor.compress(self.path(name)):
                    pass
