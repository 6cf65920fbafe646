"""The templates of the pages."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

STATIC, TEMPLATES = Path(__file__).parent / "static", Path(__file__).parent / "templates"

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int = 200, /, **context: object) -> HTMLResponse:
    """Return a page or a part of one."""
    return HTMLResponse(_ENVIRONMENT.get_template(f"{template}.html.j2").render(context), status)
