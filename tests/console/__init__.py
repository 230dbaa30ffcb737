"""Tests of the console, against a small control plane on real sockets."""
