"""Tests of the console's screens, through keys and eyes."""
