"""Rows <-> engine values: the only importer of the engine."""
