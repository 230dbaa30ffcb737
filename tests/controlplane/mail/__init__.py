"""Tests of letters and their delivery, against a real SMTP server."""
