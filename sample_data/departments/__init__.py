"""One module for each department: what it knows of the world, and how its files say it.

Each has a class with `write(world, lines)` for a stretch of households, `close()` at the end, and a function
that adds one odd line about a person.
"""
