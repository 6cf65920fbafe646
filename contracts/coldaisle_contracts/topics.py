"""A reading on the wire: topic, client id and payload."""

TOPIC = "IoT"
SENSORS = (1, 2, 3, 4)
SENSOR_MEANING = {1: "coolant in", 2: "coolant out", 3: "supply air", 4: "return air"}


def sensor_of(client: str) -> int:
    """Return the number of the sensor that a client id ends with: 4 for ``134``.

    Raises:
        ValueError: if it ends with no digit.
    """
    return int(client[-1:])


def base_id(client: str) -> str:
    """Return a client id without its suffix, which names the firmware and begins with a hyphen; an id itself has none."""
    return client.partition("-")[0]


def is_inrow(client: str) -> bool:
    """Return whether a client id without suffix has the form of the published ones: two digits of the unit, one of the sensor."""
    return len(client) == 3 and client.isascii() and client.isdecimal()  # noqa: PLR2004 - three digits


def encode_value(celsius: float) -> bytes:
    """Return the payload of a reading: ASCII °C with two decimals, such as ``b"15.54"``."""
    return f"{celsius:.2f}".encode("ascii")


def decode_value(payload: bytes) -> float:
    """Return the °C in a payload.

    Raises:
        ValueError: if the payload is not an ASCII decimal number.
    """
    return float(payload.decode("ascii"))
