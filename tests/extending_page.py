"""The files that docs/extending.md shows."""

import re

from tests.conftest import HOUSE

PAGE = (HOUSE / "docs" / "extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^\*\*`([\w./]+)`\*\*\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
"""The text of each file by its name."""
