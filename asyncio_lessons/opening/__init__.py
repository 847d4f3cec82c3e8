"""Opening the course: the reader's own copy of the lessons, and JupyterLab on it."""
