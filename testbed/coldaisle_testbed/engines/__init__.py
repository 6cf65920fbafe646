"""Where the programs run: in network namespaces or in containers."""
