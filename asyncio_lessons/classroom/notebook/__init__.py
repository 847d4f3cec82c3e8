"""The notebook's face: the magics, the environment check, source code and museum on show."""
