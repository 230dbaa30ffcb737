"""Probes against real peers on loopback."""
