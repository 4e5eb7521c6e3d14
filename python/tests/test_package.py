"""What is installed, and what importing it brings along."""

import importlib.metadata
import io
import subprocess
import sys
import zipfile

HEAVY = {"torch", "jax", "numpy", "matplotlib", "lightning", "transformers", "optax", "scipy", "pandas"}


def imported(statement):
    """The outermost packages that a fresh interpreter has after a statement."""
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split())


def test_importing_it_imports_nothing_that_takes_long():
    assert "etalon" in imported("import etalon") and not HEAVY & imported("import etalon")
    assert HEAVY & imported("import etalon.torch") <= {"torch", "numpy"}


def test_the_wheel_has_at_most_2_megabytes():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in importlib.metadata.files("etalon-lr"):
            if file.suffix != ".pyc":
                wheel.write(file.locate(), str(file))
        names = wheel.namelist()
    assert any(name.startswith("etalon/_etalon") for name in names) and "etalon/py.typed" in names
    assert not any("/test_" in name for name in names)
    assert len(archive.getvalue()) <= 2_000_000
