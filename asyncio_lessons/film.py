"""Film an asyncio program as it is: ``python -m asyncio_lessons.film program.py -o film.html``."""

import sys

from .classroom.player.program import main

if __name__ == "__main__":
    sys.exit(main())
