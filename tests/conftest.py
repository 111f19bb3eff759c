"""Fixtures for every test. This file also puts ``tests/`` on the path, so that tests can import ``synthetic``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no reason to fail: what must be fast has a benchmark.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real pictures with ground truth; tests that need it skip where it is absent."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("LOOKALIKE_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"needs the real pictures of LOOKALIKE_DATA, and {folder} does not exist")
    return folder
