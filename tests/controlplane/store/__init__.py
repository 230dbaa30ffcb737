"""Tests of the only room with SQL."""
