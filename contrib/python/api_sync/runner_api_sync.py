"""Calls zinc's command line; each call returns its JSON document as a dict."""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

#: zinc's own start script, where this package is still in zinc's folder.
ZINC_SCRIPT = Path(__file__).resolve().parents[3] / "bin" / "zinc.js"


def zinc_command() -> List[str]:
    """How zinc is started: ``ZINC_COMMAND``, this copy of zinc, or the installed one."""
    if os.environ.get("ZINC_COMMAND"):
        return shlex.split(os.environ["ZINC_COMMAND"])
    return ["node", str(ZINC_SCRIPT)] if ZINC_SCRIPT.exists() else ["npx", "zinc"]


class ApiSyncRunner:
    """Fetches, verifies and reports as the earlier runner did.

    Every result has ``success`` beside what zinc reports: ``status``, and for failures ``code``,
    ``message`` and ``detail`` with the next step. Nothing is raised for a failed fetch.
    """

    def __init__(self, log_level: str = "WARNING") -> None:
        self.log_level = log_level.upper()

    def fetch_data(
        self,
        module: Union[str, Sequence[str]] = "all",
        full_sync: bool = False,
        since: Optional[str] = None,
        use_session_folder: bool = True,
    ) -> Dict[str, Any]:
        """Fetches one module, or several: what changed since the last time, or everything."""
        modules = [module] if isinstance(module, str) else list(module)
        options = ["--full"] if full_sync else (["--since", since] if since else [])
        return self._call("fetch", *modules, *options, *([] if use_session_folder else ["--no-session"]))

    def fetch_all_modules(self, full_sync: bool = False, since: Optional[str] = None, use_session_folder: bool = True) -> Dict[str, Any]:
        """Fetches every module of Books."""
        return self.fetch_data("all", full_sync, since, use_session_folder)

    def verify_data(
        self,
        directory: Optional[str] = None,
        modules: Union[str, Sequence[str], None] = None,
        quick: bool = False,
        session: Optional[str] = None,
        output: Optional[str] = None,
    ) -> Dict[str, Any]:
        """Compares the files with Zoho; ``quick`` makes no call. ``ok`` says whether all is right."""
        named = modules if modules is None or isinstance(modules, str) else ",".join(modules)
        values = {"--directory": directory, "--modules": named, "--session": session, "--output": output}
        options = [part for name, value in values.items() if value for part in (name, str(value))]
        return self._call("verify", *options, *(["--quick"] if quick else []))

    def get_status(self) -> Dict[str, Any]:
        """Settings (masked), sign-in, the last sync of each module, quota and sessions."""
        return self._call("status")

    def list_sync_sessions(self) -> Dict[str, Any]:
        """The session folders, newest first, in ``data``."""
        return self._call("sessions", "list")

    def _call(self, *args: str) -> Dict[str, Any]:
        command = [*zinc_command(), "--json", "--log-level", self.log_level, *args]
        # Logs and progress stay on stderr; stdout has one JSON document.
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False)
        try:
            result = json.loads(done.stdout)
        except json.JSONDecodeError:
            result = {"status": "error", "message": done.stdout.strip() or f"zinc ended with status {done.returncode}"}
        if not isinstance(result, dict):
            result = {"data": result}
        return {**result, "success": done.returncode == 0, "exit_status": done.returncode}


def create_runner(log_level: str = "WARNING") -> ApiSyncRunner:
    """Returns a runner, as the earlier package did."""
    return ApiSyncRunner(log_level)
