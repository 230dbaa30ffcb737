"""Tests of the verbs, each against a real ledger on both databases."""
