"""Software bill of materials in CycloneDX 1.6 (ECMA-424), of a run or of this checkout as it is installed."""

import importlib.metadata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.software import Software
from coldaisle_testbed import locks, provenance

NAMES = uuid.UUID("c01da151-e000-5000-8000-000000000015")
"""Namespace of the serial numbers (UUID version 5, RFC 9562)."""
_LIBRARY = "cyclonedx-python-lib"


@dataclass(frozen=True)
class Subject:
    """Subject of a bill of materials.

    Attributes:
        version: version of coldaisle.
        made: when it was made.
        facts: further facts: commit, run, digests.
        noted: the software of each machine or image.
    """

    version: str
    made: datetime
    facts: dict[str, str]
    noted: dict[str, Software]


def of_run(run: Path) -> str:
    """Return the bill of materials of a finished run, as JSON.

    Raises:
        InputError: if it is no finished run, or an old one without notes of its software.
    """
    manifest, noted = Manifest.load(run), Software.of_run(run)
    if not noted:
        raise InputError(
            run, "it was made before runs noted their software: play it again with `coldaisle reproduce`"
        )
    facts = {
        "commit": manifest.commit,
        "run": manifest.id,
        "engine": manifest.engine,
        "plan_digest": manifest.plan_digest,
        "semantic_digest": manifest.semantic_digest,
        "linux": manifest.versions.get("linux", ""),
        "python": manifest.versions.get("python", ""),
    }
    return written(Subject(manifest.versions.get("coldaisle", ""), manifest.created, facts, noted))


def of_checkout() -> str:
    """Return the bill of materials of this checkout as it is installed on this machine, as JSON.

    Raises:
        InputError: if this is no git checkout with a commit.
    """
    versions = provenance.versions()
    committed = provenance.committed()
    if committed is None:
        raise InputError("sbom", "there is no commit here: name a run, or call it in a git checkout")
    facts = {"commit": provenance.commit(), "linux": versions["linux"], "python": versions["python"]}
    return written(Subject(versions["coldaisle"], committed, facts, {"machine": provenance.here()}))


def written(subject: Subject) -> str:
    """Return a bill of materials as JSON; the same subject gives the same text."""
    main = Component(
        name="coldaisle",
        type=ComponentType.APPLICATION,
        version=subject.version,
        bom_ref="coldaisle",
        licenses=[LicenseFactory().make_from_string("MIT")],
        properties=[
            Property(name=f"coldaisle:{name}", value=value) for name, value in subject.facts.items() if value
        ],
    )
    tools = ToolRepository(components=[_tool("coldaisle"), _tool(_LIBRARY)])
    parts = list(_components(subject.noted))
    bom = Bom(
        components=parts,
        serial_number=uuid.uuid5(NAMES, repr(subject)),
        metadata=BomMetaData(component=main, tools=tools, timestamp=subject.made),
    )
    bom.register_dependency(main, parts)
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _tool(name: str) -> Component:
    return Component(name=name, type=ComponentType.APPLICATION, version=importlib.metadata.version(name))


def _components(noted: dict[str, Software]) -> Iterator[Component]:
    """Yield a component for each base, Debian package and Python distribution, with the machines and images that hold it."""
    components: dict[tuple[str | None, str | None], Component] = {}
    for name, held in noted.items():
        for part in _held(held):
            component = components.setdefault((part.bom_ref.value, part.version), part)
            component.properties.add(Property(name="coldaisle:held-by", value=name))
    yield from components.values()


def _held(held: Software) -> Iterator[Component]:
    """Yield the components of a machine or an image."""
    system, _, version = held.base.rpartition(" ")
    if held.base:
        day = [Property(name="coldaisle:made", value=str(held.made))] if held.made else []
        yield Component(
            name=system,
            type=ComponentType.OPERATING_SYSTEM,
            version=version,
            bom_ref=f"{held.base} {held.made or ''}".strip(),
            properties=day,
        )
    vendor = system.partition(" ")[0].lower()
    for name, package_version in held.debian.items():
        address = PackageURL("deb", vendor, name, package_version, {"distro": f"{vendor}-{version}"})
        yield Component(name=name, version=package_version, purl=address, bom_ref=str(address))
    for name, package_version in held.python.items():
        yield _distribution(name, package_version, held.licences.get(name, ""))


def _distribution(name: str, version: str, licence: str) -> Component:
    """Return the component of a Python distribution; its hashes are those of the files that the locks allow."""
    address = PackageURL("pypi", None, name, version)
    pin = _pins().get(name)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(str(address)),
        comment="the files that requirements.lock allows",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.sha256] if pin else [],
    )
    return Component(
        name=name,
        version=version,
        purl=address,
        bom_ref=str(address),
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
        external_references=[files] if pin is not None and pin.version == version else [],
    )


@cache
def _pins() -> dict[str, locks.Pin]:
    """Return what the locks of this checkout pin."""
    house = provenance.HOUSE
    files = [*house.glob(locks.LOCK), *sorted(house.glob(f"*/{locks.LOCK}"))]
    return {name: pin for file in reversed(files) for name, pin in locks.read(file).items()}
