"""Probes: measure, never judge."""
