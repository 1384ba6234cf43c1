"""Settings of the tests: the product's own, on a data directory that lasts as long as the process."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_memory = Path("/dev/shm")
_data = tempfile.mkdtemp(
    prefix="fairlead-tests-", dir=_memory if _memory.is_dir() and os.access(_memory, os.W_OK) else None
)
atexit.register(shutil.rmtree, _data, ignore_errors=True)

# Whatever the shell says: a test never touches an installation.
for _name in [name for name in os.environ if name.startswith("FAIRLEAD_") and "_TEST_" not in name]:
    del os.environ[_name]
os.environ.pop("DATABASE_URL", None)
os.environ["FAIRLEAD_DATA"] = _data
# Several, with spaces between them: one for each process of the run.
_urls = os.environ.get("FAIRLEAD_TEST_DATABASE_URL", "").split() or [""]
_process = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
os.environ["FAIRLEAD_DATABASE_URL"] = _urls[int(_process) % len(_urls)]

from fairlead.config.settings import *  # noqa: E402, F403
from fairlead.config.settings import DATABASES, FAIRLEAD  # noqa: E402

if FAIRLEAD.uses_sqlite:
    # A file, as in life: an in-memory database locks whole tables between threads.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_data) / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
