"""Tests of what crosses HTTP."""
