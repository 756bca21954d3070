"""``python -m api_sync fetch|verify|status``: the same words and options, passed on to zinc."""

import subprocess
import sys

from .runner_api_sync import zinc_command

COMMANDS = ("fetch", "verify", "status", "sessions", "menu")


def main() -> int:
    args = sys.argv[1:]
    words = [word for word in args if not word.startswith("-")]
    if not any(word in COMMANDS for word in words) and not {"-h", "--help"} & set(args):
        print(f"usage: python -m api_sync {{{','.join(COMMANDS)}}} [options]", file=sys.stderr)
        return 2
    return subprocess.run([*zinc_command(), *args], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
