"""The bootstrap `coldaisle`, with stand-ins for Python, pip and the system beside real shell."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[1]
PYTHON = """\
#!/bin/sh
# A Python that notes what it is asked and makes a virtual environment of stand-ins.
case "$*" in
  '--version') echo 'Python 3.13.0' ;;
  *version_info*) exit "${OLD:-0}" ;;
  *'import ensurepip'*) exit 0 ;;
  '-m venv '*)
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"
    printf '#!/bin/sh\\necho "command line: $*"\\n' >"$3/bin/coldaisle"
    chmod +x "$3/bin/coldaisle" ;;
  '-m pip '*) echo "$*" >>"$PIP_LOG"; exit "${PIP_FAILS:-0}" ;;
esac
"""
TOOLS = (
    "sh",
    "basename",
    "cat",
    "chmod",
    "cksum",
    "cp",
    "dirname",
    "echo",
    "ls",
    "mkdir",
    "mktemp",
    "readlink",
    "rm",
    "tail",
)


class Machine:
    """A checkout and a PATH of stand-ins.

    Args:
        folder: where both go.
    """

    def __init__(self, folder: Path) -> None:
        self.checkout, self.bin = folder / "checkout", folder / "bin"
        self.pip_log = folder / "pip.log"
        for path in (self.checkout, self.bin):
            path.mkdir()
        shutil.copy(HOUSE / "coldaisle", self.checkout)
        for name in ("requirements.lock", "pyproject.toml"):
            (self.checkout / name).write_text("one\n", encoding="utf-8")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found
            (self.bin / tool).symlink_to(found)
        self.add("python3.13", PYTHON)
        self.add("id", "#!/bin/sh\necho 1000\n")

    def add(self, name: str, script: str) -> None:
        """Put a stand-in on the PATH."""
        path = self.bin / name
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)

    def run(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run the bootstrap with an environment that has nothing but the stand-ins."""
        return subprocess.run(
            [self.checkout / "coldaisle", *arguments],
            env={"PATH": str(self.bin), "PIP_LOG": str(self.pip_log), **env},
            capture_output=True,
            text=True,
            check=False,
        )

    def installs(self) -> int:
        """Return how often pip was asked for anything."""
        return len(self.pip_log.read_text(encoding="utf-8").splitlines()) if self.pip_log.exists() else 0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine that has Python and nothing else."""
    return Machine(tmp_path)


def test_the_first_call_makes_the_environment(machine: Machine) -> None:
    """The first call installs the lock and the project, says so, and hands all arguments over."""
    done = machine.run("scenario", "check", "a b.toml")
    assert (done.returncode, done.stdout) == (0, "command line: scenario check a b.toml\n")
    assert "making .venv with Python 3.13.0" in done.stderr
    lock, project = machine.pip_log.read_text(encoding="utf-8").splitlines()
    assert lock.endswith("install --require-hashes -r " + str(machine.checkout / "requirements.lock"))
    assert project.endswith("--no-deps --no-build-isolation -e " + str(machine.checkout))


def test_the_second_call_is_silent(machine: Machine) -> None:
    """With nothing to do the bootstrap says nothing and asks pip for nothing."""
    machine.run("runs")
    before = machine.installs()
    done = machine.run("runs")
    assert (done.stdout, done.stderr, machine.installs()) == ("command line: runs\n", "", before)


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_installs_again(machine: Machine, name: str) -> None:
    """What the environment was made from decides whether it is up to date."""
    machine.run("runs")
    (machine.checkout / name).write_text("two\n", encoding="utf-8")
    done = machine.run("runs")
    assert machine.installs() == 4
    assert "making .venv" not in done.stderr


def test_a_moved_checkout_makes_the_environment_anew(machine: Machine) -> None:
    """A virtual environment names its own place; elsewhere it is made again."""
    machine.run("runs")
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("elsewhere"))
    assert "making .venv" in machine.run("runs").stderr


def test_a_failed_install_is_tried_again(machine: Machine) -> None:
    """When pip fails the sentence names the lock, and the next call does not take the rest for whole."""
    failed = machine.run("runs", PIP_FAILS="1")
    assert failed.returncode == 2
    assert failed.stderr.splitlines()[-1].startswith("coldaisle: pip could not install requirements.lock")
    assert machine.run("runs").stdout == "command line: runs\n"


def test_without_python_it_says_what_to_install(machine: Machine) -> None:
    """No Python of 3.11 or newer is one sentence and exit 2."""
    done = machine.run("up", OLD="1")
    assert done.returncode == 2
    assert done.stderr.startswith("coldaisle: Python 3.11 or newer is not on the PATH: install it")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [("test",), ("up", "--engine", "netns"), ("up", "--engine=netns")])
def test_missing_tools_are_named_to_who_may_not_install_them(
    machine: Machine, arguments: tuple[str, ...]
) -> None:
    """Somebody who is not root gets the exact command, and exit 2."""
    machine.add("apt-get", "#!/bin/sh\nexit 99\n")
    done = machine.run(*arguments)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert ": sudo apt-get install -y --no-install-recommends " in last
    assert {"tcpdump", "tshark"} <= set(last.partition("recommends ")[2].split())


def test_without_apt_the_packages_are_named(machine: Machine) -> None:
    """On a system without apt-get even root gets the names, and nothing is tried."""
    machine.add("id", "#!/bin/sh\necho 0\n")
    done = machine.run("up")
    assert done.returncode == 2
    assert "tshark: install them with this system's package manager" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    "arguments", [("up",), ("up", "--engine", "compose"), ("up", "--help"), ("--help",), ("decode", "x")]
)
def test_tools_are_not_asked_for_in_vain(machine: Machine, arguments: tuple[str, ...]) -> None:
    """Commands that need no system tools are handed over without them; so is `up` for who can only use containers."""
    assert machine.run(*arguments).stdout == f"command line: {' '.join(arguments)}\n"


def test_the_exit_code_is_the_command_lines(machine: Machine) -> None:
    """The bootstrap becomes the command line: its exit code is handed over too."""
    machine.run("runs")
    (machine.checkout / ".venv" / "bin" / "coldaisle").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    assert machine.run("verify", "runs/latest").returncode == 3


def test_it_is_called_from_anywhere(machine: Machine, tmp_path: Path) -> None:
    """A link to the bootstrap, called from another folder, finds its checkout and keeps the caller's folder."""
    machine.run("runs")
    link = tmp_path / "link"
    link.symlink_to(machine.checkout / "coldaisle")
    (machine.checkout / ".venv" / "bin" / "coldaisle").write_text("#!/bin/sh\npwd\n", encoding="utf-8")
    done = subprocess.run(
        [link], cwd="/", env={"PATH": str(machine.bin)}, capture_output=True, text=True, check=False
    )
    assert done.stdout == "/\n"
    assert os.access(HOUSE / "coldaisle", os.X_OK)


