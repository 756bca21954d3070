"""The package names of the Books puller before zinc, over zinc's command line.

Scripts that ran ``python -m api_sync`` or ``create_runner()`` keep working; zinc does the work. Only
the standard library is used. See docs/moving-in.md.
"""

from .runner_api_sync import ApiSyncRunner, create_runner

__all__ = ["ApiSyncRunner", "create_runner"]
