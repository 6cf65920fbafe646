"""The certificates of a run: its own authority, the broker and the units. The only module that imports cryptography.

Keys are made for each run and nothing that is derived from a run depends on them. They are on the curve P-256. The certificates are
valid from a day before the run to a month after it, in virtual time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from coldaisle_contracts.addressing import Host

BEFORE, AFTER = timedelta(days=1), timedelta(days=31)
"""Time for which certificates are valid before and after the run."""
_MODE = 0o640
"""Private keys are for their owner and the group of the daemons."""
_SERVER, _CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True)
class Authority:
    """A certificate authority, whose private key is nowhere but in memory.

    Attributes:
        certificate: its own certificate.
        key: its private key.
        start, end: begin and end of the run.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    start: datetime
    end: datetime

    @classmethod
    def new(cls, name: str, start: datetime, end: datetime) -> "Authority":
        """Make an authority with a name for a run that lasts from start to end."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        bare = _builder(subject, subject, key.public_key(), start, end)
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = bare.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return cls(builder.add_extension(usage, critical=True).sign(key, SHA256()), key, start, end)

    def save(self, path: Path) -> None:
        """Write its certificate."""
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def certify(self, host: Host, path: Path) -> None:
        """Write a certificate for a host, by its name and address, to ``path`` and its private key beside it, as ``.key``."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject
        builder = _builder(_name(host.name), issuer, key.public_key(), self.start, self.end)
        names = [x509.DNSName(host.name), x509.IPAddress(IPv4Address(host.ip))]
        usage = x509.ExtendedKeyUsage([_CLIENT if host.role == "unit" else _SERVER])
        for extension, critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.SubjectAlternativeName(names), False),
            (usage, False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False),
        ):
            builder = builder.add_extension(extension, critical)
        path.write_bytes(builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM))
        private = path.with_suffix(".key")
        private.touch(_MODE)
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - BEFORE)
        .not_valid_after(end + AFTER)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
