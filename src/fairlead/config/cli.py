"""`fairlead`: Django's management commands under one name."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    arguments = sys.argv[1:] or ["help"]
    if arguments[0] == "serve":
        from fairlead.config import serve  # stays without Django, which only the server's processes load

        serve.main(arguments[1:])
        return
    # Only now: Django reads the environment when it is loaded.
    from django.core.management import execute_from_command_line

    execute_from_command_line(["fairlead", *arguments])


if __name__ == "__main__":
    main()
