"""One attempt to play a week of a campaign: claimed, played beside its place as a program, verified, and moved there."""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime

from coldaisle_contracts.campaign import MAKING, WEEKS, CampaignFolder, Week
from coldaisle_contracts.unforeseen import as_known
from coldaisle_testbed.campaign import claims, lasting, records
from coldaisle_testbed.campaign.checking import problem_of
from coldaisle_testbed.campaign.conditions import Conditions
from coldaisle_testbed.campaign.names import LOG_OF_WEEK, host, runner
from coldaisle_testbed.campaign.outcome import Ending, Outcome
from coldaisle_testbed.holding import is_held
from coldaisle_testbed.processes import ending
from coldaisle_testbed.stage import hand_over, stage_of

COMMAND = (sys.executable, "-P", "-m", "coldaisle_testbed")
"""What the word ``coldaisle`` of a task stands for: this very software."""
LOOK_S = 1.0
"""Longest time between two looks at an attempt, in s."""
ORDERLY_S = 10.0
"""Time that a program gets to end by itself, in s."""
_SIGNAL = 128
"""Exit codes above this name a signal that ended the command."""
_SAID = "coldaisle: "


def attempt(folder: CampaignFolder, week: Week) -> Outcome:
    """Attempt to play a week, and return what became of it; a driver calls this, on any machine and in any thread."""
    trying = Attempt(folder, week)
    try:
        while (outcome := trying.look()) is None:
            select.select([trying.watch], [], [], LOOK_S)
        return outcome
    finally:
        trying.end()


class Attempt:
    """An attempt that is under way; whoever made it calls :meth:`look` at least every few seconds, and :meth:`end` at last.

    Args:
        folder: the campaign's folder.
        week: the week.
        gone: runners that are known to be gone; their claims do not count.

    Attributes:
        week: the week.
        watch: file descriptor that is readable once the program has ended.
    """

    def __init__(self, folder: CampaignFolder, week: Week, gone: Collection[str] = ()) -> None:
        self.week, self._folder, self._final = week, folder, folder.run_of(week)
        self._began, self._began_s = datetime.now(UTC), time.monotonic()
        self._conditions, self._cpu_s = Conditions.begin(), 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._place = folder.path / MAKING / f"{week.digest}.{runner()}"
        self.watch = -1
        self._claim: claims.Claim | None = None
        self._refusal = ""
        try:
            self._begin(gone)
        except OSError as error:
            self._refusal = str(as_known(error))

    def _begin(self, gone: Collection[str]) -> None:
        """Claim the week and start its program, unless it is done, perhaps just before the claim, or is played elsewhere."""
        if self._folder.is_done(self.week) or is_held(stage_of(self._final)):
            return
        self._claim = claims.claim(self._folder.path, self.week.digest, gone)
        if self._claim is None or self._folder.is_done(self.week):
            return
        self._sweep()
        self._final.parent.mkdir(exist_ok=True)
        self._place.mkdir(parents=True)
        with (self._place / LOG_OF_WEEK).open("wb") as log:
            self._process = lasting.start(self._command(), self._folder.path, log)
        self.watch = os.pidfd_open(self._process.pid)

    def _command(self) -> list[str]:
        """Return the command of the task with the place of this attempt, relative to the campaign's folder."""
        place, final = f"{MAKING}/{self._place.name}/{self.week.digest}", f"{WEEKS}/{self.week.digest}"
        return [*COMMAND, *(place if word == final else word for word in self.week.command[1:])]

    def look(self) -> Outcome | None:
        """Return the outcome once there is one, written down; until then, keep the claim and watch the machine."""
        outcome = self._looked()
        if outcome is not None and outcome.ending != "elsewhere":
            records.write(self._folder, self.week, outcome)
        return outcome

    def _looked(self) -> Outcome | None:
        if self._refusal:
            return self._outcome("refused", self._refusal)
        if self._process is None:
            return self._outcome("elsewhere")
        self._conditions.look()
        assert self._claim is not None  # noqa: S101 - a program runs under a claim
        if not self._claim.keep():
            self._kill()
            return self._outcome("elsewhere")
        pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        if not pid:
            return None
        self._process.returncode, self._cpu_s = (
            os.waitstatus_to_exitcode(status),
            usage.ru_utime + usage.ru_stime,
        )
        return self._concluded(self._process.returncode)

    def _concluded(self, code: int) -> Outcome:
        if code < 0 or code > _SIGNAL:
            return self._outcome("spoiled", self._words() or f"the command {ending(code)}")
        if code:
            endings: dict[int, Ending] = {2: "refused", 3: "spoiled"}
            return self._outcome(endings.get(code, "failed"), self._words() or f"the command {ending(code)}")
        run = self._place / self.week.digest
        if problem := problem_of(run, self.week):
            return self._outcome("failed", problem)
        try:
            hand_over(run)
            run.rename(self._final)
        except OSError as error:
            if not self._folder.is_done(self.week):  # else another runner was faster
                return self._outcome("refused", str(as_known(error)))
        return self._outcome("done")

    def _words(self) -> str:
        """Return the sentence that the command ended with."""
        text = (self._place / LOG_OF_WEEK).read_text(encoding="utf-8", errors="replace")
        sentences = [line.removeprefix(_SAID) for line in text.splitlines() if line.startswith(_SAID)]
        return sentences[0] if sentences else ""

    def _outcome(self, how: Ending, sentence: str = "") -> Outcome:
        return Outcome(
            digest=self.week.digest,
            ending=how,
            sentence=sentence,
            host=host(),
            began=self._began,
            seconds=round(time.monotonic() - self._began_s, 2),
            cpu_s=round(self._cpu_s, 2),
            load=round(self._conditions.load, 2),
            steal=round(self._conditions.steal, 4),
        )

    def stop(self) -> None:
        """Ask the program to end; :meth:`end` waits for it."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()

    def _kill(self) -> None:
        """End the program, which gets time to remove its temporary files."""
        if self._process is None or self._process.returncode is not None:
            return
        self.stop()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ORDERLY_S)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _sweep(self) -> None:
        """Remove what runners have left that lost their claim on the week."""
        for left in (self._folder.path / MAKING).glob(f"{self.week.digest}.*"):
            shutil.rmtree(left, ignore_errors=True)

    def end(self) -> None:
        """End the program if it still runs, remove what it left, and give the claim back."""
        self._kill()
        if self.watch >= 0:
            os.close(self.watch)
            self.watch = -1
        if self._claim is not None:
            shutil.rmtree(self._place, ignore_errors=True)
            self._claim.drop()
            self._claim = None
            if self._folder.is_done(self.week):
                self._sweep()
                claims.clear(self._folder.path, self.week.digest)
