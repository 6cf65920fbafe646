"""Names of classes: which of them say that a row is no attack, and which say only that it is one."""

import re

USUAL = ("normal", "benign", "background", "legitimate", "legit", "clean", "good", "harmless", "regular")
"""Adjectives of classes that are no attack, in lower case; a noun such as `traffic` may follow them."""
BENIGN = (
    *USUAL, "", "-", "0", "false", "no", "none", "null", "nan", "na", "no attack", "not attack", "non attack", "not malicious", "non malicious",
    "no anomaly", "not an attack",
)  # fmt: skip
"""Names of classes that are no attack, in lower case; case and punctuation do not matter."""
ATTACKED = (
    "1",
    "true",
    "yes",
    "attack",
    "attacks",
    "malicious",
    "malware",
    "anomaly",
    "anomalous",
    "abnormal",
    "intrusion",
    "bad",
    "botnet",
)
"""Names of classes that are an attack without saying which."""
_NOUNS = (
    "traffic",
    "flow",
    "flows",
    "packet",
    "packets",
    "activity",
    "behavior",
    "behaviour",
    "data",
    "connection",
    "communication",
    "usage",
)
_CTU = re.compile(r"flow=(?:from-|to-)?(?:normal|background)", re.IGNORECASE)
"""Labels of CTU-13 that are no botnet, such as ``flow=Background-UDP-Established`` and ``flow=From-Normal-V42-Jist``."""
_BENIGN = frozenset(re.sub("[^a-z0-9]", "", name) for name in BENIGN) - {""}


def is_benign(name: str) -> bool:
    """Tell whether the name of a class says that it is no attack."""
    plain = _plain(re.sub(r"^([-+]?\d+)\.0*$", r"\1", name.strip()))
    if not plain:
        return not name.strip("-? ")
    adjective = plain
    while noun := next((noun for noun in _NOUNS if adjective.endswith(noun) and adjective != noun), None):
        adjective = adjective.removesuffix(noun)
    return plain in _BENIGN or adjective in USUAL or bool(_CTU.match(name))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