POLICY = """\
set -eu
has() { command -v "$1" >/dev/null 2>&1; }
quietly() { "$@"; }
"""
APT = """\
#!/bin/sh
# Asks what a package's script asks, says the answer, and waits until it may go on.
[ "$2" = install ] || exit 0
code=0
"$FOLDER/policy-rc.d" || code=$?
echo "$$ $PPID $code" >>"$FOLDER/asked"
while [ ! -e "$FOLDER/go" ]; do sleep 0.02; done
"""


def _hear_hangups() -> None:
    """Let a child be ended by a closed terminal, though these tests may have been started by nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Install:
    """The bootstrap's function that installs packages, with a folder of its own for the policy and a stand-in for apt-get.

    Args:
        folder: where both go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, folder / "asked"
        self.policy = folder / "policy-rc.d"
        text = (HOUSE / "coldaisle").read_text(encoding="utf-8")
        function = text[text.index("install_quiescent() (") : text.index("\ninstall() {")]
        script = folder / "install.sh"
        script.write_text(
            POLICY + function.replace("folder=/usr/sbin", f"folder={folder}") + "\ninstall_quiescent x\n"
        )
        (folder / "apt-get").write_text(APT)
        (folder / "apt-get").chmod(0o755)

    def start(self) -> "subprocess.Popen[bytes]":
        """Start an install in a session of its own."""
        env = {"PATH": f"{self.folder}:{os.environ['PATH']}", "FOLDER": str(self.folder)}
        return subprocess.Popen(
            ["sh", self.folder / "install.sh"],
            env=env,
            start_new_session=True,
            preexec_fn=_hear_hangups,  # noqa: PLW1509 - no thread is running
        )

    def answers(self, count: int) -> list[str]:
        """Wait until packages have asked so many times, and return what they were told."""
        until = time.monotonic() + 60
        while not self.asked.exists() or len(self.asked.read_text().splitlines()) < count:
            assert time.monotonic() < until
            time.sleep(0.02)
        return [line.split()[2] for line in self.asked.read_text().splitlines()]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_install_that_is_ended_leaves_no_policy(tmp_path: Path, number: signal.Signals) -> None:
    """While apt-get works no service starts, though the script was killed; who asks afterwards may start, and no policy is left."""
    install = Install(tmp_path)
    process = install.start()
    assert install.answers(1) == ["101"]
    apt, shell, _ = map(int, install.asked.read_text().split())
    for pid in {process.pid, shell}:
        os.kill(pid, number)
    if number == signal.SIGKILL:
        process.wait()
        assert subprocess.run([install.policy], check=False).returncode == 101
    (tmp_path / "go").touch()
    process.wait()
    while Path(f"/proc/{apt}").exists():
        time.sleep(0.02)
    if number == signal.SIGKILL:
        assert subprocess.run([install.policy], check=False).returncode == 0
    assert not install.policy.exists()


