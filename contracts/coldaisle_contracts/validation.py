"""The base of the pydantic models, whose validation errors become one sentence each."""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from coldaisle_contracts.errors import InputError


class MismatchError(ValueError):
    """A well-formed value that contradicts other values; the validator of a model raises it.

    Args:
        key: its key, relative to the model; empty for the value that is validated.
        value: the value.
        remedy: what would be right, as the second half of a sentence.
    """

    def __init__(self, key: str, value: object, remedy: str) -> None:
        super().__init__(remedy)
        self.key, self.value = key, value


class Model(BaseModel):
    """Base of the models of files: it refuses unknown keys, and its fields cannot be set again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def check(cls, content: Any, place: Path | str) -> Self:
        """Return the model of a content.

        Args:
            content: JSON as text or bytes, or the objects that a TOML or JSON file holds.
            place: name of the content in an error, usually its file.

        Raises:
            InputError: if a key is unknown or missing, or a value is not valid.
        """
        try:
            if isinstance(content, str | bytes):
                return cls.model_validate_json(content)
            return cls.model_validate(content)
        except ValidationError as error:
            raise first_problem(place, error) from error


def refuse_first(model: BaseModel, *problems: tuple[bool, str, str]) -> None:
    """Raise the first problem that a validator of a model has with it.

    Args:
        model: the model.
        problems: whether a problem applies, the key that has it, and what would be right, as the second half of a sentence.

    Raises:
        MismatchError: if one applies.
    """
    for applies, key, remedy in problems:
        if applies:
            value = getattr(model, key)
            raise MismatchError(key, list(value) if isinstance(value, tuple) else value, remedy)


def first_problem(path: Path | str, error: ValidationError) -> InputError:
    """Return the first error that pydantic found, as one sentence with file, key, value and remedy."""
    problem = error.errors()[0]
    where, value = [str(part) for part in problem["loc"] if part != "[key]"], problem["input"]
    remedy = _REMEDIES.get(problem["type"], problem["msg"].replace("Input should be", "it should be"))
    cause = problem.get("ctx", {}).get("error")
    if isinstance(cause, MismatchError):
        where, value, remedy = [*where, *filter(None, [cause.key])], cause.value, str(cause)
    if problem["type"] in ("extra_forbidden", "missing"):
        value = None
    key = f": key {'.'.join(where)}" if where else ""
    return InputError(f"{path}{key}", remedy.removeprefix("Value error, "), value)


_REMEDIES = {
    "extra_forbidden": "remove it, because no such key exists",
    "missing": "add it, because it is required",
    "date_from_datetime_parsing": "write a date such as 2026-03-02",
    "date_type": "write a date such as 2026-03-02",
    "time_parsing": "write a local time of day such as 01:30:00",
    "time_type": "write a local time of day such as 01:30:00",
    "int_parsing": "write a whole number",
    "float_parsing": "write a number",
    "tuple_type": "write a list, or repeat a table in double brackets",
    "model_type": "write it as a table",
    "too_short": "name at least one",
    "string_pattern_mismatch": "use 1 to 40 letters, digits, dots, underscores and hyphens",
}
"""Remedies for errors that pydantic describes to programmers only, by its error type."""
