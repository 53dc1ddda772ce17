"""Tests of the interface and of the command line."""
