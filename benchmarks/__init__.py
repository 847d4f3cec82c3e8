"""Our loop beside asyncio, uvloop, Trio, Curio and tinyio, measured in one run: ``make bench``."""
