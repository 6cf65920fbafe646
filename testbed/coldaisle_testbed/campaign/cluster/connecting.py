"""Connections to a scheduler of Dask, and a scheduler with workers of one's own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dask
from distributed import Client, LocalCluster, Security

from coldaisle_contracts.errors import InputError
from coldaisle_testbed.campaign.cluster import addresses, fitness

ANSWER_S = 30.0
"""Time in which a scheduler or a worker has to answer, in s."""
_LOCAL = {
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.worker.memory.terminate": False,  # it sees the worker's own memory only, and that is small
}
"""Settings of a scheduler of one's own; those of another are its own business."""


@contextmanager
def client_of(address: str, workers: int) -> Iterator[Client]:
    """Connect to a scheduler, or start one, and stop that in the end.

    Args:
        address: address of the scheduler, or ``local``.
        workers: number of workers where they are to be started.

    Raises:
        InputError: if the address may not be used, or nothing answers there.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said in a sentence
    with dask.config.set(_LOCAL if address == addresses.LOCAL else {}), _client(address, workers) as client:
        yield client


@contextmanager
def _client(address: str, workers: int) -> Iterator[Client]:
    if address != addresses.LOCAL:
        with _connected(addresses.checked(address), address) as client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            resources={fitness.LABEL: 1},
        ) as cluster,
        _connected(cluster, address) as client,
    ):
        yield client


def _connected(place: Any, address: str) -> Client:
    if address.startswith("tls:"):
        _refuse_without_certificates(address)
    try:
        return Client(place, timeout=ANSWER_S, set_as_default=False)
    except OSError as error:
        remedy = f"no scheduler answers there ({error}): start `dask scheduler --host 127.0.0.1`"
        raise InputError("--scheduler", remedy, address) from error


def _refuse_without_certificates(address: str) -> None:
    """Refuse an address behind TLS where Dask's settings name no certificates that can be read."""
    why: OSError | None = None
    try:
        if Security().get_connection_args("client")["ssl_context"] is not None:
            return
    except OSError as error:
        why = error
    remedy = f"its certificates cannot be used ({why or 'none is named'}): name them as docs/scaling.md says"
    raise InputError("--scheduler", remedy, address) from why
