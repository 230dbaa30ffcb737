"""Property tests here keep no example store and no time limit: the machine may be busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("taxplane", deadline=None, database=None, max_examples=100)
settings.load_profile("taxplane")
