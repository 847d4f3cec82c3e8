"""What grades hand-ins: finds the answers, runs each in a jail, writes what came of it."""
