"""Mutated media files: seeds, mutations that know the containers, and what must hold of everything that reads one."""
