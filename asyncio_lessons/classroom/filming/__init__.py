"""The film: what records a run of any program, and what a film holds."""
