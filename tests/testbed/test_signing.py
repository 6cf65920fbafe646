"""A run is signed with an SSH key, and verified against its signer and the printed sha256."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.testbed import made_finished as made

from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.manifest import digest_of
from coldaisle_testbed import signing
from coldaisle_testbed.verification import verify

pytestmark = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="OpenSSH's client is not installed"
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with keys of Ada and Bob, one with a passphrase, and a list of signers with Ada alone."""
    folder = tmp_path_factory.mktemp("keys")
    for name, passphrase in (("ada", ""), ("bob", ""), ("closed", "secret")):
        command = [
            "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            passphrase,
            "-C",
            name,
            "-f",
            str(folder / name),
        ]
        subprocess.run(command, check=True, timeout=60)
    (folder / "allowed").write_text(f"ada@example.org {(folder / 'ada.pub').read_text()}")
    return folder


@pytest.fixture(scope="module")
def run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of a finished run; each test makes its own signature."""
    return made.copy(finished_run, tmp_path_factory.mktemp("signed"))


def test_a_signature_holds(run: Path, keys: Path) -> None:
    """The signer is named; the signature does not count as an added file, and signing again replaces it."""
    for _ in range(2):
        assert signing.sign(run, keys / "ada") == run / "manifest.json.sig"
    assert verify(run, signers=keys / "allowed").signed_by == "ada@example.org"
    assert verify(run).signed_by is None


def test_a_signature_of_somebody_else(run: Path, keys: Path) -> None:
    """A key outside the list of signers is refused, and the sentence names the list."""
    signing.sign(run, keys / "bob")
    with pytest.raises(
        TrustError, match=rf"manifest\.json\.sig: is not by a signer that {keys / 'allowed'} names"
    ):
        verify(run, signers=keys / "allowed")


def test_a_signature_of_something_else(run: Path, keys: Path) -> None:
    """A signature for another purpose or of another manifest is refused."""
    other = run.parent / "manifest.json"
    for space, text in (("git", (run / "manifest.json").read_bytes()), (signing.NAMESPACE, b"{}")):
        other.write_bytes(text)
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", space, "-f", str(keys / "ada"), str(other)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        other.with_name("manifest.json.sig").replace(run / signing.SIGNATURE)
        with pytest.raises(TrustError, match=r"is no signature of this manifest\.json for coldaisle"):
            verify(run, signers=keys / "allowed")


def test_no_signature(run: Path, keys: Path) -> None:
    """A run without a signature is refused with that reason."""
    (run / signing.SIGNATURE).unlink(missing_ok=True)
    with pytest.raises(TrustError, match="nobody signed this run"):
        verify(run, signers=keys / "allowed")


def test_a_closed_key_off_a_terminal(run: Path, keys: Path) -> None:
    """Without a terminal there is no question for a passphrase: the sentence has the key and the remedy, and no file is left."""
    (run / signing.SIGNATURE).unlink(missing_ok=True)
    with pytest.raises(
        InputError, match=r"--key is .*closed.*: .*load it into an SSH agent and name its \.pub"
    ):
        signing.sign(run, keys / "closed")
    assert not (run / signing.SIGNATURE).exists()


def test_what_is_no_key_and_no_list(run: Path, keys: Path) -> None:
    """A missing key, a text that is not a key, and a missing list are refused by name."""
    (keys / "text").write_text("no key")
    for key in (keys / "none", keys / "text"):
        with pytest.raises(InputError, match=f"--key is '{key}': "):
            signing.sign(run, key)
    with pytest.raises(InputError, match=r"--signers is .*none': name a file of allowed signers"):
        verify(run, signers=keys / "none")


def test_without_ssh_keygen(run: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without OpenSSH the sentence names its package."""
    env = shutil.which("env")
    assert env is not None
    (tmp_path / "env").symlink_to(env)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        InputError, match=r"ssh-keygen: install OpenSSH's client \(apt-get install openssh-client\)"
    ):
        signing.sign(run, keys / "ada")


def test_a_run_is_held_to_its_digest(run: Path) -> None:
    """The printed sha256 is accepted in lower and upper case; another one is refused."""
    assert verify(run, digest_of(run).upper()).manifest_sha256 == digest_of(run)
    with pytest.raises(
        TrustError, match=f"manifest.json has the sha256 {digest_of(run)}, not that of --manifest-digest"
    ):
        verify(run, "0" * 64)


@pytest.mark.parametrize("digest", ["", "abc", "g" * 64, "0" * 63])
def test_what_is_no_digest(run: Path, digest: str) -> None:
    """A malformed sha256 is bad input, not a damaged run."""
    with pytest.raises(InputError, match=r"--manifest-digest is '.*': give the 64 hexadecimal digits"):
        verify(run, digest)
