"""Tables that other packages add rows to, by entry points.

A package declares a row in its ``pyproject.toml`` (packaging.python.org, Entry points specification): the group says which table, the
name of the entry point is the row's name, and the entry point leads to the row. Nothing is looked for until a name is asked for that
is not in the table itself, and no package is imported before its own row is needed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, distributions
from typing import Any, TypeVar

from coldaisle_contracts.errors import InputError

Row = TypeVar("Row")
PREFIX = "coldaisle."
"""Beginning of the names of our groups."""
_MEND = "mend it, or uninstall the package"


@dataclass(frozen=True)
class Origin:
    """The origin of a row that another package added.

    Attributes:
        package: name of the distribution.
        version: its version.
        point: its entry point.
    """

    package: str
    version: str
    point: EntryPoint

    @property
    def requirement(self) -> str:
        """What pip has to install, such as ``frost==1.2``."""
        return f"{self.package}=={self.version}"

    def refused(self, remedy: str) -> InputError:
        """Return an error on this entry point."""
        point = self.point
        place = f'{point.name} = "{point.value}" in the entry points {point.group} of {self.requirement}'
        return InputError(place, remedy)


class Table(Mapping[str, Row]):
    """Rows by name: first those that coldaisle ships, then those of other packages, sorted by name.

    Args:
        group: name of the group of entry points.
        shipped: the rows that coldaisle ships.
        row: their type.
        faults: yields what is wrong with a row of another package, given its name and the row, each as the second half of a sentence.

    Raises:
        InputError: on access, if the entry point of a package cannot be used.
    """

    def __init__(
        self,
        group: str,
        shipped: Mapping[str, Row],
        row: type[Row],
        faults: Callable[[str, Row], Iterable[str]] = lambda _name, _row: (),
    ) -> None:
        self.shipped = shipped
        self._group, self._row, self._faults = group, row, faults
        self._loaded: dict[str, Row] = {}

    def __getitem__(self, name: str) -> Row:
        if name in self.shipped:
            return self.shipped[name]
        if name not in self._loaded:
            self._loaded[name] = self._load(self.origins()[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.shipped
        yield from self.origins()

    def __len__(self) -> int:
        return len(self.shipped) + len(self.origins())

    def __contains__(self, name: object) -> bool:
        return name in self.shipped or name in self.origins()

    def origins(self) -> dict[str, Origin]:
        """Return the origin of each row of another package, sorted by name.

        Raises:
            InputError: if a name is taken: by a row that coldaisle ships, or by another package.
        """
        found: dict[str, Origin] = {}
        for origin in _declared().get(self._group, ()):
            name = origin.point.name
            taken = "coldaisle" if name in self.shipped else found[name].package if name in found else ""
            if taken:
                raise origin.refused(f"{taken} has a {name} already: choose another name")
            found[name] = origin
        return dict(sorted(found.items()))

    def added(self, names: Iterable[str]) -> dict[str, Origin]:
        """Return the origin of each of these rows that another package added."""
        foreign = sorted(set(names) - set(self.shipped))
        return {name: self.origins()[name] for name in foreign}

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return these names in the order of the table, each once; no package is imported for it."""
        given = set(names)
        return [*(name for name in self.shipped if name in given), *sorted(given - set(self.shipped))]

    def _load(self, origin: Origin) -> Row:
        row = loaded(origin)
        if not isinstance(row, self._row):
            raise origin.refused(
                f"it leads to a {type(row).__name__} and has to lead to a {self._row.__name__}"
            )
        for fault in self._faults(origin.point.name, row):
            raise origin.refused(fault)
        return row


def loaded(origin: Origin) -> Any:
    """Return what an entry point leads to.

    Raises:
        InputError: if it cannot be imported, for whatever reason.
    """
    try:
        return origin.point.load()
    except (Exception, SystemExit) as error:  # a package's own code may raise anything
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise origin.refused(f"it cannot be imported ({reason}): {_MEND}") from error


@cache
def _declared() -> dict[str, list[Origin]]:
    """Return the entry points that installed packages declare in our groups, by group; of a package found twice the first counts."""
    groups: dict[str, list[Origin]] = {}
    packages = set[str]()
    for distribution in distributions():
        if PREFIX not in (distribution.read_text("entry_points.txt") or ""):
            continue  # to parse the entry points of every package would take several times as long
        if distribution.name not in packages:
            packages.add(distribution.name)
            for point in distribution.entry_points:
                origin = Origin(distribution.name, distribution.version, point)
                groups.setdefault(point.group, []).append(origin)
    return groups
