"""What a wheel needs beside the source: its dependencies, the browser files, the compiled catalogues."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

ROOT = Path(__file__).resolve().parent


class CustomMetadataHook(MetadataHookInterface):
    """The dependencies stand once, in requirements/runtime.in."""

    def update(self, metadata: dict[str, Any]) -> None:
        lines = (ROOT / "requirements" / "runtime.in").read_text(encoding="utf-8").splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith("#")]


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        subprocess.run([sys.executable, str(ROOT / "tools" / "browser_files.py")], check=True)
        sys.path.insert(0, str(ROOT / "src"))
        from fairlead.config import messages  # needs Babel, which the build brings

        messages.compile_all()
