"""Releases and commits of real git repositories, as events."""
