"""Engines that run the programs: in network namespaces or in containers."""