def test_two_installs_side_by_side_keep_the_policy_for_both(tmp_path: Path) -> None:
    """The second waits for the first, is told the same, and the policy is gone only when both are done."""
    install = Install(tmp_path)
    first, second = install.start(), install.start()
    assert install.answers(1) == ["101"]
    assert (first.poll(), second.poll()) == (None, None)
    (tmp_path / "go").touch()
    assert (first.wait(), second.wait()) == (0, 0)
    assert install.answers(2) == ["101", "101"]
    assert not install.policy.exists()


def test_a_policy_of_the_machines_own_stays(tmp_path: Path) -> None:
    """What an administrator wrote is neither changed nor removed."""
    install = Install(tmp_path)
    install.policy.write_text("#!/bin/sh\nexit 104\n")
    install.policy.chmod(0o755)
    (tmp_path / "go").touch()
    assert install.start().wait() == 0
    assert install.answers(1) == ["104"]
    assert install.policy.read_text() == "#!/bin/sh\nexit 104\n"


@pytest.mark.parametrize(
    ("user", "is_there", "debian", "expected"),
    [
        (0, False, True, "install chromium\n"),
        (0, True, True, ""),
        (0, False, False, ""),
        (1000, False, True, ""),
    ],
)
def test_root_on_debian_gets_the_browser_of_the_tests(
    user: int, is_there: bool, debian: bool, expected: str
) -> None:
    """Chromium is installed for `test` as root on Debian where it is missing, and nowhere else."""
    text = (HOUSE / "coldaisle").read_text(encoding="utf-8")
    function = text[text.index("want_browser() {") : text.index("\nrun_tests() {")]
    stand_ins = (
        f'id() {{ echo {user}; }}; has() {{ [ "$1" = apt-get ] || {str(is_there).lower()}; }}; '
        f'grep() {{ {str(debian).lower()}; }}; install() {{ echo "install $*"; }}\n'
    )
    done = subprocess.run(
        ["sh", "-eu", "-c", f"{stand_ins}{function}\nwant_browser"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, expected)
