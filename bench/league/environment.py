"""Environments of Python that the leagues run in."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path


def enter(environment, requirements):
    """Goes on in the Python of an environment with these requirements, which is made if it is not there."""
    python = environment / "bin" / "python"
    if Path(sys.prefix) == environment:
        return
    stamp, digest = environment / "requirements.sha256", hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        print(f"making {environment} from {requirements}: minutes, several gigabytes", file=sys.stderr)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
        for command in [[sys.executable, "-m", "venv", "--clear", environment], pip]:
            if subprocess.run(command).returncode != 0:
                sys.exit(f"the environment could not be made: {' '.join(map(str, command))}")
        stamp.write_text(digest)
    os.execv(python, [python, *sys.argv])
