"""A vibration sensor on a fan: bursts of windows of samples, as CBOR (RFC 8949)."""

import cbor2
import numpy as np
from numpy.typing import NDArray

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.message_times import message_times_ns
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.devices.base import BaseDevice

SAMPLES, RATE = 256, 2560
"""Samples of a window, and samples in a second: a window is 0.1 s long."""
BINS = 16
"""Bands of the spectrum, each of the same width, from 0 Hz to half the rate."""
_WINDOW_NS = SAMPLES * SECOND // RATE
_ORDERS = {1: 1.0, 2: 0.4, 3: 0.2, 8: 0.3}
"""Amplitudes at multiples of the shaft's frequency, relative to the first; a fan of eight blades has one at the eighth."""
_NOISE = 0.3
"""Standard deviation of broadband noise, relative to the first amplitude."""


class Device(BaseDevice):
    """Sleeps for most of an interval, and then publishes window after window."""

    def begin(self) -> None:
        """Draw the phase of each order of this day."""
        self._phases = [self.rng.uniform(0, 2 * np.pi) for _ in _ORDERS]

    def script(self) -> Script:
        """Begin a burst at a seeded instant in the first half of each interval, and publish its windows one after another."""
        latest_ns = round(self.companion.interval_s * SECOND / 2)
        windows = int(self.number("windows"))
        for due_ns in message_times_ns(self.plan, self.companion, self.day):
            begin_ns = due_ns + self.rng.randrange(latest_ns)
            if begin_ns + windows * _WINDOW_NS >= self.plan.end_ns(self.day):
                return
            for window in range(1, windows + 1):
                end_ns = begin_ns + window * _WINDOW_NS
                yield at(end_ns)
                self.publish(cbor2.dumps(self._measured(end_ns, window), canonical=True))

    def _measured(self, end_ns: int, window: int) -> dict[str, object]:
        """Return what is published of a window: its end in ms since the epoch, its number, RMS and peak, and RMS of each band, in mm/s."""
        samples = self._samples(end_ns)
        samples -= np.mean(samples)
        power = np.abs(np.fft.rfft(samples)[1:] / SAMPLES) ** 2 * 2
        power[-1] /= 2  # half the rate is there once
        bands = np.sqrt(power.reshape(BINS, -1).sum(axis=1))
        return {
            "t": end_ns // 1_000_000,
            "n": window,
            "rms": round(float(np.sqrt(np.mean(samples**2))), 3),
            "peak": round(float(np.max(np.abs(samples))), 3),
            "bins": [round(float(band), 3) for band in bands],
        }

    def _samples(self, end_ns: int) -> NDArray[np.float64]:
        """Return the velocities of a window that ends at a time, in mm/s, shape (:data:`SAMPLES`,)."""
        start_s = (end_ns - self.plan.day_ns(self.day) - _WINDOW_NS) / SECOND
        times = start_s + np.arange(SAMPLES) / RATE
        shaft = 2 * np.pi * self.number("rpm") / 60 * times
        noise = np.random.default_rng(self.rng.getrandbits(64)).normal(0, _NOISE, SAMPLES)
        shape = noise + sum(
            amplitude * np.sin(order * shaft + phase)
            for (order, amplitude), phase in zip(_ORDERS.items(), self._phases, strict=True)
        )
        usual = np.sqrt(_NOISE**2 + sum(amplitude**2 for amplitude in _ORDERS.values()) / 2)
        return np.asarray(shape * self.number("velocity") / usual, dtype=np.float64)
