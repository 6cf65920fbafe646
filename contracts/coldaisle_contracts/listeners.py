"""The listeners of a site's broker: plaintext, TLS, or both; and where the material of TLS lies while a run is played."""

from typing import Literal, Self

from pydantic import model_validator

from coldaisle_contracts.validation import Model, refuse_first

TlsVersion = Literal["1.2", "1.3"]
"""A version of TLS (RFC 5246, RFC 8446)."""
TLS = "tls"
"""Folder in the timekeeper's folder with certificates and private keys; it is removed with that folder."""
CA = "ca.pem"
"""File of the authority's certificate, in :data:`TLS` and beside the captures."""
FALSE = "injector"
"""Stem of the files of the attacker's certificate and key, in :data:`TLS`."""
KEY_LOG = "tls.keys"
"""File beside the captures with the secrets of every TLS connection, in the format that Wireshark reads (NSS key log)."""


class Broker(Model):
    """What a broker listens on.

    Attributes:
        tls: version of TLS on port 8883; ``None`` where there is no such listener.
        plaintext: whether it listens on port 1883, too.
        client_certificates: whether a client has to show a certificate of the run's authority on port 8883.
    """

    tls: TlsVersion | None = None
    plaintext: bool = True
    client_certificates: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        alone = self.tls is None
        refuse_first(
            self,
            (alone and not self.plaintext, "plaintext", "leave it out, or give tls, because a broker needs a listener"),
            (alone and self.client_certificates, "client_certificates", "leave it out, or give tls"),
        )  # fmt: skip
        return self
