"""The pictures: what a film, or a paused frame, looks like."""
