"""The player: a film one can step through, both ways, as one page of HTML."""
