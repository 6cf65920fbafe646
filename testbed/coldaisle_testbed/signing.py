"""SSH signatures of a run's manifest, made and verified by ssh-keygen (OpenSSH 8.2 or newer).

The signature is ``manifest.json.sig`` beside the manifest. Keys, agents and lists of signers are the same as for Git.
"""

import subprocess
import sys
from pathlib import Path

from coldaisle_contracts import texts
from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.manifest import MANIFEST, Manifest

SIGNATURE = f"{MANIFEST}.sig"
NAMESPACE = "coldaisle"
"""Namespace of the signatures: one that was made for another purpose is not accepted."""
_QUIET = ["env", "-u", "DISPLAY", "-u", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE=never"]
"""Makes ssh-keygen ask for a passphrase on the terminal only."""
_PATIENCE_S = 120
"""Timeout of ssh-keygen, in s: a user may have to type a passphrase or touch a key."""


def sign(run: Path, key: Path) -> Path:
    """Sign the manifest of a finished run and return the path of the signature; an older one is replaced.

    Args:
        run: the run's folder.
        key: a private SSH key, or a public one whose private key an SSH agent holds.

    Raises:
        InputError: if it is no finished run, the key cannot be used, or the signature cannot be written.
    """
    Manifest.load(run)
    if not key.is_file():
        raise InputError("--key", "name an SSH key, such as ~/.ssh/id_ed25519", str(key))
    done = _keygen(["-Y", "sign", "-f", str(key), "-n", NAMESPACE], run / MANIFEST)
    if done.returncode:
        remedy = (
            f"ssh-keygen cannot sign with it ({_last(done)}): name a private key without a passphrase, or load it into "
            "an SSH agent and name its .pub file"
        )
        raise InputError("--key", remedy, str(key))
    path, fresh = run / SIGNATURE, run / f".{SIGNATURE}"
    with texts.writable(path, "sign as the owner of the run"):
        try:
            fresh.write_text(done.stdout, encoding="ascii")
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    return path


def signed_by(run: Path, signers: Path) -> str:
    """Return the name of the signer of a run's manifest.

    Args:
        run: the run's folder.
        signers: file of allowed signers in ssh-keygen's format.

    Raises:
        InputError: if the list cannot be read or ssh-keygen is missing.
        TrustError: if there is no signature, it is not of this manifest, or its key is not on the list.
    """
    if not signers.is_file():
        raise InputError(
            "--signers", "name a file of allowed signers, with lines `NAME ssh-ed25519 AAAA…`", str(signers)
        )
    signature, manifest = run / SIGNATURE, run / MANIFEST
    if not signature.is_file():
        raise TrustError(
            [f"{SIGNATURE}: is missing, because nobody signed this run: sign it with `coldaisle sign`"]
        )
    options = ["-s", str(signature), "-f", str(signers)]
    principals = _keygen(["-Y", "find-principals", *options], manifest)
    if principals.returncode or not principals.stdout.strip():
        raise TrustError([f"{SIGNATURE}: is not by a signer that {signers} names ({_last(principals)})"])
    for signer in principals.stdout.splitlines():
        done = _keygen(["-Y", "verify", *options, "-n", NAMESPACE, "-I", signer], manifest)
        if done.returncode == 0:
            return signer
    raise TrustError([f"{SIGNATURE}: is no signature of this {MANIFEST} for {NAMESPACE} ({_last(done)})"])


def _keygen(arguments: list[str], path: Path) -> subprocess.CompletedProcess[str]:
    """Run ssh-keygen with a file as its input; without a terminal it cannot ask for a passphrase."""
    try:
        with path.open("rb") as file:
            return subprocess.run(  # noqa: S603 - our own arguments
                [*_QUIET, "ssh-keygen", *arguments],
                stdin=file,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=not sys.stdin.isatty(),
                timeout=_PATIENCE_S,
            )
    except subprocess.TimeoutExpired as error:
        raise InputError("ssh-keygen", f"it did not end within {_PATIENCE_S} s: try it by hand") from error
    except OSError as error:
        raise InputError(
            error.filename or path, f"it cannot be read ({error.strerror}): name another file"
        ) from error


def _last(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that ssh-keygen printed."""
    if done.returncode == 127:  # noqa: PLR2004 - what env ends with where there is no such program
        raise InputError("ssh-keygen", "install OpenSSH's client (apt-get install openssh-client)")
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1].strip() if lines else "it gave no reason"
