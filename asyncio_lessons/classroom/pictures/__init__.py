"""The pictures: what a film, or a suspended frame, looks like."""
