"""Tests of the API, with the real application on a real socket."""
