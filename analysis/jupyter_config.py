"""Settings of Jupyter: the desk stands in JupyterLab's launcher, and a notebook exported as a page loads nothing from elsewhere.

The image has this file among its settings; outside of containers ``--config=analysis/jupyter_config.py`` names it.
"""

import secrets
import sys
from pathlib import Path

RUNS = Path("/runs") if Path("/runs").is_dir() else Path(__file__).parents[1] / "runs"
_TOKEN = secrets.token_urlsafe(24)
"""Token between JupyterLab and the desk that it starts. Whoever has JupyterLab's token needs no other one."""

c = get_config()  # type: ignore[name-defined] # noqa: F821 - Jupyter runs this file with it
c.ServerProxy.servers = {
    "desk": {
        "command": [
            *("sh", "-c", 'exec "$@" >/dev/null', "sh"),  # its own address is of no use in the terminal
            *(sys.executable, "-P", "-m", "coldaisle_testbed"),
            *("desk", "--runs", str(RUNS), "--port", "{port}"),
        ],
        "environment": {"COLDAISLE_TOKEN": _TOKEN},
        "request_headers_override": {"Cookie": f"coldaisle-desk-{{port}}={_TOKEN}"},
        "timeout": 60.0,
        "new_browser_tab": False,
        "launcher_entry": {"title": "Desk", "category": "Other"},
    }
}
for script in ("jquery", "mathjax", "require_js"):
    setattr(c.HTMLExporter, f"{script}_url", "")
c.ExecutePreprocessor.store_widget_state = False  # each figure is a picture, and needs no script
