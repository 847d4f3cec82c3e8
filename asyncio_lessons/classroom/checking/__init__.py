"""The machinery of the exercises: what runs an answer, judges it, and reports."""
