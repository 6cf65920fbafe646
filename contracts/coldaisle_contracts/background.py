"""Background traffic: workstations that use the services beside the broker, with which no unit and no attack has to do."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from coldaisle_contracts.addressing import NETWORK, TAKEN, Host, host
from coldaisle_contracts.validation import Model, refuse_first

DNSMASQ, PAGES = "dnsmasq", "pages"
"""Programs that answer workstations, at the broker's address like the time server, so that the capture sees them."""
DNS_PORT, DHCP_PORT, DHCP_CLIENT_PORT, HTTP_PORT = 53, 67, 68, 80
DOMAIN = "aisle.test"
"""The domain of the test network, below a top level that RFC 6761 reserves for tests."""
PATH = "/status.html"
"""Path of the status page."""
NOWHERE = "0.0.0.0"  # noqa: S104 - nothing listens there
"""Source of the packets of a host that has no address yet (RFC 2131, section 4.1)."""
MOST_WORKSTATIONS = 16
Period = Annotated[float, Field(ge=10, le=86_400)]


class Background(Model):
    """Workstations, each of which does everything that has a period here.

    Attributes:
        workstations: number of them.
        address: number of the first one's address in the network; the following ones have the following addresses.
        dns_s: time between two look-ups of a name, in s; without it no name is looked up.
        dhcp_s: time for which an address is leased, in s; it is renewed after half of it. Without it addresses are fixed.
        ntp_s: time between two queries of the time, in s; without it the time is not queried.
        http_s: time between two requests of the status page, in s; without it the page is not requested.
    """

    workstations: int = Field(default=1, ge=1, le=MOST_WORKSTATIONS)
    address: int = Field(ge=1)
    dns_s: Period | None = None
    dhcp_s: Period | None = Field(default=None, ge=60)
    ntp_s: Period | None = None
    http_s: Period | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        last, most = self.address + self.workstations - 1, NETWORK.num_addresses - 2
        taken = any(number in range(self.address, last + 1) for number in TAKEN)
        numbers = " and ".join(map(str, sorted(TAKEN)))
        idle = not any((self.dns_s, self.dhcp_s, self.ntp_s, self.http_s))
        refuse_first(
            self,
            (last > most, "address", f"the network has the numbers 1 to {most}: start lower, or have fewer workstations"),
            (taken, "address", f"the numbers {numbers} are those of broker and attacker: choose others"),
            (idle, "workstations", "give them something to do: dns_s, dhcp_s, ntp_s or http_s"),
        )  # fmt: skip
        return self

    def hosts(self) -> Iterator[Host]:
        """Yield its workstations."""
        for place in range(self.workstations):
            yield host(f"workstation-{place + 1}", "workstation", self.address + place)

    def frames(self, length_s: float) -> int:
        """Return about how many frames they cause in a time: a page takes 12 and anything else 2, each with 2 of ARP.

        Args:
            length_s: the time, in s.
        """
        each = ((self.dns_s, 4), (self.dhcp_s, 8), (self.ntp_s, 4), (self.http_s, 14))
        return round(
            self.workstations * sum(count * (length_s / period_s + 1) for period_s, count in each if period_s)
        )

    @property
    def services(self) -> tuple[str, ...]:
        """The programs that it needs beside broker and time server."""
        needs = {DNSMASQ: self.dns_s or self.dhcp_s, PAGES: self.http_s}
        return tuple(name for name, need in needs.items() if need)


def name_of(host_name: str) -> str:
    """Return the name by which DNS knows a host."""
    return f"{host_name}.{DOMAIN}"
