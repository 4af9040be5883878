"""Runs a turn program on an engine and tells what happens as events."""
