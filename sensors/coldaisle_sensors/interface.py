"""A unit's cable, pulled and plugged in again by setting its interface down and up."""

from typing import Protocol

from coldaisle_contracts.cable import INTERFACE, set_state
from coldaisle_contracts.errors import RunError


class Cable(Protocol):
    """The cable between a unit and the network."""

    def pull(self) -> None:
        """Pull it: no frame is sent or received any more."""

    def plug(self) -> None:
        """Plug it in; a cable that is plugged in stays so."""


class InterfaceError(RunError):
    """An interface could not be set."""

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(f"interface {name} cannot be set ({error.strerror}): a unit needs it and NET_ADMIN")


class Interface:
    """A network interface that is set down and up; it keeps its address, and setting it up restores its routes.

    Args:
        name: its name.
    """

    def __init__(self, name: str = INTERFACE) -> None:
        self._name = name

    def pull(self) -> None:
        """Set it down."""
        self._set(up=False)

    def plug(self) -> None:
        """Set it up."""
        self._set(up=True)

    def _set(self, *, up: bool) -> None:
        try:
            set_state(self._name, up=up)
        except OSError as error:
            raise InterfaceError(self._name, error) from error
