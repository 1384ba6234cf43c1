"""Write requirements/*.lock anew from requirements/*.in. Needs uv on the path: python3 tools/lock.py"""

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
OPTIONS = ["--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url", "--no-header"]

for name in ("runtime", "dev", "node"):  # dev is bound to what runtime chose
    command = ["uv", "pip", "compile", "-q", *OPTIONS, *sys.argv[1:], f"{name}.in", "-o", f"{name}.lock"]
    subprocess.run(command, cwd=REQUIREMENTS, check=True)
